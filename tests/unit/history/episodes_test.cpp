#include "history/episodes.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

using Counted = Episodes::Counted;

constexpr Episodes::Key kList = {.caller = 7, .vault = 8, .kind = EpisodeKind::kList};
constexpr Episodes::Key kPolicy = {.caller = 7, .vault = 8, .kind = EpisodeKind::kPolicy};

EventTime minute(std::int64_t number) {
  return EventTime{number * EventTime::kTicksPerMinute};
}

TEST(Episodes, LastAnHourAfterAListAndADayAfterAPolicyChange) {
  Episodes episodes;
  EXPECT_TRUE(episodes.open(kList, minute(0), 1).opened);
  EXPECT_TRUE(episodes.open(kPolicy, minute(0), 1).opened);
  EXPECT_NE(episodes.find(kList, minute(60)), nullptr);
  EXPECT_EQ(episodes.find(kList, minute(61)), nullptr);
  EXPECT_NE(episodes.find(kPolicy, minute(24 * 60)), nullptr);
  EXPECT_EQ(episodes.find(kPolicy, minute(24 * 60 + 1)), nullptr);
}

TEST(Episodes, ASecondListJoinsAndALaterOneHandsTheFirstBack) {
  Episodes episodes;
  Episode* first = episodes.open(kList, minute(0), 1).episode;
  EXPECT_EQ(Episodes::add_read(*first, 5, minute(1), false), Counted::kAtCheckPoint);
  EXPECT_FALSE(episodes.open(kList, minute(15), 1).opened);
  EXPECT_FALSE(episodes.open(kList, minute(29), 1).opened);
  const Episodes::Opening later = episodes.open(kList, minute(90), 1);
  EXPECT_TRUE(later.opened);
  ASSERT_TRUE(later.over.has_value());
  EXPECT_EQ(later.over->reads, 1);
  EXPECT_EQ(later.episode->reads, 0);
}

// Who comes back after a pause and lists again has sat down anew: what was read then is no part of it.
TEST(Episodes, AListAfterAPauseBeginsAnother) {
  Episodes episodes;
  Episode* first = episodes.open(kList, minute(0), 1).episode;
  (void)Episodes::add_read(*first, 5, minute(10), false);
  (void)Episodes::add_read(*first, 5, minute(20), false);
  EXPECT_FALSE(episodes.open(kList, minute(34), 1).opened) << "a second read of the same object is no pause";
  const Episodes::Opening second = episodes.open(kList, minute(49), 1);
  EXPECT_TRUE(second.opened);
  ASSERT_TRUE(second.over.has_value());
  EXPECT_EQ(second.over->reads, 1);
  EXPECT_EQ(episodes.find(kList, minute(100))->opened, minute(49));
  EXPECT_TRUE(episodes.take_over(minute(109)).empty());
  EXPECT_EQ(episodes.take_over(minute(110)).size(), 1) << "the first one is not handed out twice";
  EXPECT_FALSE(episodes.open(kPolicy, minute(60), 1).over);
  EXPECT_FALSE(episodes.open(kPolicy, minute(90), 1).opened) << "a policy stays changed";
}

TEST(Episodes, CountDistinctReadsAndSpeakAtGrowingCounts) {
  Episodes episodes;
  Episode& episode = *episodes.open(kList, minute(0), 1).episode;
  std::vector<std::uint32_t> checks;
  for (std::uint32_t object = 1; object <= 100; ++object) {
    const Counted counted = Episodes::add_read(episode, object, minute(1), false);
    EXPECT_EQ(counted == Counted::kNo, object > Episodes::kObjects);
    if (counted == Counted::kAtCheckPoint) { checks.push_back(episode.reads); }
    EXPECT_EQ(Episodes::add_read(episode, object, minute(2), false), Counted::kNo) << "the same object again";
  }
  EXPECT_EQ(checks, (std::vector<std::uint32_t>{1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63}));
  EXPECT_EQ(episode.reads, Episodes::kObjects);
  EXPECT_EQ(episode.first_read, minute(1));
}

TEST(Episodes, CountFreshObjectsOnce) {
  Episodes episodes;
  Episode& episode = *episodes.open(kList, minute(0), 1).episode;
  (void)Episodes::add_read(episode, 1, minute(1), true);
  (void)Episodes::add_read(episode, 1, minute(2), true);
  (void)Episodes::add_read(episode, 2, minute(3), false);
  EXPECT_EQ(episode.fresh, 1);
  EXPECT_EQ(episode.reads, 2);
}

TEST(Episodes, WhatIsOverIsTakenOutInTheOrderOfKeys) {
  Episodes episodes;
  for (const std::uint64_t caller : {9U, 3U, 6U}) {
    (void)episodes.open({.caller = caller, .vault = 1, .kind = EpisodeKind::kList}, minute(0), 1);
  }
  (void)episodes.open({.caller = 1, .vault = 1, .kind = EpisodeKind::kList}, minute(50), 1);
  const auto over = episodes.take_over(minute(61));
  ASSERT_EQ(over.size(), 3);
  EXPECT_EQ(over[0].first.caller, 3);
  EXPECT_EQ(over[1].first.caller, 6);
  EXPECT_EQ(over[2].first.caller, 9);
  EXPECT_TRUE(episodes.take_over(minute(61)).empty());
}

TEST(Episodes, SavingKeepsWhatIsOpenAndWhenItEnds) {
  Episodes episodes;
  (void)Episodes::add_read(*episodes.open(kList, minute(5), 3).episode, 77, minute(6), false);
  SnapshotWriter writer;
  episodes.save(writer);
  Episodes loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(loaded.load(reader) && reader.at_end());
  EXPECT_TRUE(loaded.is_sound(4));
  EXPECT_FALSE(loaded.is_sound(3)) << "the opener is no slot";
  EXPECT_EQ(loaded.find(kList, minute(10))->reads, 1);
  EXPECT_EQ(loaded.take_over(minute(66)).size(), 1);
}

TEST(EpisodeHabit, BelievesTheClassUntilItHasDays) {
  const CountParent parent = EpisodeHabit::openings_parent({.mean = 0.5, .dispersion = 1});
  EXPECT_EQ(parent.windows, EpisodeHabit::kMostPriorDays);
  EpisodeHabit habit;
  EXPECT_EQ(habit.openings.mean(parent, 1), 0.5);
  for (int day = 0; day < 200; ++day) { habit.openings.learn(3 + 1, parent, 1); }
  EXPECT_NEAR(habit.openings.mean(parent, 1), 3, 0.1);
}

// Where most never list and some do at every start, a month without a list says which of them one is.
TEST(EpisodeHabit, BelievesAMixedClassLess) {
  const auto after_a_month = [](double dispersion) {
    const CountParent parent = EpisodeHabit::openings_parent({.mean = 0.75, .dispersion = dispersion});
    EpisodeHabit habit;
    for (int day = 0; day < 30; ++day) { habit.openings.learn(0 + 1, parent, 1); }
    return habit.openings.mean(parent, 1);
  };
  EXPECT_GT(after_a_month(1), 0.03);
  EXPECT_LT(after_a_month(10), 0.006);
}

}  // namespace
}  // namespace keyvigil
