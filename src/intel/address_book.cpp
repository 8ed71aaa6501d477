#include "intel/address_book.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

// A value of the table says by itself what nearly every look-up asks, so that the entries stay out of the cache:
// role, whether the entry is bound to a time, and the number of the entry over all lists.
constexpr std::uint32_t kRoleShift = 30;
constexpr std::uint32_t kTimedBit = std::uint32_t{1} << 29;
constexpr std::uint32_t kNumberMask = kTimedBit - 1;

[[nodiscard]] ListRole role_of(std::uint32_t value) {
  return static_cast<ListRole>(value >> kRoleShift);
}

[[nodiscard]] bool is_timed(const ListEntry& entry) {
  return entry.valid_from.ticks != INT64_MIN || entry.valid_until.ticks != INT64_MAX;
}

[[nodiscard]] std::uint32_t value_of(const ThreatList& list, const ListEntry& entry, std::uint32_t number) {
  return static_cast<std::uint32_t>(list.role) << kRoleShift | (is_timed(entry) ? kTimedBit : 0) | number;
}

[[nodiscard]] bool by_prefix(const PrefixTable::Row& a, const PrefixTable::Row& b) {
  return a.prefix < b.prefix;
}

}  // namespace

AddressBook::AddressBook(std::vector<ThreatList> lists) : lists_(std::move(lists)) {
  std::vector<PrefixTable::Row> rows;
  HashInput versions;
  std::uint32_t number = 0;
  for (const ThreatList& list : lists_) {
    CHECK(list.entries.size() <= kNumberMask - number);  // 500 million entries do not fit in memory before
    has_role_[static_cast<std::size_t>(list.role)] = true;
    versions.add(list.digest).add(static_cast<std::uint64_t>(list.role)).add(list.entries.size());
    rows.reserve(rows.size() + list.entries.size());
    for (const ListEntry& entry : list.entries) { rows.push_back({entry.prefix, value_of(list, entry, number++)}); }
    list_ends_.push_back(number);
  }
  version_ = to_hex(hash128(versions.bytes()));
  table_ = PrefixTable::build(rows);
  if (table_.cut_count() > 0) {
    crowded_ = std::move(rows);
    std::sort(crowded_.begin(), crowded_.end(), by_prefix);
  }
}

AddressFacts AddressBook::look_up(const IpAddress& address, EventTime at) const {
  AddressFacts facts;
  const std::span<const std::uint32_t> values = table_.find(address);
  if (values.empty() || !is_global(address)) { return facts; }
  if (values.size() == PrefixTable::kCoverLimit && !crowded_.empty()) {
    add_all_facts(address, at, facts);
  } else {
    for (const std::uint32_t value : values) { add_facts(value, at, facts); }
  }
  if (facts.tor || facts.suspicious || facts.microsoft) { facts.entries = values; }
  return facts;
}

ListMatch AddressBook::match(std::uint32_t entry) const {
  const std::uint32_t number = entry & kNumberMask;
  const auto end = std::upper_bound(list_ends_.begin(), list_ends_.end(), number);
  CHECK(end != list_ends_.end());
  const ThreatList& list = lists_[static_cast<std::size_t>(end - list_ends_.begin())];
  const std::uint32_t first = *end - static_cast<std::uint32_t>(list.entries.size());
  return ListMatch{&list, &list.entries[number - first]};
}

void AddressBook::add_facts(std::uint32_t value, EventTime at, AddressFacts& facts) const {
  if ((value & kTimedBit) != 0 && !is_valid_at(*match(value).entry, at)) { return; }
  switch (role_of(value)) {
    case ListRole::kTor:
      facts.tor = true;
      break;
    case ListRole::kSuspicious:
      facts.suspicious = true;
      break;
    case ListRole::kServiceTags:
      facts.microsoft = true;
      break;
  }
}

// Walks all lengths: slow, but only for addresses that more entries cover than a set of the table holds.
void AddressBook::add_all_facts(const IpAddress& address, EventTime at, AddressFacts& facts) const {
  IpPrefix prefix{address, 128};
  for (; prefix.length_bits >= 0; --prefix.length_bits) {
    const int host_bits = 128 - prefix.length_bits;
    if (host_bits > 64) {
      prefix.base.high &= host_bits == 128 ? 0 : ~std::uint64_t{0} << (host_bits - 64);
      prefix.base.low = 0;
    } else {
      prefix.base.low &= host_bits == 64 ? 0 : ~std::uint64_t{0} << host_bits;
    }
    const auto [first, last] =
        std::equal_range(crowded_.begin(), crowded_.end(), PrefixTable::Row{prefix, 0}, by_prefix);
    for (auto row = first; row != last; ++row) { add_facts(row->value, at, facts); }
  }
}

}  // namespace keyvigil
