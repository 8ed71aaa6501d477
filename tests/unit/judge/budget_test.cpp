#include "judge/budget.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

// Every hour of so many days sees the same number of tests.
AlertBudget budget_after(double days, std::uint64_t tests_per_hour, AlertType type, std::uint64_t vaults,
                         double alerts_per_thousand_vault_days = 5) {
  AlertBudget budget(alerts_per_thousand_vault_days);
  const auto hours = static_cast<std::int64_t>(days * 24);
  budget.close_hour(0, vaults);
  for (std::int64_t hour = 1; hour <= hours; ++hour) {
    for (std::uint64_t i = 0; i < tests_per_hour; ++i) { budget.add_test(type); }
    budget.close_hour(hour, vaults);
  }
  return budget;
}

TEST(AlertBudget, SpendsItsShareOverTheTestsOfADay) {
  const AlertBudget budget = budget_after(60, 10, AlertType::kOperationVolumeAnomaly, 1000);
  EXPECT_NEAR(budget.alerts_per_day(), 5, 1e-12);
  EXPECT_NEAR(budget.tests_per_day(AlertType::kOperationVolumeAnomaly), 240, 3);
  EXPECT_NEAR(budget.threshold(AlertType::kOperationVolumeAnomaly), 0.15 * 5 / 240, 5e-5);
}

TEST(AlertBudget, GivesTheKnownThresholds) {
  // 0.1 and 0.5 alerts a day over 10,000 and 2,000 tests a day, all within one day.
  AlertBudget budget(0.1 / 0.15);
  budget.close_hour(0, 1000);
  for (int i = 0; i < 10'000; ++i) { budget.add_test(AlertType::kOperationVolumeAnomaly); }
  budget.close_hour(0, 1000);
  EXPECT_NEAR(budget.threshold(AlertType::kOperationVolumeAnomaly) / 1e-5, 1, 1e-9);
  AlertBudget larger(0.5 / 0.15);
  larger.close_hour(0, 1000);
  for (int i = 0; i < 2000; ++i) { larger.add_test(AlertType::kOperationVolumeAnomaly); }
  larger.close_hour(0, 1000);
  EXPECT_NEAR(larger.threshold(AlertType::kOperationVolumeAnomaly) / 2.5e-4, 1, 1e-9);
}

TEST(AlertBudget, ASmallEstateStillHasOneAlertAMonth) {
  AlertBudget budget;
  budget.close_hour(0, 1);
  EXPECT_NEAR(budget.alerts_per_day(), 1.0 / 30, 1e-12);
  EXPECT_NEAR(budget.threshold(AlertType::kOperationPatternAnomaly), 0.07 / 30 / 4, 1e-12);
}

TEST(AlertBudget, ThreatListsCostNothing) {
  const AlertBudget budget = budget_after(1, 1, AlertType::kTORAccess, 100'000);
  for (const AlertType type :
       {AlertType::kTORAccess, AlertType::kSuspiciousIPAccess, AlertType::kSuspiciousIPAccessDenied}) {
    EXPECT_EQ(budget.threshold(type), 0);
  }
}

TEST(AlertBudget, SharesAddUpToTheWholeBudget) {
  AlertBudget budget;
  budget.close_hour(0, 10);
  double sum = budget.fused_threshold();
  for (std::size_t i = 0; i < kAlertTypeCount; ++i) { sum += budget.threshold(static_cast<AlertType>(i)); }
  EXPECT_NEAR(sum * AlertBudget::kLeastTestsPerDay, budget.alerts_per_day(), 1e-12);
}

TEST(AlertBudget, ThresholdsStandStillWithinTheHour) {
  AlertBudget budget = budget_after(3, 5, AlertType::kListGetAnomaly, 200);
  const double before = budget.threshold(AlertType::kListGetAnomaly);
  for (int i = 0; i < 1000; ++i) { budget.add_test(AlertType::kListGetAnomaly); }
  EXPECT_EQ(budget.threshold(AlertType::kListGetAnomaly), before);
  budget.close_hour(73, 200);
  EXPECT_LT(budget.threshold(AlertType::kListGetAnomaly), before);
}

TEST(AlertBudget, HoursThatJumpGiveDefinedThresholds) {
  AlertBudget budget;
  for (const std::int64_t hour : {std::int64_t{500'000}, std::int64_t{-500'000}, std::int64_t{1'000'000}}) {
    budget.add_test(AlertType::kUserAnomaly);
    budget.add_fused_test();
    budget.close_hour(hour, 3);
    EXPECT_GT(budget.threshold(AlertType::kUserAnomaly), 0);
    EXPECT_LE(budget.fused_threshold(), 1);
  }
}

// The promise of the budget: with right p-values, so many false alerts a day are expected as were asked for.
RC_GTEST_PROP(AlertBudget, ExpectedFalseAlertsAreTheShareAskedFor, ()) {
  const auto tests_per_hour = *rc::gen::inRange<std::uint64_t>(1, 200);
  const auto vaults = *rc::gen::inRange<std::uint64_t>(0, 50'000);
  const AlertBudget budget = budget_after(90, tests_per_hour, AlertType::kOperationVolumeAnomaly, vaults);
  const double expected =
      budget.threshold(AlertType::kOperationVolumeAnomaly) * 24.0 * static_cast<double>(tests_per_hour);
  const double asked = std::min(0.15 * budget.alerts_per_day(), 24.0 * static_cast<double>(tests_per_hour));
  RC_ASSERT(std::abs(expected / asked - 1) < 0.02);
}

RC_GTEST_PROP(AlertBudget, SaveLoadSaveGivesTheSameBytes, ()) {
  AlertBudget budget = budget_after(2, *rc::gen::inRange<std::uint64_t>(0, 9), AlertType::kAppAnomaly, 50);
  budget.add_fused_test();
  SnapshotWriter writer;
  writer.write(budget);
  AlertBudget loaded;
  SnapshotReader reader(writer.bytes());
  RC_ASSERT(reader.read(loaded) && reader.at_end());
  SnapshotWriter again;
  again.write(loaded);
  RC_ASSERT(again.bytes() == writer.bytes());
  RC_ASSERT(loaded.threshold(AlertType::kAppAnomaly) == budget.threshold(AlertType::kAppAnomaly));
}

}  // namespace
}  // namespace keyvigil
