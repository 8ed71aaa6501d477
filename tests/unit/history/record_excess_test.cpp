#include "history/record_excess.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

// So many windows, of which so many are four times the record.
RecordExcess learned(int windows, int fourfold) {
  RecordExcess excess;
  for (int i = 0; i < windows; ++i) { excess.learn(i < fourfold ? 4 : 0.5); }
  excess.close_hour();
  return excess;
}

// By hand: 300 windows are assumed, 0.4 % of them at the record, and a ninth of these three times above.
TEST(RecordExcess, BeforeAnyWasSeenItIsAssumed) {
  const RecordExcess excess;
  EXPECT_EQ(excess.share_of(0.9), 1);
  EXPECT_NEAR(excess.share_of(1), 0.004, 1e-12);
  EXPECT_NEAR(excess.share_of(3), 0.004 / 9, 1e-12);
}

TEST(RecordExcess, SharesAreOfAllWindowsOnceTheHourIsOver) {
  RecordExcess excess;
  excess.learn(4);
  EXPECT_NEAR(excess.share_of(4), 0.004 / 16, 1e-12);
  excess.close_hour();
  EXPECT_NEAR(excess.share_of(4), (300 * 0.004 / 16 + 1) / 301, 1e-9);
  EXPECT_NEAR(excess.share_of(4.8), 300 * 0.004 / (4.8 * 4.8) / 301, 1e-9) << "a quarter octave above";
  EXPECT_NEAR(learned(9'700, 0).share_of(1), 300 * 0.004 / 10'000, 1e-9) << "an estate that never jumps";
  EXPECT_GT(learned(9'700, 97).share_of(3), 0.0097) << "one that does once in a hundred hours";
}

TEST(RecordExcess, FarAboveIsInTheLastStep) {
  RecordExcess excess;
  excess.learn(1e9);
  excess.close_hour();
  EXPECT_GT(excess.share_of(1e12), 1.0 / 302);
}

TEST(RecordExcess, ALoneMemberIsNoStorm) {
  RecordExcess excess = learned(100'000, 0);
  const double lone = excess.share_of(5);
  EXPECT_EQ(excess.share_now(1, 5, 60), lone);
  EXPECT_EQ(excess.share_now(1, 5, 60), lone) << "the same again";
  EXPECT_EQ(excess.share_now(2, 5, 60), lone) << "two may be chance";
}

TEST(RecordExcess, WhereManyJumpInOneHourItIsTheHour) {
  RecordExcess excess = learned(100'000, 0);
  (void)excess.share_now(1, 5, 60);
  (void)excess.share_now(2, 5, 60);
  EXPECT_NEAR(excess.share_now(3, 5, 60), 2.0 / 60, 1e-12);
  EXPECT_NEAR(excess.share_now(4, 6, 60), 3.0 / 60, 1e-12) << "nearly as far is as far";
  EXPECT_LT(excess.share_now(5, 200, 60), 1e-6) << "and whoever is much further is odd";
  excess.close_hour();
  EXPECT_LT(excess.share_now(6, 5, 60), 1e-5) << "the next hour";
}

// In an estate whose members jump now and then, three at once are chance.
TEST(RecordExcess, WhatIsExpectedOfSoManyIsNoStorm) {
  RecordExcess excess = learned(100'000, 100);
  const double share = excess.share_of(4);
  for (std::uint64_t member = 1; member < 4; ++member) { EXPECT_EQ(excess.share_now(member, 4, 1'000), share); }
}

RC_GTEST_PROP(RecordExcess, FallsWithTheRatioAndSurvivesSaving, ()) {
  RecordExcess excess;
  const auto ratios = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 100'000));
  for (const int ratio : ratios) { excess.learn(ratio / 100.0); }
  excess.close_hour();
  (void)excess.share_now(7, 50, 10);
  double before = 1;
  for (double ratio = 0.5; ratio < 2'000; ratio *= 1.1) {
    const double share = excess.share_of(ratio);
    RC_ASSERT(share > 0 && share <= before);
    before = share;
  }
  SnapshotWriter writer;
  writer.write(excess);
  RecordExcess loaded;
  SnapshotReader reader(writer.bytes());
  RC_ASSERT(reader.read(loaded) && reader.at_end());
  RC_ASSERT(loaded.share_of(3) == excess.share_of(3));
  RC_ASSERT(loaded.share_now(8, 60, 10) == excess.share_now(8, 60, 10));
}

}  // namespace
}  // namespace keyvigil
