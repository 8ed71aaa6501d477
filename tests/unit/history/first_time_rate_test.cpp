#include "history/first_time_rate.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

TEST(FirstTimeRate, BeginsWithHalfAFirstInAThousandDays) {
  EXPECT_DOUBLE_EQ(FirstTimeRate().per_day(), 0.5 / 1000);
}

TEST(FirstTimeRate, CountsWhatWasLearnedAfterTheHourIsClosed) {
  FirstTimeRate rate;
  for (int day = 0; day < 100; ++day) { rate.learn(day < 3); }
  EXPECT_DOUBLE_EQ(rate.per_day(), 0.5 / 1000);
  rate.close_hour();
  EXPECT_DOUBLE_EQ(rate.per_day(), 3.5 / 1100);
}

TEST(FirstTimeRate, FollowsTheEstateAndForgets) {
  FirstTimeRate rate;
  for (int hour = 0; hour < 2000; ++hour) {
    for (int day = 0; day < 100; ++day) { rate.learn(day == 0); }
    rate.close_hour();
  }
  EXPECT_NEAR(rate.per_day(), 0.01, 0.001);
  for (int hour = 0; hour < 2000; ++hour) {
    for (int day = 0; day < 100; ++day) { rate.learn(false); }
    rate.close_hour();
  }
  EXPECT_LT(rate.per_day(), 0.0001);
}

}  // namespace
}  // namespace keyvigil
