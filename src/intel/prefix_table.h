// PrefixTable: longest-prefix match for IPv4 and IPv6 in one structure, immutable after build.
//
// Build sorts the prefixes into disjoint ranges, each carrying the set of prefixes that cover it; a look-up is one
// read of a 16-bit index and a short binary search (docs/performance.md).
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
    std::uint32_t set = 0;   // where in pool_ the set is written, in steps of kSetStep; kNoSet, kOneValue
    friend bool operator==(const Leaf&, const Leaf&) = default;
  };
  static constexpr std::uint32_t kNoSet = 0;
  static constexpr std::uint32_t kOneValue = ~std::uint32_t{0};  // `bits` is the value
  static constexpr std::size_t kSetStep = 4;

  // A range starts at its key and ends where the next one starts. What a look-up reads stands close together.
  template <typename Key>
  struct Range {
    Key start{};
    Leaf leaf;
  };
  struct Slot {
    std::uint32_t first = 0;  // the first range that starts in this slot or later
    std::uint32_t block = 0;  // of inner, counted from one; 0: none
  };
  template <typename Key>
  struct Ranges {
    std::vector<Range<Key>> all;
    std::vector<Slot> index;  // by the top 16 bits of the key
    // The same by the next 16 bits, for the few top values that hold very many ranges (all of Azure's IPv6 is in
    // 2603::/16).
    std::vector<std::uint32_t> inner;
  };
  struct Key128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend constexpr auto operator<=>(const Key128&, const Key128&) = default;
  };
  class Builder;

  // Points into `leaf` where that holds the one value.
  [[nodiscard]] Cover cover_of(const Leaf& leaf) const;

  Ranges<std::uint32_t> v4_;
  Ranges<Key128> v6_;
  std::vector<std::uint32_t> pool_;  // of each set: count (top bit: cut), the values
  std::size_t cut_count_ = 0;
};

}  // namespace keyvigil
