// AddressBook: all loaded lists behind one look-up. Immutable; share by const reference between threads.
#pragma once

#include <array>
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
  bool tor = false;         // a valid entry of a Tor list
  bool suspicious = false;  // a valid entry of a suspicious list
  bool microsoft = false;   // inside a service-tags prefix
  // For AddressBook::match(), most specific first, at most PrefixTable::kCoverLimit: every list's entries that contain
  // the address, service tags and entries not valid at the time included (is_valid_at() tells). Empty when none of the
  // three flags is set. The flags are exact even where this is cut.
  std::span<const std::uint32_t> entries;
};

class AddressBook {
 public:
  AddressBook() = default;
  explicit AddressBook(std::vector<ThreatList> lists);

  // Non-global addresses never match. Validity is judged at `at` (event time). Tens of nanoseconds.
  [[nodiscard]] AddressFacts look_up(const IpAddress& address, EventTime at) const;
  // REQUIRES: `entry` comes from AddressFacts::entries of this book.
  [[nodiscard]] ListMatch match(std::uint32_t entry) const;

  [[nodiscard]] bool has_role(ListRole role) const { return has_role_[static_cast<std::size_t>(role)]; }
  [[nodiscard]] const std::vector<ThreatList>& lists() const { return lists_; }
  // 32 hex digits over the lists' digests and roles: alerts name it.
  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  [[nodiscard]] std::uint32_t roles_of(std::span<const std::uint32_t> values, EventTime at) const;
  [[nodiscard]] std::uint32_t all_roles(const IpAddress& address, EventTime at) const;

  std::vector<ThreatList> lists_;
  std::vector<std::uint32_t> list_ends_;  // numbers of entries up to and with each list
  PrefixTable table_;
  std::vector<PrefixTable::Row> crowded_;  // all rows by prefix, kept only where the table had to cut a set
  std::array<bool, 3> has_role_{};         // by ListRole
  bool has_non_global_ = false;            // an entry reaches into non-global space (lists loaded with force)
  std::string version_;
};

}  // namespace keyvigil
