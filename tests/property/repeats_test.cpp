// Laws of the memory of open alerts: neither how the events are cut into batches nor a stop and resume at any point
// has an influence on the alerts.
#include "alert/repeats.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "alert/arm_json.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {
namespace {

// Few callers, addresses and vaults over five days, so that alerts meet, overlap and close; some events go back.
std::vector<AccessEvent> some_events() {
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1'000'000));
  std::vector<AccessEvent> events;
  std::int64_t ticks = parse_iso_time("2026-09-28T10:00:00Z").value().ticks;
  const std::vector<std::string> addresses = {"203.0.113.7", "203.0.113.9", "198.51.100.5", "192.0.2.44"};
  const std::vector<std::string> vaults = {"kv-a", "kv-b"};
  constexpr std::uint16_t kStatuses[] = {200, 403, 401, 404};
  for (const int step : steps) {
    const auto pick = [&, rest = static_cast<std::size_t>(step)](std::size_t choices) mutable {
      const std::size_t choice = rest % choices;
      rest /= choices;
      return choice;
    };
    auto choose = pick;
    EventBuilder builder;
    builder.vault(vaults[choose(2)]).from(addresses[choose(4)]);
    if (const std::size_t who = choose(3); who < 2) { builder.user(who == 0 ? "alice" : "bob"); }
    builder.status(kStatuses[choose(4)]).object("secrets/s" + std::to_string(choose(5)));
    ticks += (static_cast<std::int64_t>(choose(30)) - 3) * EventTime::kTicksPerHour;
    events.push_back(builder.at(EventTime{ticks}).build());
  }
  return events;
}

std::string rendered(const std::vector<Alert>& alerts) {
  std::string lines;
  for (const Alert& alert : alerts) { lines += to_json_line(arm_json(alert, {})) + "\n"; }
  return lines;
}

std::vector<std::size_t> some_cuts(std::size_t size) {
  auto cuts = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, size + 1));
  cuts.push_back(size);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

RC_GTEST_PROP(RepeatsLaws, BatchCutsHaveNoInfluence, ()) {
  ListWorld world;
  const std::vector<AccessEvent> events = some_events();
  Repeats repeats;
  std::vector<Alert> all;
  std::size_t begin = 0;
  for (const std::size_t cut : some_cuts(events.size())) {
    std::vector<Alert> closed;  // each batch hands its alerts over by itself
    world.run(repeats, std::span(events).subspan(begin, cut - begin), closed);
    all.insert(all.end(), closed.begin(), closed.end());
    begin = cut;
  }
  repeats.finish(all);
  RC_ASSERT(rendered(all) == rendered(world.run_all(events)));
}

RC_GTEST_PROP(RepeatsLaws, AStopAndResumeAtAnyPointHasNoInfluence, ()) {
  ListWorld world;
  const std::vector<AccessEvent> events = some_events();
  std::vector<Alert> all;
  std::size_t begin = 0;
  std::string state;
  for (const std::size_t cut : some_cuts(events.size())) {
    Repeats repeats;
    if (!state.empty()) {
      SnapshotReader reader(state);
      RC_ASSERT(repeats.load(reader));
    }
    world.run(repeats, std::span(events).subspan(begin, cut - begin), all);
    SnapshotWriter writer;
    repeats.save(writer);
    state = writer.bytes();
    begin = cut;
  }
  Repeats last;
  SnapshotReader reader(state);
  RC_ASSERT(last.load(reader));
  last.finish(all);
  RC_ASSERT(rendered(all) == rendered(world.run_all(events)));
}

// Two callers were met at one address, the later first: whose a request without a name is does not depend on the stop.
TEST(RepeatsLaws, AStopHasNoInfluenceOnWhomAnUnnamedRequestJoins) {
  ListWorld world;
  EventBuilder builder;
  builder.from("203.0.113.7").status(403);
  std::vector<AccessEvent> events = {builder.user("bob").at("2026-09-29T02:00:00Z").build(),
                                     builder.user("alice").at("2026-09-29T00:00:00Z").build(),
                                     builder.anonymous().status(401).at("2026-09-29T18:00:00Z").build()};
  std::vector<Alert> all;
  Repeats before;
  world.run(before, std::span(events).first(2), all);
  SnapshotWriter writer;
  before.save(writer);
  SnapshotReader reader(writer.bytes());
  Repeats after;
  ASSERT_TRUE(after.load(reader));
  world.run(after, std::span(events).subspan(2), all);
  after.finish(all);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(rendered(all), rendered(world.run_all(events)));
}

RC_GTEST_PROP(RepeatsLaws, EverySuspiciousEventIsCountedInExactlyOneAlertPerType, ()) {
  ListWorld world;
  const std::vector<AccessEvent> events = some_events();
  std::uint64_t findings = 0;
  for (const AccessEvent& event : events) { findings += world.decide(event).findings.size(); }
  std::uint64_t counted = 0;
  for (const Alert& alert : world.run_all(events)) { counted += alert.suspicious_events; }
  RC_ASSERT(counted == findings);
}

}  // namespace
}  // namespace keyvigil
