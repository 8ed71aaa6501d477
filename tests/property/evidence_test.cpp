// Laws of what alerts claim: whatever happened, and whichever revision is looked at, nothing of it is untrue.
#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "alert/repeats.h"
#include "engine/engine.h"
#include "reference/eager_engine.h"
#include "reference/estate_days.h"
#include "reference/evidence_claims.h"
#include "reference/list_world.h"
#include "reference/random_estate.h"

namespace keyvigil {
namespace {

EngineOptions eager() {
  return eager_options(8);
}

struct Audited {
  std::size_t alerts = 0;
  std::size_t revisions = 0;
  std::size_t claims = 0;
  std::set<AlertType> types;
  std::vector<std::string> untrue;

  void take(const Alert& alert, const std::vector<AccessEvent>& events) {
    ClaimsAudit audit = audit_claims(alert, events);
    claims += audit.claims;
    types.insert(alert.type);
    std::ranges::move(audit.untrue, std::back_inserter(untrue));
  }
};

void give_places(std::vector<AccessEvent>& events) {
  for (std::size_t i = 0; i < events.size(); ++i) { events[i].place = {.input = 0, .line = i + 1, .byte = 0}; }
}

bool is_probability(const Number& number) {
  return number.quantity == Quantity::kProbability;
}

// Hands over every revision, as whoever looks at an open alert sees it, and every alert at the end.
void run(const std::vector<AccessEvent>& events, const RepeatsLimits& limits, std::vector<Alert>& revised,
         std::vector<Alert>& closed) {
  ListWorld world;
  Engine engine(world.book(), eager());
  Repeats repeats(limits, [](std::uint32_t) { return "log"; });
  Decision decision;
  for (const AccessEvent& event : events) {
    engine.decide(event, Timeliness::kInTime, decision);
    repeats.advance(event.time, closed);
    repeats.observe(event, decision, world.book(), &revised);
  }
  repeats.finish(closed);
}

Audited audited(std::vector<AccessEvent> events, const RepeatsLimits& limits = {}) {
  give_places(events);
  std::vector<Alert> revised;
  std::vector<Alert> closed;
  run(events, limits, revised, closed);
  Audited answer;
  answer.alerts = closed.size();
  answer.revisions = revised.size();
  for (const Alert& alert : revised) { answer.take(alert, events); }
  for (const Alert& alert : closed) { answer.take(alert, events); }
  return answer;
}

RepeatsLimits short_of_room() {
  RepeatsLimits limits;
  limits.open_alerts = 6;
  limits.records = 10;
  limits.context_records = 3;
  limits.records_in_all = 60;
  limits.recent = {.bytes = std::size_t{1} << 20U, .watched_bytes = std::size_t{1} << 20U, .watched_callers = 2};
  return limits;
}

TEST(EvidenceLaws, ManyTypesAndClaimsAreLookedAt) {
  Audited all = audited(random_estate({.seed = 1, .days = 20, .events_per_day = 60, .name = "contoso"}));
  EXPECT_GE(all.alerts, 20U);
  EXPECT_GE(all.revisions, 50U);
  EXPECT_GE(all.claims, 5'000U);
  EXPECT_GE(all.types.size(), 6U);
}

TEST(EvidenceLaws, WhatIsUntrueIsFound) {
  auto events = random_estate({.seed = 1, .days = 20, .events_per_day = 60, .name = "contoso"});
  give_places(events);
  std::vector<Alert> revised;
  std::vector<Alert> alerts;
  run(events, {}, revised, alerts);
  const auto whole = std::ranges::find_if(alerts, [](const Alert& alert) {
    return alert.records_total == alert.records.size() && !alert.objects_read.empty() && !alert.caller.key.empty();
  });
  ASSERT_NE(whole, alerts.end());
  ASSERT_EQ(audit_claims(*whole, events).untrue, std::vector<std::string>());
  const std::vector<std::function<void(Alert&)>> lies = {
      [](Alert& alert) { alert.records.front().line += 1; },
      [](Alert& alert) { alert.records.front().vault += "x"; },
      [](Alert& alert) { alert.records.front().caller += "x"; },
      [](Alert& alert) { alert.records.push_back(alert.records.front()); },
      [](Alert& alert) { ++alert.suspicious_events; },
      [](Alert& alert) { ++alert.cause_events; },
      [](Alert& alert) { ++alert.suspicious_operations["SecretGet"]; },
      [](Alert& alert) { alert.first_event.ticks -= EventTime::kTicksPerHour; },
      [](Alert& alert) { alert.last_event.ticks += EventTime::kTicksPerHour; },
      [](Alert& alert) { alert.objects_read.erase(alert.objects_read.begin()); },
      [](Alert& alert) {
        alert.also_read.insert({"kv-a", "secrets/never-read", ""});
      },
      [](Alert& alert) { alert.caller.key += "x"; },
      [](Alert& alert) { alert.reasons.front().with(Quantity::kProbability, 1.5); }};
  for (std::size_t i = 0; i < lies.size(); ++i) {
    Alert alert = *whole;
    for (Reason& reason : alert.reasons) { std::erase_if(reason.numbers, is_probability); }
    lies[i](alert);
    EXPECT_FALSE(audit_claims(alert, events).untrue.empty()) << "lie " << i;
  }
}

// A change of policy, the caller's own and another's, and a first use a day before the piece that was joined; what
// another family's evidence began with.
TEST(EvidenceLaws, WhatAPieceSpeaksOfIsInTheAlertHoweverEarlyItBegan) {
  for (const std::uint32_t seed : {22'269U, 226'276U}) {
    const Audited all = audited(random_estate({.seed = seed, .days = 16, .events_per_day = 40, .name = "contoso"}));
    EXPECT_EQ(all.untrue, std::vector<std::string>()) << "seed " << seed;
  }
  const auto estate = random_estate({.seed = 65'822, .days = 16, .events_per_day = 40, .name = "contoso"});
  EXPECT_EQ(audited(estate, short_of_room()).untrue, std::vector<std::string>());
}

RC_GTEST_PROP(EvidenceLaws, NoClaimIsUntrueInARandomEstate, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const Audited all = audited(random_estate({.seed = seed, .days = 16, .events_per_day = 40, .name = "contoso"}));
  RC_ASSERT(all.untrue == std::vector<std::string>());
}

RC_GTEST_PROP(EvidenceLaws, NoClaimIsUntrueInAnEstateOfHabits, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const Audited all = audited(estate_days(seed, 16, 40, 60));
  RC_ASSERT(all.untrue == std::vector<std::string>());
}

// Where there is no room, less is claimed, and that is true.
RC_GTEST_PROP(EvidenceLaws, NoClaimIsUntrueWhereRoomIsShort, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const Audited all =
      audited(random_estate({.seed = seed, .days = 16, .events_per_day = 40, .name = "contoso"}), short_of_room());
  RC_ASSERT(all.untrue == std::vector<std::string>());
}

}  // namespace
}  // namespace keyvigil
