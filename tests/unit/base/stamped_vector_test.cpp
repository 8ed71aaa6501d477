#include "base/stamped_vector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace keyvigil {
namespace {

using Texts = StampedVector<std::string, 4>;

Texts texts(std::size_t size) {
  Texts made;
  for (std::size_t i = 0; i < size; ++i) { made.emplace_back() = std::to_string(i); }
  return made;
}

std::vector<std::uint64_t> stamps(const Texts& of) {
  std::vector<std::uint64_t> found;
  for (std::size_t block = 0; block < of.block_count(); ++block) { found.push_back(of.stamp(block)); }
  return found;
}

TEST(StampedVector, BlocksHoldEveryItemOnce) {
  for (const std::size_t size : {0U, 1U, 3U, 4U, 5U, 8U, 9U}) {
    const Texts made = texts(size);
    EXPECT_EQ(made.size(), size);
    EXPECT_EQ(made.block_count(), (size + 3) / 4);
    std::size_t next = 0;
    for (std::size_t block = 0; block < made.block_count(); ++block) {
      EXPECT_EQ(made.block_begin(block), next);
      next = made.block_end(block);
    }
    EXPECT_EQ(next, size);
  }
}

TEST(StampedVector, WhatIsAskedForToBeChangedChangesItsBlockAlone) {
  Texts made = texts(10);
  const auto before = stamps(made);
  EXPECT_EQ(std::as_const(made)[5], "5");
  EXPECT_EQ(stamps(made), before) << "looking is no change";
  made[5] = "other";
  auto after = stamps(made);
  EXPECT_NE(after[1], before[1]);
  after[1] = before[1];
  EXPECT_EQ(after, before);
  made.emplace_back();
  EXPECT_NE(stamps(made)[2], before[2]);
}

TEST(StampedVector, NoStampIsGivenTwice) {
  Texts made = texts(4);
  std::set<std::uint64_t> seen = {made.stamp(0)};
  const auto is_new = [&](const Texts& of) { return seen.insert(of.stamp(0)).second; };
  Texts copy = made;
  EXPECT_TRUE(is_new(copy));
  copy = made;
  EXPECT_TRUE(is_new(copy));
  EXPECT_TRUE(is_new(texts(4)));
  const std::uint64_t moved = made.stamp(0);
  Texts taken = std::move(made);
  EXPECT_EQ(taken.stamp(0), moved) << "it is the same state";
  EXPECT_EQ(made.size(), 0U);  // NOLINT(bugprone-use-after-move): says what is left
  for (int i = 0; i < 4; ++i) { made.emplace_back(); }
  EXPECT_TRUE(is_new(made));
  taken[0] = "x";
  EXPECT_TRUE(is_new(taken));
  taken.clear();
  taken.emplace_back();
  EXPECT_TRUE(is_new(taken));
}

}  // namespace
}  // namespace keyvigil
