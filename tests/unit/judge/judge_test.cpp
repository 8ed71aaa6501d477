#include "judge/judge.h"

#include <gtest/gtest.h>

#include <string>

namespace keyvigil {
namespace {

constexpr Subject kAlice = {.hash = 1, .subject_class = SubjectClass::kUser};
constexpr std::string_view kVault = "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-a";
constexpr std::int64_t kStart = 500'000;  // hours

EventTime hour(std::int64_t number) {
  return EventTime{(kStart + number) * EventTime::kTicksPerHour};
}

Suspicion suspicion(double p) {
  Reason reason;
  reason.code = ReasonCode::kFirstTouchOfVault;
  return {SubjectKind::kCaller, p, {reason}};
}

// Twenty people who do nothing odd for so many days.
Judge after_days(int days) {
  Judge judge;
  judge.close_hour(kStart, 100);
  for (int day = 1; day <= days; ++day) {
    for (std::uint64_t caller = 1; caller <= 20; ++caller) { judge.see({caller, SubjectClass::kUser}); }
    judge.close_hour(kStart + 24 * day, 100);
  }
  judge.see(kAlice);
  return judge;
}

TEST(Judge, PassesWhatIsRarerThanTheBudgetAllows) {
  Judge judge = after_days(20);
  const EventTime now = hour(20 * 24 + 1);
  const Verdict rare = judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-8), kVault, now, true);
  EXPECT_TRUE(rare.passed);
  EXPECT_LE(rare.calibrated_p, rare.threshold);
  EXPECT_NEAR(rare.tests_per_day, 20, 1);
  EXPECT_GT(rare.alerts_per_day, 0.4);
  const Verdict common = judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(0.02), kVault, now, true);
  EXPECT_FALSE(common.passed);
}

TEST(Judge, ExperienceOnlyTakesSignificanceAway) {
  Judge judge = after_days(200);
  for (const double p : {0.5, 1e-2, 1e-3, 1e-4, 1e-6, 1e-12}) {
    EXPECT_GE(judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(p), kVault, hour(4801), true).calibrated_p, p);
  }
}

TEST(Judge, LearnsThatAModelIsTooSure) {
  Judge judge;
  judge.close_hour(kStart, 100);
  for (int day = 1; day <= 60; ++day) {
    for (std::uint64_t caller = 1; caller <= 20; ++caller) {
      const Subject subject{caller, SubjectClass::kUser};
      judge.see(subject);
      (void)judge.judge(AlertType::kUserAnomaly, subject, suspicion(1e-5), kVault, hour(24 * (day - 1) + 1), false);
    }
    judge.close_hour(kStart + 24 * day, 100);
  }
  judge.see(kAlice);
  EXPECT_GT(judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-5), kVault, hour(60 * 24 + 1), true).calibrated_p,
            0.1);
}

// The first days of an estate say what its models assumed, not how often its tests are wrong.
TEST(Judge, DoesNotCalibrateByTheFirstWeek) {
  Judge judge;
  judge.close_hour(kStart, 100);
  const auto odd_days = [&judge](int from, int to) {
    for (int day = from; day <= to; ++day) {
      for (std::uint64_t caller = 1; caller <= 20; ++caller) {
        const Subject subject{caller, SubjectClass::kUser};
        judge.see(subject);
        (void)judge.judge(AlertType::kUserAnomaly, subject, suspicion(1e-20), kVault, hour(24 * (day - 1) + 1), false);
      }
      judge.close_hour(kStart + 24 * day, 100);
    }
    judge.see(kAlice);
    return judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-20), kVault, hour(24 * to + 1), false)
        .calibrated_p;
  };
  EXPECT_LT(odd_days(1, 6), 1e-19);
  EXPECT_NEAR(judge.budget().tests_per_day(AlertType::kUserAnomaly), 20, 1);
  EXPECT_GT(odd_days(7, 30), 0.01);
}

TEST(Judge, WhatDoesNotMatterNeitherPassesNorIsEvidence) {
  Judge judge = after_days(20);
  const EventTime now = hour(20 * 24 + 1);
  const double limit = judge.matters_up_to(AlertType::kUserAnomaly);
  EXPECT_GE(limit, judge.budget().threshold(AlertType::kUserAnomaly));
  EXPECT_LT(limit, 1);
  EXPECT_FALSE(judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(limit * 1.01), kVault, now, true).passed);
  EXPECT_EQ(judge.unusual_access(kAlice, now).p, 1);
}

TEST(Judge, RaisesNothingWhileItMayNot) {
  Judge judge = after_days(3);
  EXPECT_FALSE(judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-30), kVault, hour(73), false).passed);
  EXPECT_FALSE(judge.fuse(kAlice, hour(73), false).has_value());
}

TEST(Judge, FusesWeakEvidenceOfTwoKindsAndNamesTheStrongest) {
  Judge judge = after_days(20);
  const EventTime now = hour(481);
  const auto weak = [&](AlertType type, double p) {
    EXPECT_FALSE(judge.judge(type, kAlice, suspicion(p), kVault, now, true).passed) << static_cast<int>(type);
  };
  weak(AlertType::kUserAnomaly, 4e-3);
  EXPECT_FALSE(judge.fuse(kAlice, now, true).has_value()) << "one kind is not several";
  weak(AlertType::kListGetAnomaly, 4e-3);
  weak(AlertType::kOperationVolumeAnomaly, 5e-3);
  weak(AlertType::kOperationPatternAnomaly, 3e-3);
  const auto fusion = judge.fuse(kAlice, now, true);
  ASSERT_TRUE(fusion.has_value());
  EXPECT_EQ(fusion->type, AlertType::kOperationPatternAnomaly);
  EXPECT_EQ(fusion->reasons.back().code, ReasonCode::kFusedEvidence);
  EXPECT_EQ(fusion->reasons.back().of(Quantity::kPieces), 4);
  EXPECT_FALSE(judge.fuse(kAlice, now, true).has_value()) << "nothing new";
}

TEST(Judge, DoesNotFuseWhatPassedAlone) {
  Judge judge = after_days(20);
  (void)judge.judge(AlertType::kListGetAnomaly, kAlice, suspicion(1e-3), kVault, hour(481), true);
  EXPECT_TRUE(judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-20), kVault, hour(481), true).passed);
  EXPECT_FALSE(judge.fuse(kAlice, hour(481), true).has_value());
}

TEST(Judge, UnusualAccessIsForgottenAfterADayAndIsNotTheAddress) {
  Judge judge = after_days(20);
  EXPECT_EQ(judge.unusual_access(kAlice, hour(481)).p, 1);
  (void)judge.judge(AlertType::kUnusualAccessSuspiciousIP, kAlice, suspicion(1e-9), kVault, hour(481), true);
  EXPECT_EQ(judge.unusual_access(kAlice, hour(481)).p, 1);
  (void)judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-4), kVault, hour(481), true);
  const double unusual = judge.unusual_access(kAlice, hour(482)).p;
  EXPECT_GE(unusual, 1e-4 * 6);
  EXPECT_LT(unusual, 0.05);
  EXPECT_LT(judge.unusual_access(kAlice, hour(504)).p, 1);
  EXPECT_EQ(judge.unusual_access(kAlice, hour(505)).p, 1);
}

TEST(Judge, SavingKeepsEverythingThatDecides) {
  Judge judge = after_days(20);
  (void)judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-3), kVault, hour(481), true);
  (void)judge.fuse(kAlice, hour(481), true);
  Judge loaded;
  ASSERT_TRUE(loaded.load(judge.save()).has_value());
  EXPECT_EQ(loaded.save(), judge.save());
  EXPECT_EQ(loaded.unusual_access(kAlice, hour(482)).p, judge.unusual_access(kAlice, hour(482)).p);
  EXPECT_EQ(loaded.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-5), kVault, hour(482), true),
            judge.judge(AlertType::kUserAnomaly, kAlice, suspicion(1e-5), kVault, hour(482), true));
}

TEST(Judge, RefusesACutState) {
  const std::string bytes = after_days(5).save();
  Judge judge;
  const auto loaded = judge.load(std::string_view(bytes).substr(0, bytes.size() / 2));
  ASSERT_FALSE(loaded.has_value());
  EXPECT_NE(loaded.error().message.find("judge"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
