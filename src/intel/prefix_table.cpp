#include "intel/prefix_table.h"

#include <algorithm>
#include <tuple>

namespace keyvigil {
namespace {

constexpr std::size_t kIndexSize = std::size_t{1} << 16;
constexpr std::size_t kInnerRanges = 2048;  // a block costs 256 KiB: at most 128 bytes a range
constexpr std::uint32_t kCutBit = std::uint32_t{1} << 31;
constexpr std::uint64_t kV4End = IpAddress::kV4MappedLow | 0xFFFFFFFF;

[[nodiscard]] std::uint32_t top_bits(std::uint32_t key) {
  return key >> 16;
}

template <typename Key>
[[nodiscard]] std::uint32_t top_bits(const Key& key) {
  return static_cast<std::uint32_t>(key.high >> 48);
}

[[nodiscard]] bool starts_by(std::uint32_t start, std::uint32_t key) {
  return start <= key;
}

// Written without short circuits: the search must not branch on the data.
template <typename Key>
[[nodiscard]] bool starts_by(const Key& start, const Key& key) {
  const bool below = start.high < key.high;
  const bool equal = start.high == key.high;
  const bool low = start.low <= key.low;
  return below | (equal & low);
}

[[nodiscard]] std::uint32_t next_bits(std::uint32_t key) {
  return key & 0xFFFF;
}

template <typename Key>
[[nodiscard]] std::uint32_t next_bits(const Key& key) {
  return static_cast<std::uint32_t>(key.high >> 32) & 0xFFFF;
}

// The last range that starts at or before the key. REQUIRES: the first range starts at zero.
template <typename Ranges, typename Key>
[[nodiscard]] const auto& range_of(const Ranges& ranges, const Key& key) {
  const auto* slot = ranges.index.data() + top_bits(key);
  std::size_t begin = slot[0].first;
  std::size_t count = slot[1].first - begin;
  if (slot->block != 0) {
    const std::uint32_t* inner = ranges.inner.data() + (slot->block - 1) * (kIndexSize + 1) + next_bits(key);
    begin = inner[0];
    count = inner[1] - begin;
  }
  const auto* at = ranges.all.data() + begin;
  // Counts how many starts are <= key, without branches that depend on the data.
  while (count > 0) {
    const std::size_t half = (count + 1) / 2;
    at += starts_by(at[half - 1].start, key) ? half : 0;
    count -= half;
  }
  return at[-1];
}

template <typename Ranges>
void build_inner(Ranges& ranges, std::size_t top) {
  const std::uint32_t end = ranges.index[top + 1].first;
  const std::size_t block = ranges.inner.size();
  ranges.inner.resize(block + kIndexSize + 1, end);
  ranges.index[top].block = static_cast<std::uint32_t>(block / (kIndexSize + 1)) + 1;
  std::size_t next = 0;
  for (std::uint32_t i = ranges.index[top].first; i < end; ++i) {
    for (const std::size_t bits = next_bits(ranges.all[i].start); next <= bits; ++next) {
      ranges.inner[block + next] = i;
    }
  }
}

template <typename Ranges>
void build_index(Ranges& ranges) {
  using Slot = typename decltype(ranges.index)::value_type;
  ranges.index.assign(kIndexSize + 1, Slot{static_cast<std::uint32_t>(ranges.all.size()), 0});
  std::size_t next = 0;
  for (std::size_t i = 0; i < ranges.all.size(); ++i) {
    const std::size_t top = top_bits(ranges.all[i].start);
    for (; next <= top; ++next) { ranges.index[next].first = static_cast<std::uint32_t>(i); }
  }
  for (std::size_t top = 0; top < kIndexSize; ++top) {
    if (ranges.index[top + 1].first - ranges.index[top].first > kInnerRanges) { build_inner(ranges, top); }
  }
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
    build_index(table_.v4_);
    build_index(table_.v6_);
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
    Leaf leaf{outer.bits, kOneValue};
    for (const Row& row : own) {
      leaf.bits |= row.value;
      values.push_back(row.value);
    }
    values.insert(values.end(), around.values.begin(), around.values.end());
    const bool cut = values.size() > kCoverLimit || around.cut;
    if (cut) { ++table_.cut_count_; }
    values.resize(std::min(values.size(), kCoverLimit));
    if (values.size() == 1) { return leaf; }
    leaf.set = static_cast<std::uint32_t>(pool.size() / kSetStep);
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
    const auto put = [](auto& ranges, auto key, const Leaf& leaf) {
      if (ranges.all.empty() || ranges.all.back().leaf != leaf) { ranges.all.push_back({key, leaf}); }
    };
    for (const Start& start : starts_) {
      if (start.key < kFirstV4) {
        put(table_.v6_, start.key, start.leaf);
        before_v4 = at_v4_end = start.leaf;
        continue;
      }
      if (start.key <= kLastV4) {
        if (table_.v4_.all.empty() && start.key != kFirstV4) { put(table_.v4_, std::uint32_t{0}, before_v4); }
        put(table_.v4_, static_cast<std::uint32_t>(start.key.low), start.leaf);
        at_v4_end = start.leaf;
        continue;
      }
      if (!left_v4) {
        left_v4 = true;
        if (start.key != Key128{0, kV4End + 1}) { put(table_.v6_, Key128{0, kV4End + 1}, at_v4_end); }
      }
      put(table_.v6_, start.key, start.leaf);
    }
    if (!left_v4) { put(table_.v6_, Key128{0, kV4End + 1}, at_v4_end); }
    if (table_.v4_.all.empty()) { put(table_.v4_, std::uint32_t{0}, before_v4); }
  }

  PrefixTable& table_;
  std::vector<Start> starts_;
  std::vector<Open> open_;
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
  if (leaf.set == kNoSet) { return {}; }
  if (leaf.set == kOneValue) { return Cover{std::span(&leaf.bits, 1), leaf.bits, false}; }
  const std::size_t at = leaf.set * kSetStep;
  const std::uint32_t count = pool_[at];
  return Cover{std::span(pool_).subspan(at + 1, count & ~kCutBit), leaf.bits, (count & kCutBit) != 0};
}

PrefixTable::Cover PrefixTable::cover(const IpAddress& address) const {
  if (pool_.empty() || !address.known) { return {}; }
  return cover_of(address.is_v4() ? range_of(v4_, address.v4()).leaf
                                  : range_of(v6_, Key128{address.high, address.low}).leaf);
}

std::size_t PrefixTable::range_count() const {
  const auto covered = [](const auto& ranges) {
    return static_cast<std::size_t>(
        std::ranges::count_if(ranges.all, [](const auto& range) { return range.leaf.set != kNoSet; }));
  };
  return covered(v4_) + covered(v6_);
}

std::size_t PrefixTable::memory_bytes() const {
  const auto bytes = [](const auto&... vectors) {
    return ((vectors.capacity() * sizeof(typename std::decay_t<decltype(vectors)>::value_type)) + ...);
  };
  const auto ranges = [&](const auto& of) { return bytes(of.all, of.index, of.inner); };
  return ranges(v4_) + ranges(v6_) + bytes(pool_);
}

}  // namespace keyvigil
