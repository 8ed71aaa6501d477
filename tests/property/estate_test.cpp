// Laws: it does not matter to an estate's alerts whether events are read from files or stream in, in which pieces and
// how far out of order within the lateness they come, or where the estate is saved and taken up again.
#include "estate/estate.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/lists.h"
#include "reference/random_estate.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kLatenessMinutes = 15;

// Two of the estate's addresses, so that lists and behaviour both speak.
AddressBook book() {
  ListArchive lists;
  lists.files.push_back({ListRole::kTor, "exits.txt", "203.0.2.9\n"});
  lists.files.push_back({ListRole::kSuspicious, "suspicious.netset", "203.0.5.0/24\n"});
  return address_book(lists).value();
}

EstateOptions options(OrderMode mode, bool tell_open = false) {
  EstateOptions options;
  options.order.mode = mode;
  options.order.lateness_milliseconds = kLatenessMinutes * 60'000;
  options.engine.learning_days = 5;
  options.tell_open = tell_open;
  return options;
}

std::vector<AccessEvent> events_of(std::uint32_t seed) {
  RandomEstate estate;
  estate.seed = seed;
  estate.events_per_day = 40;
  return random_estate(estate);
}

// What came of an estate: the decided events, and of each alert the last revision that was handed out.
struct Heard {
  std::vector<std::int64_t> decided;
  std::uint64_t duplicates = 0;
  std::map<std::string, Alert> alerts;  // by id

  EstateReceiver receiver() {
    return {.decided = [this](const DecidedEvent& one) { decided.push_back(one.event.time.ticks); },
            .revised = [this](Alert&& alert, const AccessEvent* /*cause*/) -> Result<void> {
              const std::string id = alert.id;
              alerts[id] = std::move(alert);
              return {};
            }};
  }
  friend bool operator==(const Heard&, const Heard&) = default;
};

// By one input, which stays open.
void push_all(Estate& estate, std::vector<AccessEvent> events) {
  const InputId input = estate.open_input(events.front().time);
  for (AccessEvent& event : events) { RC_ASSERT(estate.push(input, std::move(event)) == Arrival::kAccepted); }
}

Heard in_one_go(const AddressBook& lists, const EstateOptions& how, std::vector<AccessEvent> events) {
  Heard heard;
  Estate estate(lists, how);
  const EstateReceiver receiver = heard.receiver();
  push_all(estate, std::move(events));
  RC_ASSERT(estate.decide_rest(receiver).has_value());
  RC_ASSERT(estate.close_alerts(receiver).has_value());
  heard.duplicates = estate.order().counts().duplicates;
  return heard;
}

RC_GTEST_PROP(Estate, AStreamRaisesWhatFilesRaise, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const AddressBook lists = book();
  const auto events = events_of(seed);
  const Heard files = in_one_go(lists, options(OrderMode::kFiles), events);
  RC_ASSERT(files.decided.size() + files.duplicates == events.size());
  RC_ASSERT(std::ranges::is_sorted(files.decided));
  RC_ASSERT(files == in_one_go(lists, options(OrderMode::kStream, true), events));
}

RC_GTEST_PROP(Estate, PiecesAndDisorderWithinTheLatenessDoNotMatter, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const AddressBook lists = book();
  auto events = events_of(seed);
  const Heard expected = in_one_go(lists, options(OrderMode::kStream), events);

  std::mt19937 random(seed);
  std::vector<std::pair<std::int64_t, std::size_t>> arrival;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::int64_t delay = static_cast<std::int64_t>(random() % kLatenessMinutes) * EventTime::kTicksPerMinute;
    arrival.emplace_back(events[i].time.ticks + delay, i);
  }
  std::ranges::sort(arrival);
  Heard heard;
  Estate estate(lists, options(OrderMode::kStream));
  const EstateReceiver receiver = heard.receiver();
  const InputId input = estate.open_input(events.front().time);
  for (const auto& [at, place] : arrival) {
    RC_ASSERT(estate.push(input, std::move(events[place])) == Arrival::kAccepted);
    if (random() % 20 == 0) { RC_ASSERT(estate.decide_ready(receiver).has_value()); }
  }
  RC_ASSERT(estate.decide_rest(receiver).has_value());
  RC_ASSERT(estate.close_alerts(receiver).has_value());
  RC_ASSERT(heard.decided == expected.decided);
  RC_ASSERT(heard.alerts == expected.alerts);
}

RC_GTEST_PROP(Estate, SavingAndTakingUpAnywhereDoesNotMatter, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const AddressBook lists = book();
  const auto events = events_of(seed);
  const Heard expected = in_one_go(lists, options(OrderMode::kStream), events);
  const auto cut = static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(1, events.size()));

  Heard heard;
  const EstateReceiver receiver = heard.receiver();
  Estate first(lists, options(OrderMode::kStream));
  push_all(first, {events.begin(), events.begin() + cut});
  RC_ASSERT(first.decide_all_but_youngest(receiver).has_value());
  const auto saved = first.save();
  RC_ASSERT(saved.has_value());

  Estate second(lists, options(OrderMode::kStream));
  RC_ASSERT(second.load(estate_sections(*saved)).has_value());
  RC_ASSERT(second.save()->sections == saved->sections);
  push_all(second, {events.begin() + cut, events.end()});
  RC_ASSERT(second.decide_rest(receiver).has_value());
  RC_ASSERT(second.close_alerts(receiver).has_value());
  RC_ASSERT(heard.decided == expected.decided);
  RC_ASSERT(heard.alerts == expected.alerts);
}

// The laws have something to say.
TEST(Estate, TheStreamsRaiseAlertsOfManyTypes) {
  const AddressBook lists = book();
  std::set<AlertType> types;
  for (std::uint32_t seed = 0; seed < 6; ++seed) {
    for (const auto& [id, alert] : in_one_go(lists, options(OrderMode::kFiles), events_of(seed)).alerts) {
      types.insert(alert.type);
    }
  }
  EXPECT_GE(types.size(), 5U);
}

TEST(Estate, WhatIsNotReportedTeachesAndRaisesNothing) {
  const AddressBook lists = book();
  const auto events = events_of(3);
  EstateOptions window = options(OrderMode::kFiles);
  window.report_from = events[events.size() / 2].time;
  window.report_until = events.back().time;
  const Heard all = in_one_go(lists, options(OrderMode::kFiles), events);
  const Heard some = in_one_go(lists, window, events);
  EXPECT_EQ(some.decided, all.decided);
  EXPECT_FALSE(some.alerts.empty());
  EXPECT_LT(some.alerts.size(), all.alerts.size());
}

TEST(Estate, AnErrorOfWhoeverReceivesStopsTheDeciding) {
  const AddressBook lists = book();
  auto events = events_of(4);
  Estate estate(lists, options(OrderMode::kFiles, true));
  std::size_t decided = 0;
  const EstateReceiver receiver{.decided = [&](const DecidedEvent&) { ++decided; },
                                .revised = [](Alert&&, const AccessEvent*) -> Result<void> {
                                  return fail(ErrorKind::kNoRoom, "expected room for an alert, found none");
                                }};
  const InputId input = estate.open_input(events.front().time);
  for (AccessEvent& event : events) { ASSERT_EQ(estate.push(input, std::move(event)), Arrival::kAccepted); }
  const auto ended = estate.decide_rest(receiver);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kNoRoom);
  EXPECT_LT(decided, events.size());
}

TEST(Estate, TimeThatPassesClosesAlerts) {
  const AddressBook lists = book();
  auto events = events_of(5);
  Heard heard;
  const EstateReceiver receiver = heard.receiver();
  Estate estate(lists, options(OrderMode::kStream));
  const EventTime end = events.back().time;
  push_all(estate, std::move(events));
  estate.idle_input(0);
  ASSERT_TRUE(estate.decide_ready(receiver));
  ASSERT_GT(estate.repeats().open_count(), 0U);
  estate.advance(EventTime{end.ticks + 3 * EventTime::kTicksPerDay});
  ASSERT_TRUE(estate.decide_ready(receiver));
  EXPECT_EQ(estate.repeats().open_count(), 0U);
  EXPECT_EQ(estate.order().held(), 0U);
}

}  // namespace
}  // namespace keyvigil
