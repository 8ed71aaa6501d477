#include "engine/order.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "reference/order_events.h"

namespace keyvigil {
namespace {

using reference::make_event;
using reference::SmallEvent;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kStart = 1'700'000'000'000;

struct Popped {
  std::int64_t after_start = 0;  // milliseconds
  Timeliness timeliness{};
  friend bool operator==(const Popped&, const Popped&) = default;
};

std::vector<Popped> pop_all(Order& order) {
  std::vector<Popped> popped;
  AccessEvent event;
  Timeliness timeliness{};
  while (order.pop(event, timeliness)) { popped.push_back({event.time.milliseconds() - kStart, timeliness}); }
  EXPECT_FALSE(order.failure().has_value());
  return popped;
}

AccessEvent at(std::int64_t after_start, int vault = 0, int correlation = 1) {
  return make_event({.milliseconds = kStart + after_start, .vault = vault, .correlation = correlation});
}

EventTime start() {
  return EventTime::from_milliseconds(kStart);
}

OrderOptions stream() {
  OrderOptions options;
  options.mode = OrderMode::kStream;
  return options;
}

TEST(Order, ReleasesWhatIsOlderThanTheWatermarkAndNothingElse) {
  Order order(OrderOptions{});
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(0)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(15 * kMinute)), Arrival::kAccepted);
  EXPECT_TRUE(pop_all(order).empty());
  EXPECT_EQ(order.push(input, at(15 * kMinute + 1)), Arrival::kAccepted);
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{0, Timeliness::kInTime}}));
  EXPECT_EQ(order.held(), 2U);
  order.finish();
  EXPECT_EQ(pop_all(order).size(), 2U);
}

TEST(Order, AsksForTheInputThatHoldsTheOthersBack) {
  Order order(OrderOptions{});
  const InputId early = order.open_input(start());
  const InputId later = order.open_input(EventTime::from_milliseconds(kStart + kHour));
  EXPECT_EQ(order.most_behind(), early);
  EXPECT_EQ(order.push(early, at(2 * kHour)), Arrival::kAccepted);
  EXPECT_EQ(order.most_behind(), later);
  EXPECT_TRUE(pop_all(order).empty());
  order.idle_input(later);
  EXPECT_EQ(order.most_behind(), early);
  EXPECT_EQ(order.push(early, at(2 * kHour + 15 * kMinute + 1)), Arrival::kAccepted);
  EXPECT_EQ(pop_all(order).size(), 1U);
  order.close_input(early);
  order.close_input(later);
  EXPECT_EQ(order.most_behind(), std::nullopt);
}

TEST(Order, ReportsDisorderInFiles) {
  Order order(OrderOptions{});
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(kHour)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(45 * kMinute)), Arrival::kAccepted);
  EXPECT_FALSE(order.disorder());
  EXPECT_EQ(order.push(input, at(45 * kMinute - 1)), Arrival::kDisorder);
  EXPECT_TRUE(order.disorder());
}

TEST(Order, LetsALateEventOfAStreamOutFlaggedAndItsCopyNot) {
  Order order(stream());
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(0)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(kHour)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(10)), Arrival::kLate);
  EXPECT_EQ(order.push(input, at(10)), Arrival::kLate);  // a copy of the late one
  EXPECT_EQ(order.push(input, at(0)), Arrival::kLate);   // a copy of one in time
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{0, Timeliness::kInTime}, {10, Timeliness::kLate}}));
  EXPECT_EQ(order.counts().duplicates, 2U);
  EXPECT_EQ(order.counts().late, 1U);
}

TEST(Order, FlagsWhatIsLaterThanTwoDays) {
  Order order(stream());
  const InputId input = order.open_input(start());
  for (std::int64_t hour = 0; hour <= 50; ++hour) {
    EXPECT_EQ(order.push(input, at(hour * kHour)), Arrival::kAccepted);
  }
  static_cast<void>(pop_all(order));
  EXPECT_EQ(order.push(input, at(1)), Arrival::kLate);
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{1, Timeliness::kBeyondHorizon}}));
  EXPECT_EQ(order.counts().beyond_late_horizon, 1U);
}

TEST(Order, KnowsACopyHoweverLateItComes) {
  Order order(stream());
  const InputId input = order.open_input(start());
  for (std::int64_t day = 0; day <= 300; ++day) {
    EXPECT_EQ(order.push(input, at(day * kDay / 2)), Arrival::kAccepted);
  }
  const std::size_t decided = pop_all(order).size();
  for (std::int64_t day = 0; day < 250; ++day) { EXPECT_EQ(order.push(input, at(day * kDay / 2)), Arrival::kLate); }
  EXPECT_TRUE(pop_all(order).empty());
  EXPECT_EQ(order.counts().duplicates, 250U);
  EXPECT_EQ(order.counts().decided_before, 250U);
  EXPECT_EQ(order.counts().late, 0U);
  EXPECT_EQ(order.counts().released, decided);
}

TEST(Order, LeavesOutAndCountsWhatMayHaveBeenDecidedInForgottenTimes) {
  OrderOptions options = stream();
  options.decided_limit = 400;
  Order order(options);
  const InputId input = order.open_input(start());
  for (std::int64_t hour = 0; hour <= 100; ++hour) {
    EXPECT_EQ(order.push(input, at(hour * kHour)), Arrival::kAccepted);
  }
  static_cast<void>(pop_all(order));
  EXPECT_GT(order.decided_events().forgotten(), 0U);
  EXPECT_EQ(order.push(input, at(0)), Arrival::kLate);           // decided, and forgotten
  EXPECT_EQ(order.push(input, at(1)), Arrival::kLate);           // new, which nobody can know
  EXPECT_EQ(order.push(input, at(98 * kHour)), Arrival::kLate);  // decided, and known
  EXPECT_EQ(order.push(input, at(98 * kHour + 1)), Arrival::kLate);
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{98 * kHour + 1, Timeliness::kLate}}));
  EXPECT_EQ(order.counts().too_old, 2U);
  EXPECT_EQ(order.counts().decided_before, 1U);
}

TEST(ClockGuard, ParksALoneJumpUntilAnotherVaultConfirmsIt) {
  Order order(stream());
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(0, 1)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(400 * kDay, 1)), Arrival::kParked);
  EXPECT_EQ(order.push(input, at(kHour, 1)), Arrival::kAccepted);  // the watermark did not jump
  EXPECT_EQ(order.counts().parked, 1U);
  EXPECT_EQ(order.push(input, at(3 * kDay, 2)), Arrival::kParked);  // two vaults stand at or after this
  EXPECT_EQ(pop_all(order).size(), 2U);
  EXPECT_EQ(order.push(input, at(3 * kDay + kHour, 2)), Arrival::kAccepted);
  EXPECT_EQ(pop_all(order).size(), 1U);
  EXPECT_EQ(order.held(), 2U);  // the jump of 400 days still waits
  order.finish();
  EXPECT_EQ(pop_all(order).back().after_start, 400 * kDay);
}

TEST(ClockGuard, TakesAHundredRecordsOfOneVaultAsProof) {
  Order order(stream());
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(0)), Arrival::kAccepted);
  for (int i = 0; i < 99; ++i) { EXPECT_EQ(order.push(input, at(3 * kDay + i)), Arrival::kParked); }
  EXPECT_TRUE(pop_all(order).empty());
  EXPECT_EQ(order.push(input, at(3 * kDay + 99)), Arrival::kParked);
  EXPECT_EQ(pop_all(order).size(), 1U);
  EXPECT_EQ(order.push(input, at(3 * kDay + kHour)), Arrival::kAccepted);
  EXPECT_EQ(pop_all(order).size(), 100U);
}

TEST(ClockGuard, DoesNotLetAFirstRecordWithABadClockSetTheWatermark) {
  Order order(OrderOptions{});
  const InputId input = order.open_input(std::nullopt);
  EXPECT_EQ(order.push(input, at(400 * kDay, 1)), Arrival::kParked);
  EXPECT_EQ(order.push(input, at(0, 2)), Arrival::kParked);
  EXPECT_EQ(order.push(input, at(kHour, 2)), Arrival::kAccepted);
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{0, Timeliness::kInTime}}));
  EXPECT_FALSE(order.disorder());
}

TEST(State, HoldsWhatIsYoungerThanTheWatermarkForTheNextRun) {
  std::string state;
  {
    Order order(OrderOptions{});
    const InputId input = order.open_input(start());
    for (const std::int64_t minute : {0, 30, 50, 60}) { static_cast<void>(order.push(input, at(minute * kMinute))); }
    static_cast<void>(order.push(input, at(400 * kDay)));  // a lone bad clock moves nothing
    order.close_input(input);
    order.hold(order.final_watermark());
    EXPECT_EQ(pop_all(order).size(), 2U);
    EXPECT_EQ(order.held(), 3U);
    state = order.save().value();
  }
  Order order(OrderOptions{});
  ASSERT_TRUE(order.load(state).has_value());
  EXPECT_EQ(order.held(), 3U);
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(30 * kMinute)), Arrival::kAccepted);  // decided by the first run
  EXPECT_EQ(order.push(input, at(40 * kMinute)), Arrival::kAccepted);  // new, but its time has passed
  EXPECT_EQ(order.push(input, at(50 * kMinute)), Arrival::kAccepted);  // held already
  order.finish();
  EXPECT_EQ(pop_all(order), (std::vector<Popped>{{40 * kMinute, Timeliness::kLate},
                                                 {50 * kMinute, Timeliness::kInTime},
                                                 {60 * kMinute, Timeliness::kInTime},
                                                 {400 * kDay, Timeliness::kInTime}}));
  EXPECT_EQ(order.counts().duplicates, 2U);
  // The bad clock was decided, and what follows in real time is still in time.
  Order next(OrderOptions{});
  ASSERT_TRUE(next.load(order.save().value()).has_value());
  const InputId more = next.open_input(start());
  EXPECT_EQ(next.push(more, at(2 * kHour)), Arrival::kAccepted);
  next.finish();
  EXPECT_EQ(pop_all(next), (std::vector<Popped>{{2 * kHour, Timeliness::kInTime}}));
}

TEST(State, KeepsOneCopyOfWhatIsHeldHoweverOftenItIsReadAgain) {
  std::string state;
  std::size_t size = 0;
  for (int run = 0; run < 4; ++run) {
    Order order(OrderOptions{});
    if (!state.empty()) { ASSERT_TRUE(order.load(state).has_value()); }
    const InputId input = order.open_input(start());
    for (const std::int64_t time : {std::int64_t{0}, kHour, kHour + 1}) {
      static_cast<void>(order.push(input, at(time)));
    }
    order.close_input(input);
    order.hold(order.final_watermark());
    EXPECT_EQ(pop_all(order).size(), run == 0 ? 1U : 0U);
    state = *order.save();
    if (run > 0) { EXPECT_EQ(state.size(), size); }
    size = state.size();
  }
}

TEST(State, KnowsALoneRecordThatWasDecidedThoughNobodyConfirmedItsClock) {
  std::string state;
  for (const std::size_t decided : {1U, 0U}) {
    Order order(OrderOptions{});
    if (!state.empty()) { ASSERT_TRUE(order.load(state).has_value()); }
    const InputId input = order.open_input(std::nullopt);
    EXPECT_EQ(order.push(input, at(0)), Arrival::kParked);
    order.close_input(input);
    order.finish();
    EXPECT_EQ(pop_all(order).size(), decided);
    EXPECT_EQ(order.counts().duplicates, 1U - decided);
    state = *order.save();
  }
}

TEST(State, OfALoneVaultWithLongPausesIsNotHeldForEver) {
  Order order(OrderOptions{});
  const InputId input = order.open_input(std::nullopt);
  for (std::int64_t i = 0; i < 10; ++i) { EXPECT_EQ(order.push(input, at(i * 3 * kDay)), Arrival::kParked); }
  order.close_input(input);
  order.hold(order.final_watermark());
  EXPECT_EQ(pop_all(order).size(), 8U);  // the last but one stands at the watermark, the last has no second record
  EXPECT_EQ(order.held(), 2U);
}

TEST(Spill, FailsWithTheFolderInTheSentence) {
  OrderOptions options;
  options.memory_limit_events = 2;
  options.spill_directory = "/nonexistent-folder";
  Order order(options);
  const InputId input = order.open_input(start());
  EXPECT_EQ(order.push(input, at(0)), Arrival::kAccepted);
  EXPECT_EQ(order.push(input, at(1)), Arrival::kFailed);
  ASSERT_TRUE(order.failure().has_value());
  EXPECT_NE(order.failure()->message.find("/nonexistent-folder"), std::string::npos);
}

TEST(Order, AnIdIsTakenAgainOnceItsInputIsClosed) {
  Order order(stream());
  const InputId held = order.open_input(start());
  const InputId first = order.open_input(EventTime::from_milliseconds(kStart + kHour));
  const InputId second = order.open_input(EventTime::from_milliseconds(kStart + kHour));
  order.close_input(second);
  order.close_input(first);
  EXPECT_EQ(order.open_input(start()), first);
  // Of a year of hourly blobs only those that are open take room.
  for (std::int64_t blob = 0; blob < 100'000; ++blob) {
    const InputId input = order.open_input(EventTime::from_milliseconds(kStart + blob * kMinute));
    ASSERT_EQ(input, second);
    ASSERT_EQ(order.push(input, at(blob * kMinute)), Arrival::kAccepted);
    order.close_input(input);
  }
  order.close_input(first);
  EXPECT_EQ(order.most_behind(), held);
  EXPECT_TRUE(pop_all(order).empty()) << "what was closed is forgotten, what is open holds back";
  order.close_input(held);
  order.finish();
  EXPECT_EQ(pop_all(order).size(), 100'000U);
}

// Against a twin that has an input for every opening: inputs come and go, wait and wake, and the state is saved and
// loaded in between.
TEST(Order, TakenIdsHoldBackAsNewOnesWould) {
  struct TwinInput {
    std::int64_t latest = 0;
    bool open = true;
    bool idle = false;
    InputId id = 0;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    auto order = std::make_unique<Order>(stream());
    std::vector<TwinInput> twin;
    std::vector<std::int64_t> waiting;
    std::int64_t floor = 0;
    std::int64_t clock = 0;
    for (int step = 0; step < 400; ++step) {
      clock += static_cast<std::int64_t>(below(3 * kMinute));
      const std::size_t pick = twin.empty() ? 0 : below(twin.size());
      const bool usable = !twin.empty() && twin[pick].open;
      const std::size_t action = below(10);
      if (twin.empty() || action < 2) {
        const InputId id = order->open_input(EventTime::from_milliseconds(kStart + clock));
        for (const TwinInput& other : twin) { ASSERT_TRUE(!other.open || other.id != id); }
        twin.push_back({clock, true, false, id});
      } else if (usable && action < 3) {
        order->close_input(twin[pick].id);
        twin[pick].open = false;
      } else if (usable && action < 4) {
        order->idle_input(twin[pick].id);
        twin[pick].idle = true;
      } else if (usable) {
        const std::int64_t time = std::max(floor, clock - static_cast<std::int64_t>(below(14 * kMinute)));
        ASSERT_EQ(order->push(twin[pick].id, at(time, 0, step)), Arrival::kAccepted);
        twin[pick].latest = std::max(twin[pick].latest, time);
        twin[pick].idle = false;
        waiting.push_back(time);
      }
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      for (const TwinInput& input : twin) {
        if (input.open && !input.idle) { least = std::min(least, input.latest - 15 * kMinute); }
      }
      if (least != std::numeric_limits<std::int64_t>::max()) { floor = std::max(floor, least); }
      std::sort(waiting.begin(), waiting.end());
      const auto final_end = std::lower_bound(waiting.begin(), waiting.end(), floor);
      std::vector<Popped> expected;
      for (auto time = waiting.begin(); time != final_end; ++time) { expected.push_back({*time, Timeliness::kInTime}); }
      waiting.erase(waiting.begin(), final_end);
      ASSERT_EQ(pop_all(*order), expected) << "step " << step;
      if (below(20) == 0) {
        const auto saved = order->save();
        ASSERT_TRUE(saved);
        order = std::make_unique<Order>(stream());
        ASSERT_TRUE(order->load(*saved));
      }
    }
  }
}

// A folder that is not there yet stands for a disk without room.
class RoomTest : public testing::Test {
 protected:
  RoomTest() : folder_(std::filesystem::temp_directory_path() / ("keyvigil-room-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
  }
  ~RoomTest() override { std::filesystem::remove_all(folder_); }
  RoomTest(const RoomTest&) = delete;
  RoomTest& operator=(const RoomTest&) = delete;

  [[nodiscard]] OrderOptions options(OrderMode mode) const {
    OrderOptions options;
    options.mode = mode;
    options.memory_limit_events = 4;
    options.spill_directory = folder_.string();
    return options;
  }
  void make_room() const { std::filesystem::create_directory(folder_); }
  void fill() const { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(RoomTest, AStreamKeepsWhatTheDiskDoesNotTakeAndGoesOn) {
  Order order(options(OrderMode::kStream));
  const InputId input = order.open_input(start());
  for (std::int64_t i = 0; i < 4; ++i) { EXPECT_EQ(order.push(input, at(i * kMinute)), Arrival::kAccepted); }
  ASSERT_TRUE(order.short_of_room());
  EXPECT_EQ(order.short_of_room()->kind, ErrorKind::kNoRoom);
  EXPECT_FALSE(order.make_room());
  EXPECT_EQ(order.push(input, at(4 * kMinute)), Arrival::kAccepted) << "the rest of a batch";
  EXPECT_FALSE(order.failure());
  EXPECT_EQ(order.held(), 5U);
  EXPECT_TRUE(order.save()) << "what waits in memory is saved all the same";
  make_room();
  EXPECT_TRUE(order.make_room());
  EXPECT_FALSE(order.short_of_room());
  EXPECT_GT(order.counts().spilled, 0U);
  order.finish();
  EXPECT_EQ(pop_all(order).size(), 5U);
}

TEST_F(RoomTest, FilesFailAndSayWhatToDo) {
  Order order(options(OrderMode::kFiles));
  const InputId input = order.open_input(start());
  Arrival arrival = Arrival::kAccepted;
  for (std::int64_t i = 0; i < 4; ++i) { arrival = order.push(input, at(i * kMinute)); }
  EXPECT_EQ(arrival, Arrival::kFailed);
  ASSERT_TRUE(order.failure());
  EXPECT_NE(order.failure()->message.find("give --tmp a folder"), std::string::npos);
}

TEST_F(RoomTest, ASavedStreamIsLoadedOnceThereIsRoom) {
  make_room();
  std::string saved;
  {
    Order order(options(OrderMode::kStream));
    const InputId input = order.open_input(start());
    for (std::int64_t i = 0; i < 9; ++i) { static_cast<void>(order.push(input, at(i * kMinute))); }
    saved = order.save().value();
  }
  fill();
  Order without(options(OrderMode::kStream));
  const auto refused = without.load(saved);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kNoRoom);
  make_room();
  Order order(options(OrderMode::kStream));
  ASSERT_TRUE(order.load(saved));
  order.finish();
  EXPECT_EQ(pop_all(order).size(), 9U);
}

// Many runs are merged into one; where that does not fit, nothing of them was taken.
TEST_F(RoomTest, AMergeThatDoesNotFitTakesNothing) {
  make_room();
  Order order(options(OrderMode::kStream));
  const InputId input = order.open_input(start());
  std::int64_t pushed = 0;
  // Each run holds the younger half of four.
  while (order.counts().spilled < 2 * SpillMerge::kFanIn) {
    ASSERT_EQ(order.push(input, at(pushed++ * 1000)), Arrival::kAccepted);
  }
  fill();
  while (!order.short_of_room()) { ASSERT_EQ(order.push(input, at(pushed++ * 1000)), Arrival::kAccepted); }
  EXPECT_EQ(order.held(), static_cast<std::uint64_t>(pushed));
  make_room();
  ASSERT_TRUE(order.make_room());
  order.finish();
  const auto popped = pop_all(order);
  ASSERT_EQ(popped.size(), static_cast<std::size_t>(pushed));
  for (std::size_t i = 0; i < popped.size(); ++i) {
    EXPECT_EQ(popped[i].after_start, static_cast<std::int64_t>(i) * 1000);
  }
}

}  // namespace
}  // namespace keyvigil
