// Laws of the engine with everything it learns: a stop, save and load at any event changes nothing; saving is a
// function of the state; damage is refused; no clock makes it fail or say what is no number.
#include "engine/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "alert/arm_json.h"
#include "alert/repeats.h"
#include "reference/eager_engine.h"
#include "reference/estate_days.h"

namespace keyvigil {
namespace {

EngineOptions eager() {
  return eager_options(12);
}

std::string in_words(const Decision& decision) {
  std::string words;
  for (const Finding& finding : decision.findings) {
    words += fmt::format("{}/{} {} {};", static_cast<int>(finding.type), static_cast<int>(finding.suspicion.subject),
                         finding.verdict.model_p, finding.verdict.calibrated_p);
  }
  return words;
}

std::vector<std::string> decided(Engine& engine, const std::vector<AccessEvent>& events, std::size_t from,
                                 std::size_t to) {
  std::vector<std::string> all;
  Decision decision;
  for (std::size_t i = from; i < to; ++i) {
    engine.decide(events[i], Timeliness::kInTime, decision);
    all.push_back(in_words(decision));
  }
  return all;
}

std::size_t count_raised(const std::vector<std::string>& decisions) {
  return static_cast<std::size_t>(
      std::count_if(decisions.begin(), decisions.end(), [](const std::string& one) { return !one.empty(); }));
}

TEST(EngineLaws, TheDaysOfTheTestsDoRaiseSomething) {
  const AddressBook book;
  Engine engine(book, eager());
  const auto events = estate_days(1, 25, 60, 20);
  EXPECT_GT(count_raised(decided(engine, events, 0, events.size())), 5);
  EXPECT_GT(engine.statistics().held_back, 0);
}

RC_GTEST_PROP(EngineLaws, StopSaveAndLoadAtAnyEventChangeNothing, ()) {
  const AddressBook book;
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto events = estate_days(seed, 20, 40, 20);
  Engine whole(book, eager());
  const auto expected = decided(whole, events, 0, events.size());
  const auto cut = *rc::gen::inRange<std::size_t>(0, events.size());
  Engine first(book, eager());
  auto found = decided(first, events, 0, cut);
  Engine second(book, eager());
  RC_ASSERT(second.load(first.save()).has_value());
  RC_ASSERT(second.save() == first.save());
  const auto rest = decided(second, events, cut, events.size());
  found.insert(found.end(), rest.begin(), rest.end());
  RC_ASSERT(found == expected);
  RC_ASSERT(second.save() == whole.save());
}

RC_GTEST_PROP(EngineLaws, CutStateIsRefused, ()) {
  const AddressBook book;
  Engine engine(book, eager());
  const auto events = estate_days(3, 8, 30, 30);
  (void)decided(engine, events, 0, events.size());
  const std::string bytes = engine.save();
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  Engine other(book, eager());
  RC_ASSERT(!other.load(std::string_view(bytes).substr(0, cut)).has_value());
}

// What a checksum would refuse too must not crash even where it was forged.
RC_GTEST_PROP(EngineLaws, FlippedStateIsRefusedOrHarmless, ()) {
  const AddressBook book;
  Engine engine(book, eager());
  const auto events = estate_days(4, 8, 30, 30);
  (void)decided(engine, events, 0, events.size() / 2);
  std::string bytes = engine.save();
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
  Engine other(book, eager());
  if (!other.load(bytes)) { return; }
  (void)decided(other, events, events.size() / 2, events.size());
}

// Backwards, ten years ahead, before 1970: defined answers.
TEST(EngineLaws, NoClockMakesItFail) {
  const AddressBook book;
  Engine engine(book, eager());
  std::vector<AccessEvent> events = estate_days(5, 10, 20, 50);
  for (const std::string_view when : {"1999-01-01T00:00:00Z", "2036-01-01T00:00:00Z", "1960-01-01T00:00:00Z",
                                      "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
    AccessEvent event = events.front();
    event.time = parse_iso_time(when).value();
    events.push_back(event);
  }
  Decision decision;
  for (const AccessEvent& event : events) {
    engine.decide(event, Timeliness::kInTime, decision);
    for (const Finding& finding : decision.findings) {
      EXPECT_TRUE(std::isfinite(finding.verdict.calibrated_p));
      EXPECT_GE(finding.verdict.calibrated_p, 0);
      EXPECT_LE(finding.verdict.calibrated_p, 1);
    }
  }
  EXPECT_FALSE(engine.save().empty());
}

// One event, all refused, all challenges: nothing to learn from is no reason to alert.
TEST(EngineLaws, AThinEstateRaisesNothing) {
  const AddressBook book;
  for (const std::uint16_t status : {std::uint16_t{200}, std::uint16_t{403}, std::uint16_t{401}}) {
    Engine engine(book, EngineOptions{});
    Decision decision;
    const std::int64_t start = parse_iso_time("2026-03-01T00:00:00Z").value().ticks;
    for (int day = 0; day < 40; ++day) {
      EventBuilder builder;
      if (status == 401) {
        builder.anonymous();
      } else {
        builder.user("alice");
      }
      engine.decide(
          builder.status(status).object("secrets/a").at(EventTime{start + day * EventTime::kTicksPerDay}).build(),
          Timeliness::kInTime, decision);
      EXPECT_TRUE(decision.findings.empty()) << status << " day " << day;
    }
  }
}

// A flood of callers and vaults that nobody saw before stays within the limits and flushes nobody who is settled.
TEST(EngineLaws, AFloodStaysWithinItsBoundsAndFlushesNobody) {
  const AddressBook book;
  EngineOptions options = eager();
  options.limits = {.callers = 64, .vaults = 64, .edges = 256, .prefixes = 64};
  Engine engine(book, options);
  const auto events = estate_days(6, 10, 40, 0);
  (void)decided(engine, events, 0, events.size());
  Decision decision;
  EventTime at = events.back().time;
  for (int i = 0; i < 5000; ++i) {
    at.ticks += EventTime::kTicksPerMinute;
    const std::string name = "m" + std::to_string(i);
    engine.decide(EventBuilder().user(name).vault("kv-" + name).object("secrets/a").at(at).build(), Timeliness::kInTime,
                  decision);
  }
  EXPECT_LE(engine.history().callers().size(), 64);
  EXPECT_LE(engine.history().vaults().size(), 64);
  EXPECT_TRUE(engine.history().callers().find("10000000-0000-4000-8000-000000000001"));
  const AccessGraph& graph = engine.history().vault_touches().graph();
  EXPECT_EQ(
      graph.edge("10000000-0000-4000-8000-000000000001", EventBuilder().vault("kv-2").build().vault_id(), at).touch,
      EdgeFacts::Touch::kKnown);
  EXPECT_GT(engine.history().callers().evictions(), 0);
}

}  // namespace
}  // namespace keyvigil
