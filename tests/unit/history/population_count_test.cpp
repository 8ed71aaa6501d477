#include "history/population_count.h"

#include <gtest/gtest.h>

#include <vector>

namespace keyvigil {
namespace {

TEST(PopulationCount, IsItsPriorUntilAnHourIsClosed) {
  PopulationCount population(CountParent{.mean = 4, .dispersion = 2, .windows = 3});
  for (int i = 0; i < 1000; ++i) { population.learn(1); }
  EXPECT_EQ(population.parent().mean, 4);
  EXPECT_EQ(population.parent().dispersion, 2);
  population.close_hour();
  EXPECT_LT(population.parent().mean, 0.2);
}

TEST(PopulationCount, LearnsMeanAndDispersion) {
  PopulationCount population;
  for (int hour = 0; hour < 200; ++hour) {
    for (int member = 0; member < 10; ++member) { population.learn(member < 5 ? 1 : 21); }  // count - 1: 0 or 20
    population.close_hour();
  }
  EXPECT_NEAR(population.parent().mean, 10, 0.3);
  EXPECT_NEAR(population.parent().dispersion, 0.9, 0.1);  // (100 - 10) / 100
}

// Ten members, each steady about a mean of its own: together they are dispersed, each by itself is not.
TEST(PopulationCount, TellsHowMembersVaryFromHowTheyDiffer) {
  PopulationCount population;
  std::vector<CountTail> members(10);
  for (int hour = 0; hour < 300; ++hour) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      const double count = 1 + 20.0 * static_cast<double>(i) + static_cast<double>(hour % 3);
      population.learn(count, members[i]);
      members[i].learn(count, population.parent(), 1);
    }
    population.close_hour();
  }
  EXPECT_GT(population.parent().dispersion, 0.3);
  EXPECT_EQ(population.parent().own_dispersion, CountTail::kLeastDispersion);
  EXPECT_LT(members[5].dispersion(population.parent(), 1), 0.2);
  EXPECT_GT(CountTail{}.dispersion(population.parent(), 1), 0.3) << "a new member may be any of them";
}

TEST(PopulationCount, OneWildMemberMovesItByABoundedStep) {
  PopulationCount population;
  for (int i = 0; i < 100; ++i) { population.learn(2); }
  population.close_hour();
  const double before = population.parent().mean;
  population.learn(1e9);
  population.close_hour();
  EXPECT_LT(population.parent().mean, before + 0.3);
}

TEST(PopulationCount, ARarePriorLastsLonger) {
  const CountParent prior{.mean = 0.02, .dispersion = 1, .windows = 20};
  PopulationCount common(prior);
  PopulationCount rare(prior, PopulationCount::kRarePriorWindows);
  for (int i = 0; i < 500; ++i) {
    common.learn(1);
    rare.learn(1);
  }
  common.close_hour();
  rare.close_hour();
  EXPECT_LT(common.parent().mean, 0.002);
  EXPECT_GT(rare.parent().mean, 0.015);
  EXPECT_EQ(rare.parent().windows, 20);
}

TEST(PopulationCount, AnHourWithoutAnythingChangesNothing) {
  PopulationCount population;
  population.learn(5);
  population.close_hour();
  const double mean = population.parent().mean;
  population.close_hour();
  EXPECT_EQ(population.parent().mean, mean);
}

}  // namespace
}  // namespace keyvigil
