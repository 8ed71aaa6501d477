// What a caller had not read before, in episodes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "history/estate_history.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

class FreshReads : public testing::Test {
 protected:
  // At noon of a day, and so many seconds later; the facts of the last one stay.
  void request(int day, int second, std::string_view operation, std::string_view object, bool alerted = false) {
    const EventTime noon{parse_iso_time("2026-03-01T12:00:00Z").value().ticks + day * EventTime::kTicksPerDay};
    EventBuilder builder;
    builder.app("10000000-0000-4000-8000-000000000001").vault("kv-a").operation(operation).status(200);
    if (!object.empty()) { builder.object(object); }
    const AccessEvent event = builder.at(EventTime{noon.ticks + second * EventTime::kTicksPerSecond}).build();
    (void)history_.advance(event.time);
    history_.observe(event, facts_);
    history_.learn(event, facts_, {.episode_alerted = alerted});
  }
  // A list, then reads of so many objects; how many of the last check point's were fresh.
  std::optional<double> load(int day, int objects, bool alerted = false) {
    request(day, 0, "SecretList", "");
    std::optional<double> fresh;
    for (int i = 0; i < objects; ++i) {
      request(day, i + 1, "SecretGet", fmt::format("secrets/{}", i), alerted);
      if (!facts_.list_episode) { continue; }
      fresh = facts_.list_episode->fresh ? std::optional(facts_.list_episode->fresh->count) : std::nullopt;
    }
    return fresh;
  }

  EstateHistory history_;
  Facts facts_;
};

TEST_F(FreshReads, OnTheFirstDayNothingIsKnown) {
  EXPECT_FALSE(load(0, 4).has_value());
  EXPECT_EQ(load(1, 4), 0);
}

TEST_F(FreshReads, CountWhatWasNeverReadWithOrWithoutAList) {
  request(0, 0, "SecretGet", "secrets/0");
  request(1, 0, "SecretGet", "secrets/1");
  EXPECT_EQ(load(2, 4), 2);
  EXPECT_EQ(load(3, 6), 2);
}

TEST_F(FreshReads, WhatIsReadInOneEpisodeStaysFreshUntilItIsOver) {
  request(0, 0, "SecretGet", "secrets/x");
  request(1, 0, "SecretList", "");
  for (int i = 1; i <= 3; ++i) { request(1, 10 * i, "SecretGet", "secrets/0"); }
  request(1, 50, "SecretGet", "secrets/1");
  ASSERT_TRUE(facts_.list_episode && facts_.list_episode->fresh);
  EXPECT_EQ(facts_.list_episode->reads, 2);
  EXPECT_EQ(facts_.list_episode->fresh->count, 2);
}

// One change of habit is one alert: what it read is looked at once more on the next day, and then it is known.
TEST_F(FreshReads, WhatAlertedIsFreshUntilItIsReadOnALaterDay) {
  request(0, 0, "SecretGet", "secrets/x");
  EXPECT_EQ(load(1, 4, true), 4);
  EXPECT_EQ(load(2, 4, true), 4) << "read again on a later day, it is known from now on";
  EXPECT_EQ(load(3, 4, true), 0);
}

TEST_F(FreshReads, AreComparedWithFreshReadsOnceTheVaultIsKnownForAWeek) {
  for (int day = 0; day < 6; ++day) { request(day, 0, "SecretGet", "secrets/0"); }
  EXPECT_EQ(load(6, 4), 3);
  EXPECT_EQ(facts_.list_episode->fresh->of_caller.mean, facts_.list_episode->usual) << "six days: all reads";
  EXPECT_EQ(load(7, 4), 0);
  EXPECT_EQ(facts_.list_episode->fresh->of_caller.mean, CountParent{}.mean) << "nothing learned yet";
  EXPECT_EQ(load(8, 4), 0);
  EXPECT_LT(facts_.list_episode->fresh->of_caller.mean, CountParent{}.mean) << "no fresh ones are usual";
  EXPECT_GT(facts_.list_episode->usual, 2);
}

TEST_F(FreshReads, NothingIsSaidOfThemWhereTooMuchWasRead) {
  for (int i = 0; i < static_cast<int>(KnownObjects::kObjects) + 1; ++i) {
    request(0, i, "SecretGet", fmt::format("secrets/other-{}", i));
  }
  EXPECT_FALSE(load(1, 4).has_value());
  EXPECT_FALSE(load(90, 4).has_value()) << "the last ones without room were of day 1";
  EXPECT_EQ(load(91, 4), 0);
}

TEST_F(FreshReads, SavingKeepsWhatWasRead) {
  EXPECT_FALSE(load(0, 4).has_value());
  const std::string saved = history_.save();
  history_ = EstateHistory();
  ASSERT_TRUE(history_.load(saved));
  EXPECT_EQ(load(1, 6), 2);
}

}  // namespace
}  // namespace keyvigil
