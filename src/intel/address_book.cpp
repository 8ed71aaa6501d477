#include "intel/address_book.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

// A value of the table says by itself what nearly every look-up asks, so that no entry is read for it: a bit for the
// role, one if the entry is bound to a time, and the number of the entry over all lists.
constexpr std::uint32_t kRoleShift = 29;
constexpr std::uint32_t kTimedBit = std::uint32_t{1} << 28;
constexpr std::uint32_t kNumberMask = kTimedBit - 1;

[[nodiscard]] bool is_timed(const ListEntry& entry) {
  return entry.valid_from.ticks != INT64_MIN || entry.valid_until.ticks != INT64_MAX;
}

[[nodiscard]] std::uint32_t value_of(const ThreatList& list, const ListEntry& entry, std::uint32_t number) {
  const std::uint32_t role = std::uint32_t{1} << static_cast<std::uint32_t>(list.role);
  return role << kRoleShift | (is_timed(entry) ? kTimedBit : 0) | number;
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
    CHECK(list.entries.size() <= kNumberMask - number);  // 268 million entries: the limit per list is far below
    has_role_[static_cast<std::size_t>(list.role)] = true;
    versions.add(list.digest).add(static_cast<std::uint64_t>(list.role)).add(list.entries.size());
    rows.reserve(rows.size() + list.entries.size());
    for (const ListEntry& entry : list.entries) {
      rows.push_back({entry.prefix, value_of(list, entry, number++)});
      has_non_global_ = has_non_global_ || !is_global(entry.prefix);
    }
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
  const PrefixTable::Cover cover = table_.cover(address);
  if (cover.values.empty() || (has_non_global_ && !is_global(address))) { return {}; }
  std::uint32_t roles = cover.bits >> kRoleShift;
  if ((cover.bits & kTimedBit) != 0) { roles = cover.cut ? all_roles(address, at) : roles_of(cover.values, at); }
  const auto is_set = [&](ListRole role) { return (roles >> static_cast<std::uint32_t>(role) & 1U) != 0; };
  return AddressFacts{is_set(ListRole::kTor), is_set(ListRole::kSuspicious), is_set(ListRole::kServiceTags),
                      roles == 0 ? std::span<const std::uint32_t>{} : cover.values};
}

ListMatch AddressBook::match(std::uint32_t entry) const {
  const std::uint32_t number = entry & kNumberMask;
  const auto end = std::upper_bound(list_ends_.begin(), list_ends_.end(), number);
  CHECK(end != list_ends_.end());
  const ThreatList& list = lists_[static_cast<std::size_t>(end - list_ends_.begin())];
  const std::uint32_t first = *end - static_cast<std::uint32_t>(list.entries.size());
  return ListMatch{&list, &list.entries[number - first]};
}

// Bit n is set where an entry of role n holds at that time.
std::uint32_t AddressBook::roles_of(std::span<const std::uint32_t> values, EventTime at) const {
  std::uint32_t roles = 0;
  for (const std::uint32_t value : values) {
    const bool holds = (value & kTimedBit) == 0 || is_valid_at(*match(value).entry, at);
    if (holds) { roles |= value >> kRoleShift; }
  }
  return roles;
}

// Walks all lengths: slow, but only for addresses that more entries cover than a set of the table holds.
std::uint32_t AddressBook::all_roles(const IpAddress& address, EventTime at) const {
  std::uint32_t roles = 0;
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
    for (auto row = first; row != last; ++row) { roles |= roles_of(std::span(&row->value, 1), at); }
  }
  return roles;
}

}  // namespace keyvigil
