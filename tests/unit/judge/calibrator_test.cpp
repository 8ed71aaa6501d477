#include "judge/calibrator.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

::testing::AssertionResult is_near(double found, double expected, double relative = 1e-9) {
  if (std::abs(found - expected) <= relative * std::abs(expected)) { return ::testing::AssertionSuccess(); }
  return ::testing::AssertionFailure() << "found " << found << ", expected " << expected;
}

// The p at which tests alert in these tests.
constexpr double kThreshold = 1e-3;

std::string saved(const Calibrator& calibrator) {
  SnapshotWriter writer;
  writer.write(calibrator);
  writer.write(calibrator.alerted());
  return writer.bytes();
}

// All tests enter in the first hour, before which there is nothing to decay.
Calibrator calibrator_of(std::initializer_list<std::pair<double, int>> tests) {
  Calibrator calibrator;
  for (const auto& [s, count] : tests) {
    for (int i = 0; i < count; ++i) { calibrator.add(std::pow(10, -s), false); }
  }
  calibrator.close_hour(1, kThreshold);
  return calibrator;
}

TEST(Calibrator, GivesTheKnownTail) {
  const Calibrator calibrator =
      calibrator_of({{0.0, 700}, {0.5, 200}, {1.0, 60}, {1.5, 25}, {2.0, 9}, {2.5, 4}, {3.0, 1}, {4.0, 1}});
  EXPECT_EQ(calibrator.tests(), 1000);
  EXPECT_TRUE(is_near(calibrator.calibrated(std::pow(10, -0.3)), 0.33353120560454536));
  EXPECT_TRUE(is_near(calibrator.calibrated(std::pow(10, -1.2)), 0.04384928907466989));
  EXPECT_TRUE(is_near(calibrator.calibrated(std::pow(10, -2.5)), 0.002905162180948453));
  EXPECT_TRUE(is_near(calibrator.calibrated(std::pow(10, -4)), 0.00015770540502405806));
  EXPECT_TRUE(is_near(calibrator.calibrated(std::pow(10, -6)), 3.241516025645209e-06));
}

TEST(Calibrator, WithoutTestsTakesThePValueAsItIs) {
  const Calibrator calibrator;
  for (const double p : {1.0, 0.5, 0.1, 0.02, 1e-4, 1e-9}) { EXPECT_TRUE(is_near(calibrator.calibrated(p), p)) << p; }
}

// A thousand quiet tests a day for so many days, and so many that alert with this p.
Calibrator after_days(int days, int alerts_per_day, double p) {
  Calibrator calibrator;
  for (int day = 0; day < days; ++day) {
    calibrator.add(1, false, 1000);
    for (int i = 0; i < alerts_per_day; ++i) { calibrator.add(p, true); }
    calibrator.close_hour(1 + 24 * day, kThreshold);
  }
  return calibrator;
}

TEST(Calibrator, WhatAlertedDoesNotRaiseItsOwnBar) {
  Calibrator attacked;
  attacked.add(1, false, 1000);
  attacked.add(1e-200, true, 5);
  attacked.close_hour(1, kThreshold);
  EXPECT_LT(attacked.calibrated(1e-30), 1e-12);
}

// By hand: of 1011 tests 1.011 are expected to alert. So many of eleven attacks count as harmless, for ten may be
// attacks.
TEST(Calibrator, OfAFewAttacksAsManyCountAsTheBudgetExpects) {
  Calibrator attacked;
  attacked.add(1, false, 1000);
  attacked.add(1e-3, true, 11);
  attacked.close_hour(1, kThreshold);
  EXPECT_TRUE(is_near(attacked.tests(), 1000 + 1.011));
  EXPECT_LT(attacked.calibrated(1e-4), kThreshold) << "what is rarer than the attacks still alerts";
}

// Ten false alerts a day where one is expected.
TEST(Calibrator, AlertsFarBeyondTheBudgetAreNoAttacks) {
  const Calibrator errs = after_days(20, 10, 1e-3);
  const Calibrator keeps = after_days(20, 1, 1e-3);
  EXPECT_GT(errs.calibrated(1e-3), 3 * kThreshold);
  EXPECT_GT(errs.calibrated(1e-4), keeps.calibrated(1e-4));
  EXPECT_LT(keeps.calibrated(1e-4), kThreshold);
}

// The twin walks every bin at every hour, as if none were known to be empty.
RC_GTEST_PROP(Calibrator, EqualsOneThatWasSavedAndLoadedEveryHour, ()) {
  Calibrator calibrator;
  std::string twin_bytes = saved(Calibrator());
  const auto tests = *rc::gen::container<std::vector<std::pair<int, std::uint32_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 45), rc::gen::inRange(1U, 300U)));
  std::int64_t hour = 1;
  for (const auto& [s, count] : tests) {
    const double p = std::pow(10, -s);
    Calibrator twin;
    SnapshotReader reader(twin_bytes);
    RC_ASSERT(reader.read(twin) && reader.read(twin.alerted()));
    twin.settle();
    const bool alerted = count % 5 == 0;
    calibrator.add(p, alerted, count);
    for (std::uint32_t i = 0; i < count; ++i) { twin.add(p, alerted); }
    hour += s % 3;
    calibrator.close_hour(hour, kThreshold);
    twin.close_hour(hour, kThreshold);
    RC_ASSERT(calibrator.calibrated(p) == twin.calibrated(p));
    RC_ASSERT(calibrator.calibrated(1e-5) == twin.calibrated(1e-5));
    twin_bytes = saved(twin);
    RC_ASSERT(saved(calibrator) == twin_bytes);
  }
}

TEST(Calibrator, WhatIsAddedCountsOnlyAfterTheHour) {
  Calibrator calibrator;
  calibrator.add(1e-6, false);
  EXPECT_TRUE(is_near(calibrator.calibrated(1e-6), 1e-6));
  calibrator.close_hour(1, kThreshold);
  EXPECT_GT(calibrator.calibrated(1e-6), 1.1e-6);
}

TEST(Calibrator, ForgetsInSixtyDaysAndIsDefinedOverAnyGap) {
  Calibrator calibrator = calibrator_of({{0.0, 1000}});
  calibrator.close_hour(1 + 60 * 24, kThreshold);
  EXPECT_TRUE(is_near(calibrator.tests(), 500));
  calibrator.close_hour(10 * 365 * 24, kThreshold);
  EXPECT_TRUE(is_near(calibrator.calibrated(1e-5), 1e-5, 1e-6));
  calibrator.close_hour(0, kThreshold);
  EXPECT_GE(calibrator.tests(), 0);
}

RC_GTEST_PROP(Calibrator, FallsWithThePValueDoesNotCareForOrderAndSurvivesSaving, ()) {
  auto scores = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5000));
  Calibrator forwards;
  Calibrator backwards;
  for (const int score : scores) { forwards.add(std::pow(10, -score / 100.0), score % 7 == 0); }
  std::ranges::reverse(scores);
  for (const int score : scores) { backwards.add(std::pow(10, -score / 100.0), score % 7 == 0); }
  forwards.close_hour(5, kThreshold);
  backwards.close_hour(5, kThreshold);
  RC_ASSERT(saved(forwards) == saved(backwards));
  double before = 1;
  for (double s = 0; s < 60; s += 0.05) {
    const double p = forwards.calibrated(std::pow(10, -s));
    RC_ASSERT(p > 0 && p <= before * (1 + 1e-9));
    before = p;
  }
  const std::string bytes = saved(forwards);
  Calibrator loaded;
  SnapshotReader reader(bytes);
  RC_ASSERT(reader.read(loaded) && reader.read(loaded.alerted()) && reader.at_end());
  loaded.settle();
  RC_ASSERT(saved(loaded) == bytes);
  RC_ASSERT(loaded.calibrated(1e-5) == forwards.calibrated(1e-5));
}

}  // namespace
}  // namespace keyvigil
