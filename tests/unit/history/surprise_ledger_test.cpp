#include "history/surprise_ledger.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

EventTime hour(std::int64_t count) {
  return EventTime{count * EventTime::kTicksPerHour};
}

std::string saved(const SurpriseLedger& ledger) {
  SnapshotWriter writer;
  writer.write(ledger);
  return writer.bytes();
}

TEST(SurpriseLedger, ADayIsTheHourAndThe23BeforeIt) {
  SurpriseLedger ledger;
  ledger.add(1, hour(100), 0.1);
  ledger.add(2, hour(123), 0.2);
  EXPECT_EQ(ledger.day(hour(123)).vaults, 2);
  EXPECT_NEAR(ledger.day(hour(123)).log_surprise, -std::log(0.1) - std::log(0.2), 1e-12);
  EXPECT_EQ(ledger.day(hour(124)).vaults, 1);
  EXPECT_EQ(ledger.day(hour(147)).vaults, 0);
  EXPECT_EQ(ledger.day(hour(100)).vaults, 1) << "what comes after the hour asked for does not count";
}

TEST(SurpriseLedger, NamesTheMostSurprisingVaultsFirst) {
  SurpriseLedger ledger;
  ledger.add(7, hour(5), 0.4);
  ledger.add(9, hour(5), 0.01);
  ledger.add(8, hour(6), 0.2);
  const SurpriseLedger::Day day = ledger.day(hour(6));
  ASSERT_EQ(day.most_surprising.size(), 3);
  EXPECT_EQ(day.most_surprising[0].vault, 9);
  EXPECT_EQ(day.most_surprising[2].vault, 7);
}

TEST(SurpriseLedger, AVaultTouchedAgainCountsOnceWithTheSmallerSurprise) {
  SurpriseLedger ledger;
  ledger.add(1, hour(1), 0.3);
  ledger.add(1, hour(2), 0.5);
  EXPECT_EQ(ledger.day(hour(2)).vaults, 1);
  EXPECT_NEAR(ledger.day(hour(2)).log_surprise, -std::log(0.3), 1e-12);
}

TEST(SurpriseLedger, ASweepOfThousandsKeepsItsNumbersInBoundedRoom) {
  SurpriseLedger ledger;
  for (std::uint64_t vault = 0; vault < 5000; ++vault) {
    ledger.add(vault, hour(static_cast<std::int64_t>(vault / 300)), 0.5);
  }
  const SurpriseLedger::Day day = ledger.day(hour(16));
  EXPECT_EQ(day.vaults, 5000);
  EXPECT_NEAR(day.log_surprise, 5000 * std::log(2), 1e-6);
  EXPECT_EQ(day.most_surprising.size(), SurpriseLedger::kEntries);
  EXPECT_LE(saved(ledger).size(), 1000);
  EXPECT_TRUE(ledger.is_sound());
}

TEST(SurpriseLedger, ClocksThatJumpGiveDefinedAnswers) {
  SurpriseLedger ledger;
  EXPECT_EQ(ledger.day(hour(0)).vaults, 0);
  ledger.add(1, hour(0), 1e-320);
  ledger.add(2, hour(87'600), 0.5);
  ledger.add(3, hour(-87'600), 0.5);
  const SurpriseLedger::Day day = ledger.day(hour(87'600));
  EXPECT_EQ(day.vaults, 1);
  EXPECT_TRUE(std::isfinite(day.log_surprise));
}

TEST(SurpriseLedger, DamagedStateIsSeen) {
  SurpriseLedger ledger;
  ledger.add(1, hour(1), 0.5);
  std::string bytes = saved(ledger);
  const double impossible = 2;
  std::memcpy(bytes.data() + 24, &impossible, sizeof impossible);
  SurpriseLedger loaded;
  SnapshotReader reader(bytes);
  ASSERT_TRUE(reader.read(loaded));
  EXPECT_FALSE(loaded.is_sound());
}

// The slow twin keeps every vault of the day by name.
RC_GTEST_PROP(SurpriseLedger, EqualsASlowTwinWhileEveryVaultIsTouchedOnce, ()) {
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 4), rc::gen::inRange(1, 1001)));
  SurpriseLedger ledger;
  std::vector<std::pair<std::int64_t, double>> twin;
  std::int64_t now = 1000;
  std::uint64_t vault = 0;
  for (const auto& [gap, thousandths] : steps) {
    now += gap;
    ledger.add(++vault, hour(now), thousandths / 1000.0);
    twin.emplace_back(now, thousandths / 1000.0);
  }
  const std::int64_t asked = now + *rc::gen::inRange(0, 30);
  std::uint64_t vaults = 0;
  double log_surprise = 0;
  for (const auto& [at, surprise] : twin) {
    if (at <= asked - SurpriseLedger::kHours) { continue; }
    ++vaults;
    log_surprise -= std::log(surprise);
  }
  const SurpriseLedger::Day day = ledger.day(hour(asked));
  RC_ASSERT(day.vaults == vaults);
  RC_ASSERT(std::abs(day.log_surprise - log_surprise) < 1e-9 * (1 + log_surprise));
  RC_ASSERT(ledger.is_sound());

  const std::string bytes = saved(ledger);
  SurpriseLedger loaded;
  SnapshotReader reader(bytes);
  RC_ASSERT(reader.read(loaded) && reader.at_end() && loaded.is_sound());
  RC_ASSERT(saved(loaded) == bytes);
}

}  // namespace
}  // namespace keyvigil
