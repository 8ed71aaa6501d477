#include "source/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
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
  std::map<std::string, ReadFailure> failures;  // of reads, by item
  int reads = 0;

  FollowAccess access() {
    return {.list = [this]() -> Result<FollowedList> {
              ++lists;
              if (fails) { return fail(ErrorKind::kInputOutput, "not now"); }
              FollowedList list;
              for (const auto& [name, bytes] : items) {
                FollowedItem item{name, bytes.size(), marks.contains(name) ? marks[name] : "mark", std::nullopt};
                if (hours.contains(name)) { item.not_before = hours[name]; }
                list.items.push_back(item);
              }
              return list;
            },
            .read = [this](const FollowedItem& item, std::uint64_t from, std::size_t most) -> FollowedBytes {
              ++reads;
              if (failures.contains(item.name)) { return tl::unexpected(failures[item.name]); }
              if (!items.contains(item.name)) { return tl::unexpected(ReadFailure{ReadFailure::Kind::kGone, "gone"}); }
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
  EXPECT_EQ(steps[0].place.value().offset, world.items["a"].size());
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
  second.restore({steps.back().place.value()});
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

constexpr EventTime seconds_later(std::int64_t seconds) {
  return EventTime{kHour.ticks + seconds * EventTime::kTicksPerSecond};
}

const ReadFailure kDenied{ReadFailure::Kind::kItem, "Permission denied"};
const ReadFailure kUnreachable{ReadFailure::Kind::kAccess, "no route to host"};

TEST(Follower, GoesOnWithTheOthersWhereOneCannotBeRead) {
  World world;
  for (const char* name : {"a", "b", "c"}) { world.items[name] = line(1); }
  world.failures["b"] = kDenied;
  Follower follower(world.access(), {});
  const auto steps = steps_of(follower);
  EXPECT_EQ(bytes_of(steps, "a"), line(1));
  EXPECT_EQ(bytes_of(steps, "c"), line(1));
  EXPECT_EQ(follower.figures().failing, 1U);
  EXPECT_EQ(follower.figures().failing_first, "b: Permission denied");
  EXPECT_EQ(follower.take_notices(), std::vector<std::string>{"b cannot be taken: Permission denied"});
  // It is tried with patience, and told once.
  for (int second = 1; second < 10; ++second) { EXPECT_TRUE(steps_of(follower, seconds_later(second)).empty()); }
  EXPECT_EQ(follower.figures().failures, 1U);
  EXPECT_TRUE(steps_of(follower, seconds_later(10)).empty());
  EXPECT_TRUE(steps_of(follower, seconds_later(20)).empty());
  EXPECT_EQ(follower.figures().failures, 2U);
  EXPECT_TRUE(follower.take_notices().empty());
  world.items["a"] += line(2);
  EXPECT_EQ(bytes_of(steps_of(follower, seconds_later(21)), "a"), line(2));
  world.failures.clear();
  EXPECT_EQ(bytes_of(steps_of(follower, seconds_later(31)), "b"), line(1));
  EXPECT_EQ(follower.figures().failing, 0U);
}

TEST(Follower, TriesAgainWithinAnHourHoweverOftenItFailed) {
  World world;
  world.items["a"] = line(1);
  world.failures["a"] = kDenied;
  Follower follower(world.access(), {});
  for (int minute = 0; minute < 3000; ++minute) { (void)steps_of(follower, seconds_later(60 * minute)); }
  EXPECT_LT(follower.figures().failures, 70U);
  EXPECT_GT(follower.figures().failures, 50U);
  world.failures.clear();
  std::string taken;
  for (int minute = 3000; minute <= 3060; ++minute) {
    taken += bytes_of(steps_of(follower, seconds_later(60 * minute)), "a");
  }
  EXPECT_EQ(taken, line(1));
  // Also where the clock was set back meanwhile.
  world.items["b"] = line(2);
  world.failures["b"] = kDenied;
  (void)steps_of(follower, seconds_later(1'000'000));
  world.failures.clear();
  EXPECT_EQ(bytes_of(steps_of(follower, kHour), "b"), line(2));
}

TEST(Follower, DoesNotMindWhatIsGoneSinceItWasListed) {
  World world;
  for (const char* name : {"a/10", "b/10"}) {
    world.items[name] = line(1) + line(2);
    world.hours[name] = kHour;
  }
  FollowOptions options;
  options.chunk_bytes = line(1).size();
  Follower follower(world.access(), options);
  EXPECT_EQ(bytes_of(steps_of(follower), "b/10"), line(1));
  world.items.erase("b/10");
  const auto steps = steps_of(follower);
  EXPECT_EQ(bytes_of(steps, "a/10"), line(2));
  // It had been opened: nobody waits for it any longer.
  EXPECT_EQ(std::ranges::count(steps, Kind::kEnd, &FollowedStep::kind), 1);
  EXPECT_EQ(follower.figures().failing, 0U);
  EXPECT_EQ(follower.figures().failures, 0U);
  EXPECT_TRUE(follower.take_notices().empty());
  world.items["c"] = line(3);
  EXPECT_EQ(bytes_of(steps_of(follower), "c"), line(3));
}

TEST(Follower, ForgetsAFailureWhoseItemIsGone) {
  World world;
  world.items["a"] = line(1);
  world.failures["a"] = kDenied;
  Follower follower(world.access(), {});
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(follower.figures().failing, 1U);
  world.items.clear();
  EXPECT_TRUE(steps_of(follower).empty());
  EXPECT_EQ(follower.figures().failing, 0U);
}

TEST(Follower, SaysThatNothingCanBeReachedAndGoesOnAtOnceAfterwards) {
  World world;
  for (const char* name : {"a", "b", "c"}) {
    world.items[name] = line(1);
    world.failures[name] = kUnreachable;
  }
  Follower follower(world.access(), {});
  for (int i = 0; i < 3; ++i) {
    const int reads = world.reads;
    const auto steps = follower.look(kHour);
    ASSERT_FALSE(steps.has_value());
    EXPECT_EQ(steps.error().message, "no route to host");
    EXPECT_EQ(world.reads, reads + 1);  // not one for each item
  }
  world.failures.clear();
  world.items["d"] = line(1);
  std::string taken;
  for (int i = 0; i < 5; ++i) {
    for (const FollowedStep& step : steps_of(follower)) { taken += step.bytes; }
  }
  EXPECT_EQ(taken, line(1) + line(1) + line(1) + line(1));
  EXPECT_EQ(follower.figures().failing, 0U);
}

// A server may fail at one blob and serve the others.
TEST(Follower, TakesAFailureOfTheAccessThatMeetsOneItemAlwaysForThatItemsOwn) {
  World world;
  world.items["a"] = line(1);
  world.failures["a"] = kUnreachable;
  Follower follower(world.access(), {});
  std::string expected;
  std::string taken;
  for (int i = 0; i < 20; ++i) {
    world.items["b"] += line(i);
    expected += line(i);
    for (int again = 0; again < 3; ++again) {
      auto steps = follower.look(seconds_later(i * 3600));
      if (steps) { taken += bytes_of(*steps, "b"); }
    }
  }
  EXPECT_EQ(taken, expected);
  EXPECT_EQ(follower.figures().failing_first, "a: no route to host");
  EXPECT_TRUE(follower.look(seconds_later(20 * 3600)).has_value());
}

TEST(Follower, LeavesItsPlaceWhereBytesAreHeldAndAsksAgainWithinAMinute) {
  World world;
  for (const char* name : {"a", "b"}) { world.items[name] = line(1); }
  bool holds = true;
  FollowOptions options;
  options.hold = [&](const FollowedItem& item, std::string_view) -> std::optional<std::string> {
    return holds && item.name == "a" ? std::optional<std::string>("not yet") : std::nullopt;
  };
  Follower follower(world.access(), options);
  for (int minute = 0; minute < 1000; ++minute) {
    const auto steps = steps_of(follower, seconds_later(60 * minute));
    EXPECT_EQ(bytes_of(steps, "b"), minute == 0 ? line(1) : "");
    EXPECT_EQ(bytes_of(steps, "a"), "");
  }
  EXPECT_EQ(follower.figures().failing_first, "a: not yet");
  holds = false;
  EXPECT_EQ(bytes_of(steps_of(follower, seconds_later(60 * 1000)), "a"), line(1));
}

// However items fail for a while, every byte is taken once and in order.
TEST(Follower, MissesNothingOfItemsThatFailForAWhile) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    World world;
    FollowOptions options;
    options.chunk_bytes = 40;
    Follower follower(world.access(), options);
    std::map<std::string, std::string> taken;
    const auto take = [&](int second) {
      auto steps = follower.look(seconds_later(second));
      for (const FollowedStep& step : steps ? *steps : std::vector<FollowedStep>{}) { taken[step.item] += step.bytes; }
    };
    for (int i = 0; i < 300; ++i) {
      const std::string name = fmt::format("item-{}", random() % 5);
      world.items[name] += line(i);
      if (random() % 3 == 0) { world.failures[name] = random() % 2 == 0 ? kDenied : kUnreachable; }
      if (random() % 2 == 0) { world.failures.erase(fmt::format("item-{}", random() % 5)); }
      take(20 * i);
    }
    world.failures.clear();
    for (int i = 0; i < 1000; ++i) { take(10'000 + 10 * i); }
    EXPECT_EQ(taken, world.items);
  }
}

std::string document_of(int records) {
  std::string document = "{\"records\": [\n";
  for (int i = 0; i < records; ++i) { document += fmt::format("{} {{\n  \"number\": {}\n }}", i == 0 ? "" : ",\n", i); }
  return document + "\n]}\n";
}

// The numbers in pieces of a document, each of which stands alone.
std::vector<int> numbers_in(const std::vector<FollowedStep>& steps) {
  std::vector<int> numbers;
  for (const FollowedStep& step : steps) {
    if (step.kind != Kind::kBytes || step.bytes.empty()) { continue; }
    const auto piece = nlohmann::json::parse(step.bytes);
    for (const auto& one : piece) {
      if (one.is_object()) { numbers.push_back(one.at("number").get<int>()); }
    }
  }
  return numbers;
}

FollowOptions with_streams() {
  FollowOptions options;
  options.chunk_bytes = 1000;
  options.stream_bytes = 4000;
  options.whole_limit_bytes = 5000;
  return options;
}

TEST(Follower, TakesALargeDocumentPieceAfterPiece) {
  World world;
  world.items["a"] = document_of(2000);
  ASSERT_GT(world.items["a"].size(), 5000U);
  Follower follower(world.access(), with_streams());
  EXPECT_TRUE(steps_of(follower).empty());
  std::vector<int> numbers;
  int pieces = 0;
  std::optional<FollowedPlace> place;
  for (int i = 0; i < 100; ++i) {
    for (const FollowedStep& step : steps_of(follower)) {
      ++pieces;
      const auto more = numbers_in({step});
      numbers.insert(numbers.end(), more.begin(), more.end());
      if (step.place) {
        EXPECT_FALSE(place) << "a place that can be gone on from is known at the end only";
        place = step.place;
      }
    }
  }
  ASSERT_EQ(numbers.size(), 2000U);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->offset, world.items["a"].size());
  EXPECT_EQ(follower.figures().passed_over, 0U);
  EXPECT_TRUE(follower.take_notices().empty());
}

TEST(Follower, GoesOnInALargeDocumentAfterAFailure) {
  World world;
  world.items["a"] = document_of(2000);
  Follower follower(world.access(), with_streams());
  std::vector<int> numbers;
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) {
      world.failures["a"] = i % 2 == 0 ? kDenied : kUnreachable;
    } else {
      world.failures.clear();
    }
    auto steps = follower.look(seconds_later(4000 * i));
    const auto more = numbers_in(steps ? *steps : std::vector<FollowedStep>{});
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  ASSERT_EQ(numbers.size(), 2000U);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
}

TEST(Follower, MissesNoPieceOfALargeDocumentThatWasHeld) {
  World world;
  world.items["a"] = document_of(2000);
  std::mt19937 random(7);
  FollowOptions options = with_streams();
  options.hold = [&](const FollowedItem&, std::string_view) -> std::optional<std::string> {
    return random() % 2 == 0 ? std::optional<std::string>("not yet") : std::nullopt;
  };
  Follower follower(world.access(), options);
  std::vector<int> numbers;
  for (int i = 0; i < 400; ++i) {
    const auto more = numbers_in(steps_of(follower, seconds_later(4000 * i)));
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  ASSERT_EQ(numbers.size(), 2000U);
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
}

TEST(Follower, CountsWhatIsBrokenInALargeDocumentAndTakesTheRest) {
  World world;
  std::string document = document_of(2000);
  document.resize(document.size() - 10);  // cut
  world.items["a"] = document;
  Follower follower(world.access(), with_streams());
  std::vector<int> numbers;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    const auto steps = steps_of(follower);
    const auto more = numbers_in(steps);
    numbers.insert(numbers.end(), more.begin(), more.end());
    for (const FollowedStep& step : steps) {
      if (step.bytes.empty()) { continue; }
      for (const auto& one : nlohmann::json::parse(step.bytes)) { refused += one.is_string() ? 1 : 0; }
    }
  }
  EXPECT_EQ(numbers.size(), 1999U);
  EXPECT_EQ(refused, 1);
}

TEST(Follower, PassesOverALargeTableAndSaysSo) {
  World world;
  world.items["a"] =
      R"({"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated"},{"name":"OperationName"},)"
      R"({"name":"ResourceId"}],"rows":[)";
  for (int i = 0; i < 500; ++i) { world.items["a"] += R"(["2026-05-05T08:00:00Z","SecretGet","/x"],)"; }
  world.items["a"] += R"(["2026-05-05T08:00:00Z","SecretGet","/x"]]}]})";
  world.items["b"] = line(1);
  Follower follower(world.access(), with_streams());
  std::string taken;
  for (int i = 0; i < 5; ++i) { taken += bytes_of(steps_of(follower), "b"); }
  EXPECT_EQ(taken, line(1));
  EXPECT_EQ(follower.figures().passed_over, 1U);
  EXPECT_EQ(follower.figures().passed_over_item, "a");
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
