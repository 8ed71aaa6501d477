// AddressBook: all loaded lists behind one look-up. Immutable; share by const reference between threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "intel/prefix_table.h"
#include "intel/threat_list.h"

namespace keyvigil {

// One list entry that contains an address, with where it came from. Views live as long as the book.
struct ListMatch {
  const ThreatList* list = nullptr;
  const ListEntry* entry = nullptr;
};

struct AddressFacts {
  bool tor = false;                        // a valid entry of a Tor list
  bool suspicious = false;                 // a valid entry of a suspicious list
  bool microsoft = false;                  // inside a service-tags prefix
  std::span<const std::uint32_t> entries;  // for AddressBook::match(); empty when nothing is listed
};

class AddressBook {
 public:
  AddressBook() = default;
  explicit AddressBook(std::vector<ThreatList> lists);

  // Non-global addresses never match. Validity is judged at `at` (event time). Tens of nanoseconds.
  [[nodiscard]] AddressFacts look_up(const IpAddress& address, EventTime at) const;
  // REQUIRES: `entry` comes from AddressFacts::entries of this book.
  [[nodiscard]] ListMatch match(std::uint32_t entry) const;

  [[nodiscard]] bool has_role(ListRole role) const;
  [[nodiscard]] const std::vector<ThreatList>& lists() const { return lists_; }
  // 32 hex digits over the lists' digests and roles: alerts name it.
  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  std::vector<ThreatList> lists_;
  PrefixTable table_;
  std::string version_;
};

}  // namespace keyvigil
