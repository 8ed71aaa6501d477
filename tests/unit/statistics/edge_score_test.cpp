#include "statistics/edge_score.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace keyvigil {
namespace {

::testing::AssertionResult is_near(double found, double expected) {
  if (std::abs(found - expected) <= 1e-9 * std::abs(expected)) { return ::testing::AssertionSuccess(); }
  return ::testing::AssertionFailure() << "found " << found << ", expected " << expected;
}

struct Levels {
  Popularity caller;
  Popularity group;
  double callers_of_vault;
  double of_estate;
  double of_group;
  double of_caller;
};

TEST(BackOff, GivesTheKnownChancesOnThreeLevels) {
  const Levels known[] = {
      {{0, 40, 4}, {6, 60, 12}, 9, 0.011240088961645625, 0.08651755351658619, 0.006330552696335574},
      {{0, 40, 4}, {0, 60, 12}, 2, 0.002501012806839133, 0.0004232483211573918, 3.0969389352979885e-05},
      {{0, 40, 4}, {0, 60, 12}, 0, 0.0006283536308091706, 0.00010633676829078273, 7.780739143228004e-06},
      {{25, 40, 4}, {6, 60, 12}, 9, 0.011240088961645625, 0.08651755351658619, 0.6038915283060916},
      {{0, 5000, 2}, {0, 0, 0}, 1, 0.0012525733561524915, 0.0012525733561524915, 5.009291566296707e-07},
  };
  for (const Levels& levels : known) {
    const double estate = vault_popularity(levels.callers_of_vault, 800, 150);
    const double group = back_off(levels.group, estate, 5, 0.5);
    EXPECT_TRUE(is_near(estate, levels.of_estate));
    EXPECT_TRUE(is_near(group, levels.of_group));
    EXPECT_TRUE(is_near(back_off(levels.caller, group, 1, 0.5), levels.of_caller));
  }
}

// How likely one more visit is to something new (Pitman-Yor): what is left to the level above.
TEST(BackOff, GivesTheKnownChancesOfSomethingNew) {
  struct Known {
    double concentration;
    double discount;
    double visits;
    double distinct;
    double chance;
  };
  const Known known[] = {{1, 0.5, 0, 0, 1},
                         {1, 0.5, 10, 1, 0.13636363636363635},
                         {1, 0.5, 10, 5, 0.3181818181818182},
                         {1, 0.5, 1000, 3, 0.0024975024975024975},
                         {1, 0.1, 1000, 3, 0.0012987012987012987},
                         {1, 0.56, 60, 12, 0.12655737704918033},
                         {5, 0.7, 200, 150, 0.5365853658536586},
                         {1, 0, 99, 0, 0.01}};
  for (const Known& one : known) {
    EXPECT_TRUE(is_near(back_off({0, one.visits, one.distinct}, 1, one.concentration, one.discount), one.chance));
  }
}

TEST(EdgeScore, NearVaultsScoreAboveFarOnesAndChanceIsZero) {
  EXPECT_TRUE(is_near(edge_score(0.25, 0.01, 40), std::log(40 * (0.85 * 0.25 + 0.15 * 0.01))));
  EXPECT_TRUE(is_near(edge_score(0.25, 0.3, 0.01, 40), std::log(40 * (0.5 * 0.25 + 0.4 * 0.3 + 0.1 * 0.01))));
  EXPECT_NEAR(edge_score(1.0 / 40, 1.0 / 40, 40), 0, 1e-12);
  EXPECT_LT(edge_score(0, 0.01, 40), edge_score(0.01, 0.01, 40));
}

TEST(EdgeScore, AnEmptyEstateHasADefinedScore) {
  EXPECT_EQ(vault_popularity(0, 0, 0), 1);
  EXPECT_TRUE(std::isfinite(edge_score(0, vault_popularity(0, 0, 0), 0)));
  EXPECT_TRUE(std::isfinite(edge_score(0, 0, 0)));
}

RC_GTEST_PROP(BackOff, ChancesOfAllVaultsAndTheUnseenOneSumToOne, ()) {
  const auto callers = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 50)));
  double edges = 0;
  for (const int count : callers) { edges += count; }
  const auto vaults = static_cast<double>(callers.size());
  double sum = vault_popularity(0, edges, vaults);
  for (const int count : callers) { sum += vault_popularity(count, edges, vaults); }
  RC_ASSERT(std::abs(sum - 1) < 1e-9);
}

}  // namespace
}  // namespace keyvigil
