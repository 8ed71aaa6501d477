// Law: the histories count what their slow, obvious twin counts.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "history/estate_history.h"
#include "reference/history_twin.h"
#include "reference/random_estate.h"
#include "reference/raw_counts.h"

namespace keyvigil {
namespace {

// The first event about which the two differ, in words; empty where they agree.
std::string first_difference(const std::vector<AccessEvent>& events) {
  EstateHistory history;
  HistoryTwin twin;
  Facts facts;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const AccessEvent& event = events[i];
    (void)history.advance(event.time);
    history.observe(event, facts);
    const std::string found = raw_counts(facts);
    const std::string expected = twin.observe(event);
    if (found != expected) {
      return fmt::format("event {} at {}: {} {} {}\n  found    {}\n  expected {}", i, to_iso_milliseconds(event.time),
                         event.caller_key(), event.operation_name(), event.vault_id(), found, expected);
    }
    history.learn(event, facts, {});
  }
  return {};
}

RC_GTEST_PROP(HistoryTwin, CountsTheSameOverAnyStream, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto days = *rc::gen::inRange(1, 40);
  const auto events_per_day = *rc::gen::inRange(5, 80);
  const std::string difference =
      first_difference(random_estate({.seed = seed, .days = days, .events_per_day = events_per_day, .name = "a"}));
  if (!difference.empty()) { RC_FAIL(difference); }
}

// A list of certificates while a list of secrets was open, and the first read after that one was over.
TEST(HistoryTwin, WhatIsOverDoesNotOpenAgainAtTheHour) {
  EXPECT_EQ(first_difference(random_estate({.seed = 936'498, .days = 9, .events_per_day = 58, .name = "a"})), "");
}

TEST(HistoryTwin, CountsTheSameOverEightyDays) {
  EXPECT_EQ(first_difference(random_estate({.seed = 3, .days = 80, .events_per_day = 30, .name = "b"})), "");
}

}  // namespace
}  // namespace keyvigil
