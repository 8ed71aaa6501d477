#include "base/nearest_name.h"

#include <gtest/gtest.h>

#include <array>

namespace keyvigil {
namespace {

TEST(NearestName, IsTheOneWithTheFewestLettersToChange) {
  constexpr std::array<std::string_view, 3> kKnown{"lists", "learning_days", "estates"};
  EXPECT_EQ(nearest_name("list", kKnown), "lists");
  EXPECT_EQ(nearest_name("learnin_days", kKnown), "learning_days");
  EXPECT_EQ(nearest_name("ESTATE", kKnown), "estates");
  EXPECT_EQ(nearest_name("", kKnown), "lists");
}

TEST(NearestName, OfEqualsIsTheFirst) {
  constexpr std::array<std::string_view, 2> kKnown{"aa", "bb"};
  EXPECT_EQ(nearest_name("ab", kKnown), "aa");
}

}  // namespace
}  // namespace keyvigil
