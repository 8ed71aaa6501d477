// ListBuilder: what the readers of all list formats share: the rules of admission, refusals with samples, labels.
//
// Bounds: entries by ListOptions::entries_limit (then over_limit() says so), samples 20, labels one per entry.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "intel/threat_list.h"

namespace keyvigil {

// An entry as a list states it, before any rule is applied.
struct Candidate {
  std::uint64_t line = 0;
  std::string_view found;  // the text that the entry was read from, for samples
  std::string_view label;
  int confidence = -1;
  EventTime valid_from{INT64_MIN};
  EventTime valid_until{INT64_MAX};
};

class ListBuilder {
 public:
  ListBuilder(std::string_view file, std::string_view content, const ListOptions& options);

  // Takes the entry, or refuses it: not an address, not global, too little confidence, an empty time span.
  void take(std::string_view address_or_cidr, const Candidate& candidate);
  void take(const IpPrefix& prefix, const Candidate& candidate);
  void refuse(std::uint64_t line, ListRefusal cause, std::string_view found);
  void warn(std::string sentence) { list_.warnings.push_back(std::move(sentence)); }

  [[nodiscard]] bool over_limit() const { return over_limit_; }
  // Everything that was an address, taken or refused as non-global: what a header's promise is checked against.
  [[nodiscard]] std::uint64_t addresses_seen() const { return addresses_seen_; }
  [[nodiscard]] const std::vector<IpPrefix>& non_global() const { return non_global_; }
  [[nodiscard]] ThreatList& list() { return list_; }
  [[nodiscard]] const ListOptions& options() const { return options_; }

 private:
  [[nodiscard]] std::uint32_t label_index(std::string_view label);

  ListOptions options_;
  ThreatList list_;
  std::map<std::string, std::uint32_t, std::less<>> label_indexes_;
  std::vector<IpPrefix> non_global_;
  std::uint64_t addresses_seen_ = 0;
  bool over_limit_ = false;
};

// "address", "address/length" or with a port.
[[nodiscard]] std::optional<IpPrefix> parse_list_address(std::string_view text);

// At most `limit_bytes` bytes, control characters and bytes that are not ASCII shown as \xNN.
[[nodiscard]] std::string visible(std::string_view text, std::size_t limit_bytes = 80);

// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace keyvigil
