#include "intel/prefix_table.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::size_t kTopSlots = std::size_t{1} << 16;
constexpr unsigned kNodeBits = 8;
constexpr std::size_t kNodeSlots = std::size_t{1} << kNodeBits;
constexpr std::size_t kFewRanges = 32;  // a node costs 2 KiB: at most 64 bytes a range, on each of four levels
constexpr std::uint32_t kCutBit = std::uint32_t{1} << 31;
constexpr std::uint64_t kV4End = IpAddress::kV4MappedLow | 0xFFFFFFFF;

[[nodiscard]] std::uint32_t top_bits(std::uint32_t key) {
  return key >> 16;
}

template <typename Key>
[[nodiscard]] std::uint32_t top_bits(const Key& key) {
  return static_cast<std::uint32_t>(key.high >> 48);
}

[[nodiscard]] std::uint16_t near_bits(std::uint32_t key) {
  return static_cast<std::uint16_t>(key);
}

template <typename Key>
[[nodiscard]] std::uint32_t near_bits(const Key& key) {
  return static_cast<std::uint32_t>(key.high >> 16);
}

// Written without short circuits, so that nothing branches on the data.
template <typename Key>
[[nodiscard]] bool is_at_most(const Key& start, const Key& key) {
  const bool below = start.high < key.high;
  const bool equal = start.high == key.high;
  const bool low = start.low <= key.low;
  return below | (equal & low);
}

// How many of `count` items, the first of which are, are at most something; without branches that depend on the data.
template <typename Item, typename IsAtMost>
[[nodiscard]] std::size_t count_up_to(const Item* items, std::size_t count, const IsAtMost& is_at_most) {
  const Item* at = items;
  while (count > 0) {
    const std::size_t half = (count + 1) / 2;
    at += is_at_most(at[half - 1]) ? half : 0;
    count -= half;
  }
  return static_cast<std::size_t>(at - items);
}

template <typename Near>
[[nodiscard]] std::size_t node_slot(Near near, unsigned bits_left) {
  return static_cast<std::size_t>(near) >> bits_left & (kNodeSlots - 1);
}

// The ranges that start in the key's last slot, and how many bits of `near` did not lead to it.
struct Dense {
  std::size_t begin = 0;
  std::size_t count = 0;
  unsigned bits_left = 0;
};

template <typename Ranges, typename Near>
[[nodiscard]] Dense descend(const Ranges& ranges, std::uint32_t top, Near near) {
  const auto* slot = ranges.slots.data() + top;
  unsigned bits_left = 8 * sizeof(near);
  while (slot->node != 0) {
    bits_left -= kNodeBits;
    slot = ranges.slots.data() + slot->node + node_slot(near, bits_left);
  }
  return {slot[0].first, slot[1].first - slot[0].first, bits_left};
}

// What the last range that starts at or before the key carries. REQUIRES: the first range starts at zero.
template <typename Ranges>
[[nodiscard]] const auto& leaf_of(const Ranges& ranges, std::uint32_t key) {
  const std::uint16_t near = near_bits(key);
  const auto [begin, count, bits_left] = descend(ranges, top_bits(key), near);
  const auto is_before = [near](std::uint16_t start) { return start <= near; };
  return ranges.all[begin + count_up_to(ranges.near.data() + begin, count, is_before) - 1].leaf;
}

template <typename Ranges, typename Key>
[[nodiscard]] const auto& leaf_of(const Ranges& ranges, const Key& key) {
  const std::uint32_t near = near_bits(key);
  const auto [begin, count, bits_left] = descend(ranges, top_bits(key), near);
  const auto* all = ranges.all.data();
  if (bits_left > 0) {
    const auto is_near = [near](std::uint32_t start) { return start <= near; };
    const std::size_t end = begin + count_up_to(ranges.near.data() + begin, count, is_near);
    // Of those whose `near` is equal the last may start behind the key, seldom more than two.
    const std::size_t beyond = std::size_t{!is_at_most(all[end - 1].start, key)} +
                               std::size_t{!is_at_most(all[end - 1 - (end > 1)].start, key)};
    if (beyond < 2) { return all[end - 1 - beyond].leaf; }
  }
  const auto is_before = [&key](const auto& range) { return is_at_most(range.start, key); };
  return all[begin + count_up_to(all + begin, count, is_before) - 1].leaf;
}

// Splits the ranges of the slot by further bits until they are few.
template <typename Ranges>
void split_slot(Ranges& ranges, std::size_t slot, unsigned bits_left) {
  const std::uint32_t begin = ranges.slots[slot].first;
  const std::uint32_t end = ranges.slots[slot + 1].first;
  if (end - begin <= kFewRanges || bits_left == 0) { return; }
  bits_left -= kNodeBits;
  const std::size_t node = ranges.slots.size();
  ranges.slots.resize(node + kNodeSlots + 1, {end, 0});
  ranges.slots[slot].node = static_cast<std::uint32_t>(node);
  std::size_t next = 0;
  for (std::uint32_t i = begin; i < end; ++i) {
    for (const std::size_t at = node_slot(ranges.near[i], bits_left); next <= at; ++next) {
      ranges.slots[node + next].first = i;
    }
  }
  for (std::size_t at = 0; at < kNodeSlots; ++at) { split_slot(ranges, node + at, bits_left); }
}

template <typename Ranges, typename StartOf>
void build_slots(Ranges& ranges, const StartOf& start_of) {
  const std::size_t count = ranges.all.size();
  ranges.slots.assign(kTopSlots + 1, {static_cast<std::uint32_t>(count), 0});
  ranges.near.reserve(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t top = top_bits(start_of(i));
    for (; next <= top; ++next) { ranges.slots[next].first = static_cast<std::uint32_t>(i); }
    ranges.near.push_back(near_bits(start_of(i)));
  }
  for (std::size_t top = 0; top < kTopSlots; ++top) { split_slot(ranges, top, 8 * sizeof(ranges.near[0])); }
  ranges.slots.shrink_to_fit();
}

[[nodiscard]] auto row_order(const PrefixTable::Row& row) {
  return std::tuple(row.prefix.base.high, row.prefix.base.low, row.prefix.length_bits, row.value);
}

}  // namespace

// Sweeps the prefixes in address order with a stack of those that are open. Prefixes nest or are disjoint, so the
// innermost open one carries the set of all.
class PrefixTable::Builder {
 public:
  explicit Builder(PrefixTable& table) : table_(table) {
    table_.pool_.assign(kSetStep, 0);
    starts_.push_back(Start{Key128{}, Leaf{}});
  }

  void add(std::span<const Row> equal_prefixes) {
    const IpPrefix& prefix = equal_prefixes.front().prefix;
    const Key128 start{prefix.base.high, prefix.base.low};
    close_before(start);
    const Leaf leaf = write_set(equal_prefixes);
    open_.push_back(Open{last_of(prefix), leaf});
    start_range(start, leaf);
  }

  void finish() {
    while (!open_.empty()) { close(); }
    split();
    table_.pool_.shrink_to_fit();
    build_slots(table_.v4_, [this](std::size_t range) { return v4_starts_[range]; });
    build_slots(table_.v6_, [this](std::size_t range) { return table_.v6_.all[range].start; });
  }

 private:
  struct Start {
    Key128 key;
    Leaf leaf;
  };
  struct Open {
    Key128 last;
    Leaf leaf;
  };

  [[nodiscard]] static Key128 last_of(const IpPrefix& prefix) {
    constexpr std::uint64_t kOnes = ~std::uint64_t{0};
    const int length = prefix.length_bits;
    const std::uint64_t high_host = length >= 64 ? 0 : kOnes >> length;
    const std::uint64_t low_host = length <= 64 ? kOnes : (length == 128 ? 0 : kOnes >> (length - 64));
    return Key128{prefix.base.high | high_host, prefix.base.low | low_host};
  }

  void close_before(const Key128& start) {
    while (!open_.empty() && open_.back().last < start) { close(); }
  }

  void close() {
    const Key128 last = open_.back().last;
    open_.pop_back();
    const Key128 next{last.high + (last.low == ~std::uint64_t{0} ? 1 : 0), last.low + 1};
    if (next == Key128{}) { return; }  // the end of the address space
    start_range(next, open_.empty() ? Leaf{} : open_.back().leaf);
  }

  void start_range(const Key128& key, const Leaf& leaf) {
    if (starts_.back().key == key) {
      starts_.back().leaf = leaf;
    } else {
      starts_.push_back(Start{key, leaf});
    }
  }

  // The new innermost set: the prefix's own values, then those around it.
  [[nodiscard]] Leaf write_set(std::span<const Row> own) {
    std::vector<std::uint32_t>& pool = table_.pool_;
    const Leaf outer = open_.empty() ? Leaf{} : open_.back().leaf;
    const Cover around = table_.cover_of(outer);
    std::vector<std::uint32_t> values;
    Leaf leaf{outer.bits, std::uint32_t{1} << kCountShift};
    for (const Row& row : own) {
      leaf.bits |= row.value;
      values.push_back(row.value);
    }
    values.insert(values.end(), around.values.begin(), around.values.end());
    const bool cut = values.size() > kCoverLimit || around.cut;
    if (cut) { ++table_.cut_count_; }
    values.resize(std::min(values.size(), kCoverLimit));
    if (values.size() == 1) { return leaf; }
    const std::size_t place = pool.size() / kSetStep;
    CHECK(place <= kPlaceMask);  // 8 GiB of sets
    leaf.set = std::min(static_cast<std::uint32_t>(values.size()), kManyValues) << kCountShift |
               static_cast<std::uint32_t>(place);
    pool.push_back(static_cast<std::uint32_t>(values.size()) | (cut ? kCutBit : 0));
    pool.insert(pool.end(), values.begin(), values.end());
    pool.resize((pool.size() + kSetStep - 1) / kSetStep * kSetStep);
    return leaf;
  }

  // IPv4 gets narrow keys of its own: they are what nearly every look-up reads.
  void split() {
    constexpr Key128 kFirstV4{0, IpAddress::kV4MappedLow};
    constexpr Key128 kLastV4{0, kV4End};
    Leaf before_v4;
    Leaf at_v4_end;
    bool left_v4 = false;
    const auto put_v6 = [this](const Key128& start, const Leaf& leaf) {
      auto& all = table_.v6_.all;
      if (all.empty() || all.back().leaf != leaf) { all.push_back({start, leaf}); }
    };
    const auto put_v4 = [this](std::uint32_t start, const Leaf& leaf) {
      auto& all = table_.v4_.all;
      if (!all.empty() && all.back().leaf == leaf) { return; }
      all.push_back({leaf});
      v4_starts_.push_back(start);
    };
    for (const Start& start : starts_) {
      if (start.key < kFirstV4) {
        put_v6(start.key, start.leaf);
        before_v4 = at_v4_end = start.leaf;
        continue;
      }
      if (start.key <= kLastV4) {
        if (v4_starts_.empty() && start.key != kFirstV4) { put_v4(0, before_v4); }
        put_v4(static_cast<std::uint32_t>(start.key.low), start.leaf);
        at_v4_end = start.leaf;
        continue;
      }
      if (!left_v4) {
        left_v4 = true;
        if (start.key != Key128{0, kV4End + 1}) { put_v6(Key128{0, kV4End + 1}, at_v4_end); }
      }
      put_v6(start.key, start.leaf);
    }
    if (!left_v4) { put_v6(Key128{0, kV4End + 1}, at_v4_end); }
    if (v4_starts_.empty()) { put_v4(0, before_v4); }
  }

  PrefixTable& table_;
  std::vector<Start> starts_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> v4_starts_;
};

PrefixTable PrefixTable::build(std::vector<Row> rows) {
  PrefixTable table;
  if (rows.empty()) { return table; }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return row_order(a) < row_order(b); });
  const auto same = [](const Row& a, const Row& b) { return row_order(a) == row_order(b); };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());

  Builder builder(table);
  const std::span<const Row> all(rows);
  for (std::size_t first = 0; first < all.size();) {
    std::size_t end = first + 1;
    while (end < all.size() && all[end].prefix == all[first].prefix) { ++end; }
    builder.add(all.subspan(first, end - first));
    first = end;
  }
  builder.finish();
  return table;
}

PrefixTable::Cover PrefixTable::cover_of(const Leaf& leaf) const {
  std::uint32_t count = leaf.set >> kCountShift;
  if (count == 0) { return {}; }
  if (count == 1) { return Cover{std::span(&leaf.bits, 1), leaf.bits, false}; }
  const std::size_t at = (leaf.set & kPlaceMask) * kSetStep;
  if (count == kManyValues) { count = pool_[at]; }
  return Cover{std::span(pool_).subspan(at + 1, count & ~kCutBit), leaf.bits, (count & kCutBit) != 0};
}

PrefixTable::Cover PrefixTable::cover(const IpAddress& address) const {
  if (pool_.empty() || !address.known) { return {}; }
  return cover_of(address.is_v4() ? leaf_of(v4_, address.v4()) : leaf_of(v6_, Key128{address.high, address.low}));
}

std::size_t PrefixTable::range_count() const {
  const auto covered = [](const auto& ranges) {
    return static_cast<std::size_t>(
        std::ranges::count_if(ranges.all, [](const auto& range) { return range.leaf.set != 0; }));
  };
  return covered(v4_) + covered(v6_);
}

std::size_t PrefixTable::memory_bytes() const {
  const auto bytes = [](const auto&... vectors) {
    return ((vectors.capacity() * sizeof(typename std::decay_t<decltype(vectors)>::value_type)) + ...);
  };
  const auto ranges = [&](const auto& of) { return bytes(of.near, of.all, of.slots); };
  return ranges(v4_) + ranges(v6_) + bytes(pool_);
}

}  // namespace keyvigil
