// The prefix table against a linear scan: both must give the same values in the same order for every address.
#include "intel/prefix_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>

namespace keyvigil {
namespace {

using Rows = std::vector<PrefixTable::Row>;

std::vector<std::uint32_t> scan(const Rows& rows, const IpAddress& address) {
  Rows hits;
  for (const PrefixTable::Row& row : rows) {
    if (contains(row.prefix, address)) { hits.push_back(row); }
  }
  std::sort(hits.begin(), hits.end(), [](const PrefixTable::Row& a, const PrefixTable::Row& b) {
    return std::pair(-a.prefix.length_bits, a.value) < std::pair(-b.prefix.length_bits, b.value);
  });
  std::vector<std::uint32_t> values;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    const bool twice = i > 0 && hits[i].prefix == hits[i - 1].prefix && hits[i].value == hits[i - 1].value;
    if (!twice) { values.push_back(hits[i].value); }
  }
  values.resize(std::min(values.size(), PrefixTable::kCoverLimit));
  return values;
}

IpPrefix prefix_of(const IpAddress& address, int length_bits) {
  IpAddress base = address;
  if (length_bits <= 64) {
    base.low = 0;
    base.high &= length_bits == 0 ? 0 : ~std::uint64_t{0} << (64 - length_bits);
  } else {
    base.low &= ~std::uint64_t{0} << (128 - length_bits);
  }
  return IpPrefix{base, length_bits};
}

// Addresses crowd into few places, so that prefixes nest, touch and repeat.
IpAddress random_address(std::mt19937_64& random) {
  const auto pick = [&](std::uint64_t count) { return random() % count; };
  switch (pick(5)) {
    case 0:
      return IpAddress::from_v4(static_cast<std::uint32_t>(0xC0000200U + pick(512)));
    case 1:
      return IpAddress::from_v4(static_cast<std::uint32_t>(random()));
    case 2:
      return IpAddress{0x20010db800000000 + pick(4), pick(64), true};
    case 3:
      return IpAddress{pick(2) == 0 ? 0 : ~std::uint64_t{0}, random() >> pick(64), true};
    default:
      return IpAddress{random(), random(), true};
  }
}

IpAddress neighbour(const IpPrefix& prefix, std::mt19937_64& random) {
  IpAddress address = prefix.base;
  if (random() % 2 == 0) {  // the last address inside
    const int length = prefix.length_bits;
    address.high |= length >= 64 ? 0 : ~std::uint64_t{0} >> length;
    address.low |= length <= 64 ? ~std::uint64_t{0} : (length == 128 ? 0 : ~std::uint64_t{0} >> (length - 64));
  }
  const std::uint64_t step = random() % 3;
  if (step == 1 && ++address.low == 0) { ++address.high; }
  if (step == 2 && address.low-- == 0) { --address.high; }
  return address;
}

void expect_equal_to_scan(const Rows& rows, std::mt19937_64& random) {
  const PrefixTable table = PrefixTable::build(rows);
  for (int i = 0; i < 200; ++i) {
    const bool near = !rows.empty() && random() % 4 != 0;
    const IpAddress address = near ? neighbour(rows[random() % rows.size()].prefix, random) : random_address(random);
    const auto found = table.find(address);
    RC_ASSERT(std::vector<std::uint32_t>(found.begin(), found.end()) == scan(rows, address));
  }
}

RC_GTEST_PROP(PrefixTable, AgreesWithALinearScan, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  Rows rows;
  const std::size_t count = random() % 120;
  for (std::size_t i = 0; i < count; ++i) {
    const IpAddress address = random_address(random);
    const bool whole = random() % 3 == 0;
    const int shortest = address.is_v4() && random() % 8 != 0 ? 96 : 0;
    const int length = whole ? 128 : shortest + static_cast<int>(random() % static_cast<std::uint64_t>(129 - shortest));
    rows.push_back({prefix_of(address, length), static_cast<std::uint32_t>(random() % 50)});
  }
  expect_equal_to_scan(rows, random);
}

RC_GTEST_PROP(PrefixTable, AgreesWithALinearScanWhereSetsAreCut, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  Rows rows;
  const IpAddress centre = random_address(random);
  for (std::uint32_t i = 0; i < 200; ++i) { rows.push_back({prefix_of(centre, static_cast<int>(random() % 129)), i}); }
  RC_ASSERT(PrefixTable::build(rows).cut_count() > 0);
  expect_equal_to_scan(rows, random);
}

// So many ranges under one 16-bit top that the table splits it by further bits, for both families; and so many small
// ones in few /64 that those bits do not tell them apart.
TEST(PrefixTable, AgreesWithALinearScanInACrowdedBucket) {
  for (const std::uint64_t seed : {11U, 12U, 13U}) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Rows rows;
    for (std::uint32_t i = 0; i < 3000; ++i) {
      const IpAddress v6{0x2603'0000'0000'0000 | (random() & 0x1F'FFFF'FFFF), random(), true};
      const IpAddress v4 = IpAddress::from_v4(static_cast<std::uint32_t>(0xCB00'0000U | (random() & 0xFFFF)));
      rows.push_back({prefix_of(v6, 27 + static_cast<int>(random() % 102)), i});
      rows.push_back({prefix_of(v4, 124 + static_cast<int>(random() % 5)), i});
    }
    for (std::uint32_t i = 0; i < 600; ++i) {
      const IpAddress dense{0x2603'1030'0001'0000 | (random() & 1), random() & 0xFFF, true};
      const IpAddress sparse{0x2a01'0111'0000'0000 | (random() & 0x3'0000'0003), random() & 0xFF, true};
      rows.push_back({prefix_of(dense, 117 + static_cast<int>(random() % 12)), i});
      if (i % 30 == 0) { rows.push_back({prefix_of(sparse, 120 + static_cast<int>(random() % 9)), i}); }
    }
    const PrefixTable table = PrefixTable::build(rows);
    for (int i = 0; i < 1500; ++i) {
      const IpAddress address = neighbour(rows[random() % rows.size()].prefix, random);
      const auto found = table.find(address);
      ASSERT_EQ(std::vector<std::uint32_t>(found.begin(), found.end()), scan(rows, address)) << to_string(address);
    }
  }
}

RC_GTEST_PROP(PrefixTable, DoesNotDependOnTheOrderOfItsRows, (std::uint64_t seed)) {
  std::mt19937_64 random(seed);
  Rows rows;
  for (std::uint32_t i = 0; i < 60; ++i) {
    rows.push_back({prefix_of(random_address(random), static_cast<int>(random() % 129)), i % 20});
  }
  Rows shuffled = rows;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const PrefixTable one = PrefixTable::build(rows);
  const PrefixTable other = PrefixTable::build(shuffled);
  RC_ASSERT(one.range_count() == other.range_count());
  for (const PrefixTable::Row& row : rows) {
    const auto a = one.find(row.prefix.base);
    const auto b = other.find(row.prefix.base);
    RC_ASSERT(std::vector<std::uint32_t>(a.begin(), a.end()) == std::vector<std::uint32_t>(b.begin(), b.end()));
  }
}

}  // namespace
}  // namespace keyvigil
