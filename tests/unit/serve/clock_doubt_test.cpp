#include "serve/clock_doubt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace keyvigil {
namespace {

const EventTime kNow = parse_iso_time("2026-05-05T09:00:00Z").value();
const std::int64_t kFarAhead = std::int64_t{73} * 365 * 24 * 60;  // minutes

EventTime minutes_ahead(std::int64_t minutes) {
  return EventTime{kNow.ticks + minutes * EventTime::kTicksPerMinute};
}

RecordTimes times(const std::vector<std::int64_t>& minutes) {
  RecordTimes times(kNow);
  for (const std::int64_t one : minutes) { times.add(minutes_ahead(one)); }
  return times;
}

TEST(RecordTimes, SayNothingOfTheClockWhereNoneIsAhead) {
  EXPECT_FALSE(times({}).agree_that_the_clock_is_slow());
  EXPECT_FALSE(times({-10'000, -5, 0, 10}).agree_that_the_clock_is_slow());
}

TEST(RecordTimes, AgreeWhereTheyGoOnBeyondTheClock) {
  EXPECT_TRUE(times({55, 56, 57}).agree_that_the_clock_is_slow());
  EXPECT_TRUE(times({kFarAhead}).agree_that_the_clock_is_slow());
  EXPECT_TRUE(times({kFarAhead, -1}).agree_that_the_clock_is_slow());
  // A clock that is 20 minutes slow, and records of two hours.
  std::vector<std::int64_t> backlog;
  for (std::int64_t minute = -100; minute < 20; ++minute) { backlog.push_back(minute); }
  EXPECT_TRUE(times(backlog).agree_that_the_clock_is_slow());
}

TEST(RecordTimes, AFewAmongOthersAreStrays) {
  EXPECT_FALSE(times({kFarAhead, -1, -1}).agree_that_the_clock_is_slow());
  EXPECT_FALSE(times({-1, -2, kFarAhead, kFarAhead + 5, -3, -4, -5}).agree_that_the_clock_is_slow());
  EXPECT_FALSE(times({-1, -2, -3, 61}).agree_that_the_clock_is_slow());
}

// However slow the clock is: where records come without pauses, none that is true is refused as a stray.
TEST(RecordTimes, NoTrueRecordIsAStray) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    const auto slow_minutes = static_cast<std::int64_t>(11 + random() % 100'000);
    RecordTimes times(kNow);
    std::int64_t truth = slow_minutes;
    for (auto left = 1 + random() % 500; left > 0; --left) {
      times.add(minutes_ahead(truth));
      truth -= static_cast<std::int64_t>(random() % 60);
    }
    EXPECT_TRUE(times.agree_that_the_clock_is_slow());
  }
}

class ClockDoubtTest : public testing::Test {
 protected:
  ClockDoubt::Clock::time_point now_{};
  ClockDoubt doubt_{[this] { return now_; }};
};

TEST_F(ClockDoubtTest, HoldsAPieceUntilTheClockIsRight) {
  const auto why = doubt_.hold("a", times({60, 61}));
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("61 minutes"), std::string::npos) << *why;
  EXPECT_EQ(doubt_.held(kNow).pieces, 1U);
  EXPECT_EQ(doubt_.held(kNow).lead_ticks, 61 * EventTime::kTicksPerMinute);
  EXPECT_FALSE(doubt_.hold("b", times({-1}))) << "another one goes on";
  EXPECT_FALSE(doubt_.hold("a", times({0, 1})));
  EXPECT_EQ(doubt_.held(kNow).pieces, 0U);
  EXPECT_EQ(doubt_.held(kNow).holds, 1U);
}

TEST_F(ClockDoubtTest, TellsNothingAnyMoreOnceTheClockIsRightThoughNobodyCameAgain) {
  EXPECT_TRUE(doubt_.hold("a", times({60, 61})));
  EXPECT_EQ(doubt_.held(minutes_ahead(50)).pieces, 1U);
  EXPECT_EQ(doubt_.held(minutes_ahead(51)).pieces, 0U);
}

TEST_F(ClockDoubtTest, ARecordAloneIsHeldForADayAndRecordsThatAgreeForAsLongAsItTakes) {
  for (int hour = 0; hour < 24; ++hour) {
    EXPECT_TRUE(doubt_.hold("alone", times({kFarAhead}))) << hour;
    EXPECT_TRUE(doubt_.hold("agree", times({60, 61}))) << hour;
    now_ += std::chrono::hours(1);
  }
  EXPECT_FALSE(doubt_.hold("alone", times({kFarAhead})));
  for (int hour = 0; hour < 1000; ++hour) {
    EXPECT_TRUE(doubt_.hold("agree", times({60, 61})));
    now_ += std::chrono::hours(1);
  }
}

TEST_F(ClockDoubtTest, IsBoundedAndForgetsWhatNobodyAsksAboutAnyMore) {
  for (std::size_t i = 0; i < ClockDoubt::kPiecesLimit + 100; ++i) {
    now_ += std::chrono::milliseconds(1);
    EXPECT_TRUE(doubt_.hold(fmt::format("{}", i), times({60})));
  }
  EXPECT_EQ(doubt_.held(kNow).pieces, ClockDoubt::kPiecesLimit);
  now_ += std::chrono::hours(2);
  EXPECT_EQ(doubt_.held(kNow).pieces, 0U);
  EXPECT_EQ(doubt_.held(kNow).holds, ClockDoubt::kPiecesLimit + 100);
}

}  // namespace
}  // namespace keyvigil
