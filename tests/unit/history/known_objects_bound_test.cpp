// What all callers together remember to have read is bounded, and a flood of fresh callers makes nobody else forget.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "history/estate_history.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLimit = 4 * KnownObjects::kObjects;

class KnownObjectsBound : public testing::Test {
 protected:
  static EstateHistoryLimits limits() {
    EstateHistoryLimits limits;
    limits.callers = 400;
    limits.vaults = 100;
    limits.edges = 4000;
    limits.prefixes = 100;
    limits.known_objects = kLimit;
    return limits;
  }
  void request(int day, int second, std::string_view caller, std::string_view operation, std::string_view object) {
    const EventTime noon{parse_iso_time("2026-03-01T12:00:00Z").value().ticks + day * EventTime::kTicksPerDay};
    EventBuilder builder;
    builder.user(caller).vault("kv-a").operation(operation).status(200);
    if (!object.empty()) { builder.object(object); }
    const AccessEvent event = builder.at(EventTime{noon.ticks + second * EventTime::kTicksPerSecond}).build();
    (void)history_.advance(event.time);
    history_.observe(event, facts_);
    history_.learn(event, facts_, {});
    const KnownObjectsStatistics& objects = history_.known_objects();
    EXPECT_LE(objects.kept[1], kLimit - kLimit / 4);
    EXPECT_LE(objects.kept[0] + objects.kept[1], kLimit);
  }
  void read(int day, std::string_view caller, int objects, int first = 0) {
    for (int i = 0; i < objects; ++i) { request(day, i, caller, "SecretGet", fmt::format("secrets/{}", first + i)); }
  }
  // Of so many reads after a list; nothing where nobody can tell.
  std::optional<double> fresh(int day, std::string_view caller, int objects) {
    request(day, 0, caller, "SecretList", "");
    for (int i = 0; i < objects; ++i) { request(day, 1 + i, caller, "SecretGet", fmt::format("secrets/{}", i)); }
    if (!facts_.list_episode || !facts_.list_episode->fresh) { return std::nullopt; }
    return facts_.list_episode->fresh->count;
  }

  EstateHistory history_{limits()};
  Facts facts_;
};

TEST_F(KnownObjectsBound, AFloodOfFreshCallersForgetsItsOwnAndNotThoseOfASlowAttacker) {
  for (const int day : {0, 2, 4, 6}) { read(day, "slow", 10); }
  for (int i = 0; i < 300; ++i) { read(7, fmt::format("flood-{}", i), 40); }
  EXPECT_GT(history_.known_objects().forgotten, 300U * 40 - kLimit);
  EXPECT_EQ(fresh(8, "slow", 12), 2) << "and not 12, nor nothing";
}

TEST_F(KnownObjectsBound, OfWhoHadToForgetNothingIsSaidForNinetyDays) {
  read(0, "first", 40);
  for (int i = 0; i < 40; ++i) { read(1, fmt::format("flood-{}", i), 40); }
  EXPECT_EQ(fresh(2, "first", 4), std::nullopt) << "all of it would look fresh";
  read(50, "first", 1);
  EXPECT_EQ(fresh(90, "first", 4), std::nullopt) << "forgotten on day 1";
  EXPECT_EQ(fresh(91, "first", 6), 2) << "four were read since";
}

TEST_F(KnownObjectsBound, AmongSettledCallersThoseIdleLongestForget) {
  for (int i = 0; i < 6; ++i) {
    for (int day = 0; day < 3; ++day) { read(day + 10 * i, fmt::format("team-{}", i), 100); }
  }
  EXPECT_EQ(history_.known_objects().forgotten, 0U);
  EXPECT_EQ(history_.known_objects().kept[1], 600U);
  for (int day = 60; day < 63; ++day) {
    for (int i = 6; i < 8; ++i) { read(day, fmt::format("team-{}", i), 100); }
  }
  EXPECT_GT(history_.known_objects().forgotten, 0U);
  EXPECT_EQ(fresh(63, "team-0", 4), std::nullopt);
  EXPECT_EQ(fresh(63, "team-5", 4), 0);
  EXPECT_EQ(fresh(63, "team-7", 4), 0);
}

TEST_F(KnownObjectsBound, FreshCallersUseWhatSettledOnesDoNotNeed) {
  for (int i = 0; i < 20; ++i) { read(0, fmt::format("flood-{}", i), 50); }
  EXPECT_EQ(history_.known_objects().kept[0], 1000U);
  EXPECT_EQ(history_.known_objects().forgotten, 0U);
  for (int day = 1; day < 4; ++day) {
    for (int i = 0; i < 7; ++i) { read(day, fmt::format("team-{}", i), 100); }
  }
  EXPECT_EQ(history_.known_objects().kept[1], 700U);
  EXPECT_LE(history_.known_objects().kept[0], kLimit - 700);
}

TEST_F(KnownObjectsBound, ACallerThatIsForgottenTakesItsObjectsAlong) {
  for (int i = 0; i < 90; ++i) { read(0, fmt::format("one-{}", i), 2); }
  EXPECT_EQ(history_.known_objects().kept[0], 180U);
  for (int i = 0; i < 400; ++i) { request(1, i, fmt::format("other-{}", i), "VaultGet", ""); }
  EXPECT_EQ(history_.known_objects().kept[0], 0U) << "400 callers may be known";
  EXPECT_EQ(history_.known_objects().forgotten, 180U);
}

TEST_F(KnownObjectsBound, SavingKeepsTheCountsAndWhatFollows) {
  for (const int day : {0, 2, 4, 6}) { read(day, "slow", 10); }
  for (int i = 0; i < 30; ++i) { read(7, fmt::format("flood-{}", i), 40); }
  const std::string saved = history_.save();
  EstateHistory loaded(limits());
  ASSERT_TRUE(loaded.load(saved));
  EXPECT_EQ(loaded.save(), saved);
  EXPECT_EQ(loaded.known_objects().kept, history_.known_objects().kept);
  EXPECT_EQ(loaded.known_objects().forgotten, history_.known_objects().forgotten);
  for (int i = 30; i < 60; ++i) { read(8, fmt::format("flood-{}", i), 40); }
  const std::string whole = history_.save();
  history_ = std::move(loaded);
  for (int i = 30; i < 60; ++i) { read(8, fmt::format("flood-{}", i), 40); }
  EXPECT_EQ(history_.save(), whole);
}

TEST_F(KnownObjectsBound, MoreThanThereIsRoomForIsRefused) {
  for (int day = 0; day < 3; ++day) {
    for (int i = 0; i < 4; ++i) { read(day, fmt::format("team-{}", i), 64); }
  }
  for (int i = 0; i < 4; ++i) { read(3, fmt::format("team-{}", i), 160, 64); }
  EstateHistoryLimits fewer = limits();
  fewer.known_objects = 800;
  EXPECT_GT(history_.known_objects().kept[1], 600U);
  EXPECT_FALSE(EstateHistory(fewer).load(history_.save()));
}

}  // namespace
}  // namespace keyvigil
