#include "source/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace keyvigil {
namespace {

using Kind = FollowedStep::Kind;

constexpr EventTime kHour{500'000 * EventTime::kTicksPerHour};

// Items in memory that a test lets grow.
struct World {
  std::map<std::string, std::string> items;
  std::map<std::string, EventTime> hours;
  std::map<std::string, std::string> marks;
  int lists = 0;
  bool fails = false;

  FollowAccess access() {
    return {.list = [this]() -> Result<std::vector<FollowedItem>> {
              ++lists;
              if (fails) { return fail(ErrorKind::kInputOutput, "not now"); }
              std::vector<FollowedItem> list;
              for (const auto& [name, bytes] : items) {
                FollowedItem item{name, bytes.size(), marks.contains(name) ? marks[name] : "mark", std::nullopt};
                if (hours.contains(name)) { item.not_before = hours[name]; }
                list.push_back(item);
              }
              return list;
            },
            .read = [this](const FollowedItem& item, std::uint64_t from, std::size_t most) -> Result<std::string> {
              return items[item.name].substr(from, most);
            }};
  }
};

std::string line(int number) {
  return fmt::format("{{\"number\":{}}}\n", number);
}

std::vector<FollowedStep> steps_of(Follower& follower, EventTime now = kHour) {
  auto steps = follower.look(now);
  EXPECT_TRUE(steps.has_value());
  return steps ? *steps : std::vector<FollowedStep>{};
}

std::string bytes_of(const std::vector<FollowedStep>& steps, const std::string& item) {
  std::string bytes;
  for (const FollowedStep& step : steps) {
    if (step.item == item) { bytes += step.bytes; }
  }
  return bytes;
}

TEST(Follower, TakesWholeLinesAsTheyCome) {
  World world;
  world.items["a"] = line(1) + "{\"number\":";
  Follower follower(world.access(), {});
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), line(1));
  EXPECT_TRUE(steps_of(follower).empty());
  world.items["a"] += "2}\n";
  const auto steps = steps_of(follower);
  ASSERT_EQ(steps.size(), 1U);  // it is open already
  EXPECT_EQ(steps[0].bytes, line(2));
  EXPECT_EQ(steps[0].offset, line(1).size());
  EXPECT_EQ(steps[0].place.offset, world.items["a"].size());
}

TEST(Follower, TakesALastLineWithoutAnEndOnceItIsComplete) {
  World world;
  world.items["a"] = line(1) + "{\"number\":2}";
  Follower follower(world.access(), {});
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), world.items["a"]);
}

TEST(Follower, TakesADocumentWholeOnceItHasStoppedChanging) {
  World world;
  const std::string document = "{\"records\":[\n" + line(1) + ",\n" + line(2) + "]}\n";
  world.items["a"] = document.substr(0, 20);
  Follower follower(world.access(), {});
  EXPECT_TRUE(steps_of(follower).empty());
  world.items["a"] = document;
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), document);
  const auto end = steps_of(follower);
  ASSERT_EQ(end.size(), 1U);
  EXPECT_EQ(end[0].kind, Kind::kEnd);
}

TEST(Follower, TakesADocumentLargerThanAChunkInOnePiece) {
  World world;
  std::string document = "[";
  while (document.size() < 5000) { document += line(1) + ","; }
  document += line(2) + "]";
  world.items["a"] = document;
  FollowOptions options;
  options.chunk_bytes = 1000;
  Follower follower(world.access(), options);
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), document);
}

TEST(Follower, PassesOverWhatIsTooLargeToBeTakenWhole) {
  World world;
  world.items["a"] = "[" + std::string(5000, ' ') + "]";
  FollowOptions options;
  options.whole_limit_bytes = 1000;
  Follower follower(world.access(), options);
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(follower.figures().passed_over, 1U);
}

TEST(Follower, OpensAllItemsOfAnHourBeforeTheFirstGivesBytes) {
  World world;
  for (const char* name : {"a/10", "b/10", "a/11"}) {
    world.items[name] = line(1);
    world.hours[name] =
        EventTime{kHour.ticks + (std::string_view(name).ends_with("11") ? EventTime::kTicksPerHour : 0)};
  }
  Follower follower(world.access(), {});
  const auto first = steps_of(follower);
  ASSERT_EQ(first.size(), 4U);
  EXPECT_EQ(first[0].kind, Kind::kOpen);
  EXPECT_EQ(first[1].kind, Kind::kOpen);
  EXPECT_EQ(first[0].not_before, kHour);
  EXPECT_EQ(first[2].item, "a/10");
  EXPECT_EQ(first[3].item, "b/10");
  const auto second = steps_of(follower);
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(second[1].item, "a/11");
  EXPECT_EQ(world.lists, 1);  // a backfill is listed once
}

TEST(Follower, EndsAnHourOnceItIsOverForLongEnough) {
  World world;
  world.items["a/10"] = line(1);
  world.hours["a/10"] = kHour;
  Follower follower(world.access(), {});
  EXPECT_EQ(steps_of(follower).size(), 2U);
  EXPECT_TRUE(steps_of(follower, EventTime{kHour.ticks + EventTime::kTicksPerHour}).empty());
  const auto end = steps_of(follower, EventTime{kHour.ticks + 2 * EventTime::kTicksPerHour});
  ASSERT_EQ(end.size(), 1U);
  EXPECT_EQ(end[0].kind, Kind::kEnd);
  // What still comes opens it again.
  world.items["a/10"] += line(2);
  const auto late = steps_of(follower, EventTime{kHour.ticks + 2 * EventTime::kTicksPerHour});
  ASSERT_EQ(late.size(), 2U);
  EXPECT_EQ(late[0].kind, Kind::kOpen);
  EXPECT_EQ(late[1].bytes, line(2));
}

TEST(Follower, ReadsAgainWhatShrankOrWasReplaced) {
  World world;
  world.items["a"] = line(1) + line(2);
  Follower follower(world.access(), {});
  (void)steps_of(follower);
  world.items["a"] = line(3);
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), line(3));
  world.marks["a"] = "another";
  EXPECT_EQ(bytes_of(steps_of(follower), "a"), line(3));
  EXPECT_EQ(follower.figures().restarted, 2U);
}

TEST(Follower, GoesOnWhereAnEarlierRunStopped) {
  World world;
  world.items["a"] = line(1) + line(2);
  Follower first(world.access(), {});
  const auto steps = steps_of(first);
  world.items["a"] += line(3);
  Follower second(world.access(), {});
  second.restore({steps.back().place});
  EXPECT_EQ(bytes_of(steps_of(second), "a"), line(3));
}

TEST(Follower, LeavesOutEarlierHoursAndAsksAgainAfterAFailure) {
  World world;
  world.items["a/10"] = line(1);
  world.hours["a/10"] = kHour;
  FollowOptions options;
  options.from = EventTime{kHour.ticks + EventTime::kTicksPerHour};
  Follower follower(world.access(), options);
  world.fails = true;
  EXPECT_FALSE(follower.look(kHour).has_value());
  world.fails = false;
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(follower.figures().items, 0U);
}

TEST(Follower, TakesNoMoreAtALookThanItMayAndMissesNothing) {
  World world;
  for (int i = 0; i < 50; ++i) {
    const std::string name = fmt::format("{:02}", i);
    for (int j = 0; j < 20; ++j) { world.items[name] += line(j); }
    world.hours[name] = kHour;
  }
  FollowOptions options;
  options.look_bytes = 1000;
  Follower follower(world.access(), options);
  const auto first = steps_of(follower);
  EXPECT_EQ(std::ranges::count(first, Kind::kOpen, &FollowedStep::kind), 50);  // none is to run ahead
  std::size_t taken = 0;
  for (const FollowedStep& step : first) { taken += step.bytes.size(); }
  EXPECT_LT(taken, 2000U);
  for (int i = 0; i < 60; ++i) {
    for (const FollowedStep& step : steps_of(follower)) { taken += step.bytes.size(); }
  }
  EXPECT_EQ(taken, 50 * world.items["00"].size());
}

TEST(Follower, HandsOnALineThatNeverEnds) {
  World world;
  world.items["a"] = line(1) + "{\"x\":\"" + std::string(std::size_t{17} << 20, 'x');
  Follower follower(world.access(), {});
  std::size_t taken = 0;
  for (int i = 0; i < 30; ++i) { taken += bytes_of(steps_of(follower), "a").size(); }
  EXPECT_GE(taken, std::size_t{16} << 20);
}

// However items grow and however the looks fall, every byte of lines is taken once and in order.
TEST(Follower, TakesEveryByteOnceHoweverItemsGrow) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    World world;
    FollowOptions options;
    options.chunk_bytes = 40 + random() % 100;
    Follower follower(world.access(), options);
    std::map<std::string, std::string> whole;
    std::map<std::string, std::string> taken;
    const auto take = [&] {
      for (const FollowedStep& step : steps_of(follower)) {
        if (step.kind != Kind::kBytes) { continue; }
        EXPECT_EQ(step.offset, taken[step.item].size());
        taken[step.item] += step.bytes;
      }
    };
    for (int i = 0; i < 300; ++i) {
      const std::string name = fmt::format("item-{}", random() % 4);
      if (whole[name].size() == world.items[name].size()) { whole[name] += line(i); }
      const std::size_t had = world.items[name].size();
      world.items[name] += whole[name].substr(had, 1 + random() % 20);
      if (random() % 2 == 0) { take(); }
    }
    world.items = whole;
    for (int i = 0; i < 1000; ++i) { take(); }
    EXPECT_EQ(taken, whole);
  }
}

}  // namespace
}  // namespace keyvigil
