// PrefixTable: longest-prefix match for IPv4 and IPv6 in one structure, immutable after build.
//
// Build sorts the prefixes into disjoint ranges, each carrying the set of prefixes that cover it; a look-up is one
// read of a 16-bit index, a descent where ranges are dense, a short binary search in narrow keys, and one read of what
// the range carries (docs/performance.md).
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

  // Sets are written out in full, one per distinct prefix, so their size is bounded: hostile lists could otherwise
  // make memory grow with the square of the input. Real lists stay below ten.
  static constexpr std::size_t kCoverLimit = 64;

  static PrefixTable build(std::vector<Row> rows);

  struct Cover {
    // Values of all prefixes that contain the address, most specific first, then ascending value; the first kCoverLimit
    // of them. Equal (prefix, value) rows count once. Empty: none. The span lives as long as the table.
    std::span<const std::uint32_t> values;
    // Bitwise or of all values, those past the limit too: callers with flags in their values need not walk them.
    std::uint32_t bits = 0;
    bool cut = false;  // there are more than `values`
  };
  [[nodiscard]] Cover cover(const IpAddress& address) const;
  [[nodiscard]] std::span<const std::uint32_t> find(const IpAddress& address) const { return cover(address).values; }

  [[nodiscard]] std::size_t range_count() const;
  [[nodiscard]] std::size_t memory_bytes() const;
  // Distinct prefixes whose set was cut at kCoverLimit.
  [[nodiscard]] std::size_t cut_count() const { return cut_count_; }

 private:
  // The prefixes that cover a range. One alone, as nearly always, stands in the leaf itself.
  struct Leaf {
    std::uint32_t bits = 0;  // bitwise or of all values
    std::uint32_t set = 0;   // how many values (kManyValues: told by pool_) << kCountShift | where in pool_ they stand
    friend bool operator==(const Leaf&, const Leaf&) = default;
  };
  static constexpr std::uint32_t kCountShift = 29;
  static constexpr std::uint32_t kManyValues = 7;
  static constexpr std::uint32_t kPlaceMask = (std::uint32_t{1} << kCountShift) - 1;
  static constexpr std::size_t kSetStep = 4;  // places are counted in

  // The ranges whose starts have the same first bits.
  struct Slot {
    std::uint32_t first = 0;  // the first range that starts in this slot or later
    std::uint32_t node = 0;   // where the slots by the next eight bits begin; 0: nowhere, they are few
  };
  struct Key128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend constexpr auto operator<=>(const Key128&, const Key128&) = default;
  };
  // A range starts at its key and ends where the next one starts. A search reads `near` alone, which is small enough
  // for a core's own cache.
  template <typename Near, typename Range>
  struct Ranges {
    std::vector<Near> near;  // the bits of each start that follow the top 16
    std::vector<Range> all;
    std::vector<Slot> slots;  // by the top 16 bits, and one more; then nodes of 256, and one more
  };
  struct V4Range {
    Leaf leaf;
  };
  struct V6Range {
    Key128 start;  // decides where `near` is equal
    Leaf leaf;
  };
  class Builder;

  // Points into `leaf` where that holds the one value.
  [[nodiscard]] Cover cover_of(const Leaf& leaf) const;

  Ranges<std::uint16_t, V4Range> v4_;  // `near` is all that follows
  Ranges<std::uint32_t, V6Range> v6_;
  std::vector<std::uint32_t> pool_;  // of each set: count (top bit: cut), the values
  std::size_t cut_count_ = 0;
};

}  // namespace keyvigil
