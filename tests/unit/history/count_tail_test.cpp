#include "history/count_tail.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "history/decayed_sum.h"

namespace keyvigil {
namespace {

::testing::AssertionResult is_near(double found, double expected) {
  if (std::abs(found - expected) <= 1e-9 * std::abs(expected)) { return ::testing::AssertionSuccess(); }
  return ::testing::AssertionFailure() << "found " << found << ", expected " << expected;
}

EventTime days(double count) {
  return EventTime{static_cast<std::int64_t>(count * static_cast<double>(EventTime::kTicksPerDay))};
}

TEST(DecayedSum, HalvesPartsWithTheirAge) {
  DecayedSum sum(14 * EventTime::kTicksPerDay);
  sum.add(days(0), 5);
  sum.add(days(1), 3);
  sum.add(days(7), 10);
  EXPECT_TRUE(is_near(sum.at(days(14)), 11.147202769845306));
}

TEST(DecayedSum, DoesNotCareInWhichOrderPartsCome) {
  DecayedSum forwards(EventTime::kTicksPerDay);
  DecayedSum backwards(EventTime::kTicksPerDay);
  for (int day = 0; day <= 40; ++day) { forwards.add(days(day), day + 1); }
  for (int day = 40; day >= 0; --day) { backwards.add(days(day), day + 1); }
  EXPECT_TRUE(is_near(forwards.at(days(41)), backwards.at(days(41))));
}

TEST(DecayedSum, StaysFiniteOverYears) {
  DecayedSum sum(EventTime::kTicksPerDay);
  for (int year = 0; year < 100; ++year) { sum.add(days(365.0 * year), 1); }
  EXPECT_TRUE(is_near(sum.at(days(365.0 * 99)), 1));
  EXPECT_EQ(DecayedSum().at(days(1)), 0);
}

struct Step {
  double count, mean, dispersion, p;
};

// Twelve an hour, then 240: one caller beside peers of mean 9.2 and dispersion 1.1.
TEST(CountTail, FollowsAKnownTrace) {
  constexpr Step kSteps[] = {{12, 9.2, 1.0999999999999999, 0.3175237021748462},
                             {9, 9.649999999999999, 1.0024831055307546, 0.4541137377294748},
                             {15, 9.312290532497686, 0.9023391268422241, 0.23931319868777712},
                             {11, 10.101234239357183, 0.8777877376101868, 0.3986483441420601},
                             {10, 10.077492640787547, 0.8080603250019435, 0.4465437734549279},
                             {14, 9.93120820474829, 0.7433972962209576, 0.29183843837793505},
                             {13, 10.279478765984123, 0.7178507037495194, 0.34052163463287155},
                             {8, 10.45210611216545, 0.6828566591805257, 0.5812470308178646},
                             {12, 10.111559031357922, 0.63023687409362, 0.37743804734993286},
                             {11, 10.185175132723552, 0.6000554684992887, 0.42815147011804444},
                             {240, 10.164175150460938, 0.5675533722770166, 4.2728914124617545e-16}};
  const CountParent parent{9.2, 1.1};
  CountTail tail;
  for (const Step& step : kSteps) {
    EXPECT_TRUE(is_near(tail.mean(parent, 1), step.mean));
    EXPECT_TRUE(is_near(tail.dispersion(parent, 1), step.dispersion));
    EXPECT_TRUE(is_near(tail.tail(step.count, parent, 1), step.p));
    tail.learn(step.count, parent, 1);
  }
}

TEST(CountTail, OneAttackDoesNotBecomeNormal) {
  const CountParent parent{9.2, 1.1};
  CountTail tail;
  for (int hour = 0; hour < 200; ++hour) { tail.learn(10 + hour % 5, parent, 1); }
  const double before = tail.tail(100'000, parent, 1);
  tail.learn(100'000, parent, 1);
  EXPECT_LT(before, 1e-12);
  EXPECT_LT(tail.tail(100'000, parent, 1), 1e-9);
  EXPECT_LT(tail.largest, 200);
}

// A weekly backup: the first round is news, the second as well, the third is not.
TEST(CountTail, WhatCameTwiceIsTheRecord) {
  const CountParent parent{2, 0.5};
  CountTail tail;
  const auto week = [&](double last) {
    for (int window = 0; window < 20; ++window) { tail.learn(3, parent, 1); }
    const bool news = !tail.is_within_record(last) && tail.tail(last, parent, 1) < 1e-4;
    tail.learn(last, parent, 1);
    return news;
  };
  EXPECT_TRUE(week(200));
  EXPECT_TRUE(week(210));
  EXPECT_FALSE(week(205));
  EXPECT_TRUE(week(2000)) << "and what is larger still is news again";
  EXPECT_FALSE(week(210));
  EXPECT_LT(tail.mean(parent, 1), 20) << "the mean is not moved by them";
}

TEST(CountTail, UpToAQuarterAboveTheLargestIsNoNews) {
  CountTail tail;
  tail.learn(40, CountParent{40, 1}, 1);
  EXPECT_TRUE(tail.is_within_record(50));
  EXPECT_FALSE(tail.is_within_record(51));
  EXPECT_FALSE(CountTail{}.is_within_record(1));
}

RC_GTEST_PROP(CountTail, GivesProbabilitiesWhateverItLearned, ()) {
  const auto counts = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(1, 10'000'000));
  const CountParent parent{*rc::gen::inRange(0, 1000) / 10.0, *rc::gen::inRange(1, 100) / 10.0};
  CountTail tail;
  for (const std::uint32_t count : counts) {
    const double p = tail.tail(count, parent, 1);
    RC_ASSERT(p >= 0 && p <= 1);
    tail.learn(count, parent, 1);
    RC_ASSERT(std::isfinite(tail.mean(parent, 1)) && tail.dispersion(parent, 1) >= CountTail::kLeastDispersion);
  }
}

}  // namespace
}  // namespace keyvigil
