// Reads after a list on vaults that are new to the caller.
#include "history/visit_reads.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/snapshot.h"
#include "history/estate_history.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

TEST(VisitReads, CountWhatWasReadOnceTheHourIsOver) {
  VisitReads visits;
  for (const std::uint32_t reads : {0U, 1U, 1U, 3U, 200U}) { visits.learn(reads); }
  EXPECT_EQ(visits.all(), 0);
  visits.close_hour();
  EXPECT_NEAR(visits.all(), 5, 1e-9);
  EXPECT_NEAR(visits.with_at_least(1), 4, 1e-9);
  EXPECT_NEAR(visits.with_at_least(2), 2, 1e-9);
  EXPECT_NEAR(visits.with_at_least(4), 1, 1e-9);
  EXPECT_NEAR(visits.with_at_least(Episodes::kObjects), 1, 1e-9) << "more than an episode counts";
  EXPECT_NEAR(visits.with_at_least(5'000), 1, 1e-9);
}

TEST(VisitReads, LoseHalfOfTheirWeightInTwoThousandVisits) {
  VisitReads visits;
  for (int i = 0; i < 10; ++i) { visits.learn(7); }
  visits.close_hour();
  for (int i = 0; i < 2'000; ++i) { visits.learn(0); }
  visits.close_hour();
  EXPECT_NEAR(visits.with_at_least(1), 5, 1e-6);
  visits.close_hour();
  EXPECT_NEAR(visits.with_at_least(1), 5, 1e-6) << "an hour without visits forgets nothing";
}

TEST(VisitReads, SavingKeepsThem) {
  VisitReads visits;
  visits.learn(2);
  visits.close_hour();
  visits.learn(9);
  SnapshotWriter writer;
  writer.write(visits);
  VisitReads loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(reader.read(loaded) && reader.at_end());
  loaded.close_hour();
  EXPECT_NEAR(loaded.with_at_least(1), 2, 1e-3);
  EXPECT_NEAR(loaded.with_at_least(3), 1, 1e-3);
}

// An estate in which somebody works on vaults of its own for a while.
class Visits : public testing::Test {
 protected:
  static constexpr std::string_view kUser = "ann";
  static constexpr std::string_view kApp = "10000000-0000-4000-8000-000000000001";

  void request(int day, int minute, std::string_view caller, std::string_view vault, std::string_view operation,
               std::string_view object, bool alerted = false) {
    const EventTime midnight{parse_iso_time("2026-03-01T00:00:00Z").value().ticks + day * EventTime::kTicksPerDay};
    EventBuilder builder;
    if (caller == kUser) {
      builder.user(caller);
    } else {
      builder.app(caller);
    }
    builder.vault(vault).operation(operation).status(200);
    if (!object.empty()) { builder.object(object); }
    const AccessEvent event = builder.at(EventTime{midnight.ticks + minute * EventTime::kTicksPerMinute}).build();
    (void)history_.advance(event.time);
    history_.observe(event, facts_);
    if (facts_.list_episode) { looked_at_.push_back(facts_.list_episode->reads); }
    history_.learn(event, facts_, {.episode_alerted = alerted});
  }
  void visit(int day, int minute, std::string_view caller, std::string_view vault, int objects, bool alerted = false) {
    looked_at_.clear();
    request(day, minute, caller, vault, "SecretList", "");
    for (int i = 0; i < objects; ++i) {
      request(day, minute + 1, caller, vault, "SecretGet", fmt::format("secrets/{}", i), alerted);
    }
  }
  // Known for a week, on a vault of its own; other vaults are older than two weeks by then.
  void settle(std::string_view caller) {
    for (int i = 0; i < 8; ++i) {
      request(0, i, "20000000-0000-4000-8000-000000000002", fmt::format("kv-{}", i), "SecretGet", "secrets/0");
    }
    for (int day = 0; day < 20; ++day) { request(day, 100, caller, "kv-own", "SecretGet", "secrets/0"); }
  }

  EstateHistory history_;
  Facts facts_;
  std::vector<double> looked_at_;
};

TEST_F(Visits, AreComparedWithEarlierVisitsOfTheClass) {
  settle(kUser);
  visit(20, 0, kUser, "kv-1", 3);
  ASSERT_TRUE(facts_.list_episode && facts_.list_episode->new_vault);
  EXPECT_EQ(facts_.list_episode->visits.all, 0);
  visit(21, 0, kUser, "kv-2", 1);
  EXPECT_NEAR(facts_.list_episode->visits.all, 1, 1e-9);
  EXPECT_NEAR(facts_.list_episode->visits.with_as_many, 1, 1e-9);
  visit(22, 0, kUser, "kv-3", 2);
  EXPECT_NEAR(facts_.list_episode->visits.all, 2, 0.01);
  EXPECT_NEAR(facts_.list_episode->visits.with_as_many, 1, 0.01);
}

TEST_F(Visits, EpisodesOnTheOwnVaultAndAlertedOnesAreNone) {
  settle(kUser);
  visit(20, 0, kUser, "kv-own", 5);
  visit(21, 0, kUser, "kv-1", 9, true);
  visit(22, 0, kUser, "kv-2", 1);
  EXPECT_EQ(facts_.list_episode->visits.all, 0);
}

TEST_F(Visits, ThoseOfNewCallersTellOfNewCallersOnly) {
  settle(kUser);
  visit(20, 0, kApp, "kv-1", 9);
  ASSERT_TRUE(facts_.list_episode && facts_.list_episode->new_vault);
  EXPECT_TRUE(facts_.list_episode->new_vault->caller_is_new);
  visit(21, 0, kApp, "kv-2", 1);
  EXPECT_NEAR(facts_.list_episode->visits.all, 1, 1e-9);
  visit(22, 0, kUser, "kv-3", 1);
  EXPECT_EQ(facts_.list_episode->visits.all, 0) << "of people, and of known ones";
}

TEST_F(Visits, EachReadOfAPersonIsLookedAtAndCheckPointsOfAnApplication) {
  settle(kUser);
  visit(20, 0, kUser, "kv-own", 8);
  EXPECT_EQ(looked_at_, (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}));
  visit(20, 0, kApp, "kv-own", 8);
  EXPECT_EQ(looked_at_, (std::vector<double>{1, 2, 3, 4, 6}));
}

}  // namespace
}  // namespace keyvigil
