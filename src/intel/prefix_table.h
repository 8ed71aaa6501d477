// PrefixTable: longest-prefix match for IPv4 and IPv6 in one structure, immutable after build.
//
// Build sorts the prefixes into disjoint ranges, each carrying the set of prefixes that cover it; a look-up is one
// read of a 16-bit index and a short binary search (measured: detection-methods notes, docs/performance.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip_address.h"

namespace keyvigil {

class PrefixTable {
 public:
  struct Row {
    IpPrefix prefix;
    std::uint32_t value = 0;  // the caller's: index of the entry
  };

  static PrefixTable build(std::vector<Row> rows);

  // Values of all prefixes that contain the address, most specific first, then ascending value. Empty span: none.
  // The span lives as long as the table.
  [[nodiscard]] std::span<const std::uint32_t> find(const IpAddress& address) const;

  [[nodiscard]] std::size_t range_count() const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  // The owner of this file chooses the members.
};

}  // namespace keyvigil
