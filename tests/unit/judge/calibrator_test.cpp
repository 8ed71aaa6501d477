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

std::string saved(const Calibrator& calibrator) {
  SnapshotWriter writer;
  writer.write(calibrator);
  return writer.bytes();
}

// All tests enter in the first hour, before which there is nothing to decay.
Calibrator calibrator_of(std::initializer_list<std::pair<double, int>> tests) {
  Calibrator calibrator;
  for (const auto& [s, count] : tests) {
    for (int i = 0; i < count; ++i) { calibrator.add(std::pow(10, -s), false); }
  }
  calibrator.close_hour(1);
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

TEST(Calibrator, WhatAlertedDoesNotRaiseItsOwnBar) {
  Calibrator calm;
  Calibrator attacked;
  for (int i = 0; i < 1000; ++i) {
    calm.add(1, false);
    attacked.add(1, false);
  }
  for (int i = 0; i < 5; ++i) { attacked.add(1e-200, true); }
  calm.close_hour(1);
  attacked.close_hour(1);
  EXPECT_LT(attacked.calibrated(1e-30), 1e-12);
  EXPECT_LT(calm.calibrated(1e-30), attacked.calibrated(1e-30));
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
    RC_ASSERT(reader.read(twin));
    twin.settle();
    calibrator.add(p, false, count);
    for (std::uint32_t i = 0; i < count; ++i) { twin.add(p, false); }
    hour += s % 3;
    calibrator.close_hour(hour);
    twin.close_hour(hour);
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
  calibrator.close_hour(1);
  EXPECT_GT(calibrator.calibrated(1e-6), 1.1e-6);
}

TEST(Calibrator, ForgetsInSixtyDaysAndIsDefinedOverAnyGap) {
  Calibrator calibrator = calibrator_of({{0.0, 1000}});
  calibrator.close_hour(1 + 60 * 24);
  EXPECT_TRUE(is_near(calibrator.tests(), 500));
  calibrator.close_hour(10 * 365 * 24);
  EXPECT_TRUE(is_near(calibrator.calibrated(1e-5), 1e-5, 1e-6));
  calibrator.close_hour(0);
  EXPECT_GE(calibrator.tests(), 0);
}

RC_GTEST_PROP(Calibrator, FallsWithThePValueDoesNotCareForOrderAndSurvivesSaving, ()) {
  auto scores = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5000));
  Calibrator forwards;
  Calibrator backwards;
  for (const int score : scores) { forwards.add(std::pow(10, -score / 100.0), score % 7 == 0); }
  std::ranges::reverse(scores);
  for (const int score : scores) { backwards.add(std::pow(10, -score / 100.0), score % 7 == 0); }
  forwards.close_hour(5);
  backwards.close_hour(5);
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
  RC_ASSERT(reader.read(loaded) && reader.at_end());
  loaded.settle();
  RC_ASSERT(saved(loaded) == bytes);
  RC_ASSERT(loaded.calibrated(1e-5) == forwards.calibrated(1e-5));
}

}  // namespace
}  // namespace keyvigil
