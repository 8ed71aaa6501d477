// STIX 2.1 patterns (OASIS STIX 2.1, section 9), of which only pure address lists are taken:
// comparisons of ipv4-addr:value or ipv6-addr:value with =, IN or ISSUBSET, joined by OR, in one or more brackets
// joined by OR. Anything else would mean something that one address cannot decide, and is refused as a whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyvigil {

struct StixAddress {
  std::string text;  // as quoted, escapes resolved
  bool v6 = false;   // compared with ipv6-addr
};

// Nothing where the pattern is not a pure address list.
[[nodiscard]] std::optional<std::vector<StixAddress>> parse_stix_addresses(std::string_view pattern);

}  // namespace keyvigil
