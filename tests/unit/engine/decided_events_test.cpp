#include "engine/decided_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/snapshot.h"
#include "event/canonical.h"
#include "reference/order_events.h"

namespace keyvigil {
namespace {

using reference::make_event;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr std::int64_t kHour = 3'600'000;

AccessEvent at(std::int64_t after_start, int vault = 0, int correlation = 1) {
  return make_event({.milliseconds = kStart + after_start, .vault = vault, .correlation = correlation});
}

void remember(DecidedEvents& decided, const AccessEvent& event) {
  decided.remember(event, event.time.milliseconds(), duplicate_hash(event));
}

bool knows(const DecidedEvents& decided, const AccessEvent& event) {
  return decided.contains_duplicate_of(event, event.time.milliseconds(), duplicate_hash(event));
}

std::string bytes_of(const DecidedEvents& decided) {
  SnapshotWriter writer;
  writer.write(decided);
  return writer.bytes();
}

TEST(DecidedEvents, KnowsACopyAfterYearsAndNothingElse) {
  DecidedEvents decided(1'000'000);
  for (std::int64_t day = 0; day < 1000; ++day) { remember(decided, at(day * 24 * kHour)); }
  EXPECT_TRUE(knows(decided, at(0)));
  EXPECT_TRUE(knows(decided, at(500 * 24 * kHour)));
  EXPECT_FALSE(knows(decided, at(1)));
  EXPECT_FALSE(knows(decided, at(0, 1)));
  EXPECT_EQ(decided.known_from(), DecidedEvents::kAll);
}

TEST(DecidedEvents, TellsCorrelationsApartWhereBothHaveOne) {
  DecidedEvents decided(1000);
  remember(decided, at(0, 0, 1));
  remember(decided, at(kHour, 0, 0));
  EXPECT_FALSE(knows(decided, at(0, 0, 2)));
  EXPECT_TRUE(knows(decided, at(0, 0, 0)));
  EXPECT_TRUE(knows(decided, at(kHour, 0, 2)));
}

TEST(DecidedEvents, ForgetsTheOldestFirstAndSaysUpToWhere) {
  constexpr std::size_t kLimit = 200;
  DecidedEvents decided(kLimit);
  for (std::int64_t hour = 0; hour < 100; ++hour) { remember(decided, at(hour * kHour)); }
  EXPECT_LE(decided.size(), kLimit);
  EXPECT_EQ(decided.size() + decided.forgotten(), 100U);
  EXPECT_GT(decided.forgotten(), 0U);
  EXPECT_TRUE(knows(decided, at(99 * kHour)));
  EXPECT_FALSE(knows(decided, at(0)));
  EXPECT_GT(decided.known_from(), kStart);
  EXPECT_LE(decided.known_from(), kStart + 99 * kHour);
}

TEST(DecidedEvents, RemembersNothingWithoutRoom) {
  DecidedEvents decided(0);
  remember(decided, at(0));
  EXPECT_FALSE(knows(decided, at(0)));
  EXPECT_EQ(decided.known_from(), DecidedEvents::kAll);
}

TEST(DecidedEvents, GivesEqualBytesInWhateverOrderTheyCameAndAfterLookUps) {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 3000; ++i) { times.push_back(i * 997); }
  DecidedEvents sorted(100'000);
  for (const std::int64_t time : times) { remember(sorted, at(time)); }
  std::mt19937 random(7);
  std::shuffle(times.begin(), times.end(), random);
  DecidedEvents mixed(100'000);
  for (const std::int64_t time : times) {
    EXPECT_FALSE(knows(mixed, at(time)));
    remember(mixed, at(time));
    EXPECT_TRUE(knows(mixed, at(time)));
  }
  EXPECT_EQ(bytes_of(mixed), bytes_of(sorted));
}

TEST(DecidedEvents, GoesOnAfterReadingAndRefusesDamage) {
  DecidedEvents decided(1000);
  for (std::int64_t i = 0; i < 50; ++i) { remember(decided, at(i * kHour)); }
  const std::string bytes = bytes_of(decided);
  DecidedEvents other(1000);
  SnapshotReader reader(bytes);
  ASSERT_TRUE(reader.read(other) && other.take_up());
  EXPECT_EQ(other.size(), decided.size());
  EXPECT_TRUE(knows(other, at(49 * kHour)));

  DecidedEvents unsorted(1000);
  remember(unsorted, at(0));
  remember(unsorted, at(1));
  std::string damaged = bytes_of(unsorted);
  // Two marks stand behind the count of spans, the span's key and the count of marks.
  constexpr std::size_t kFirstMark = 24;
  std::swap_ranges(damaged.begin() + kFirstMark, damaged.begin() + kFirstMark + 8, damaged.begin() + kFirstMark + 8);
  DecidedEvents refused(1000);
  SnapshotReader damaged_reader(damaged);
  EXPECT_TRUE(!damaged_reader.read(refused) || !refused.take_up());
}

}  // namespace
}  // namespace keyvigil
