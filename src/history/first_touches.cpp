#include "history/first_touches.h"

#include <algorithm>

#include "statistics/edge_score.h"
#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kHalfLifeCallerDays = 20'000;
constexpr double kDormantDiscount = 2;  // a thing once known surprises half as much

std::int64_t age_days(const AccessGraph& graph, const TableKey& thing, EventTime at) {
  const auto slot = graph.vaults().find(thing);
  return slot ? at.day() - graph.vaults().first_day(*slot) : 0;
}

double score_of(const WalkFacts& walk, std::uint64_t callers, const AccessGraph& near,
                const std::optional<double>& group_popularity) {
  const auto edges = static_cast<double>(near.closed_edges());
  const auto things = static_cast<double>(near.closed_vaults());
  const double popularity = vault_popularity(static_cast<double>(callers), edges, things);
  return group_popularity ? edge_score(walk.probability, *group_popularity, popularity, things)
                          : edge_score(walk.probability, popularity, things);
}

}  // namespace

FirstTouches::FirstTouches(const AccessGraphLimits& limits, const FirstTouchPriors& priors)
    : known_days_(priors.known_days), graph_(limits) {
  for (std::size_t i = 0; i < kCallerClassCount; ++i) {
    CountParent prior = priors.first_touches_per_day[i];
    prior.windows = PopulationCount::kRareMemberWindows;
    classes_[i].touches = PopulationCount(prior, PopulationCount::kRarePriorWindows);
  }
}

std::optional<FirstTouches::Touch> FirstTouches::observe(const Caller& caller, const TableKey& thing, EventTime at,
                                                         const TouchHabit& habit, const AccessGraph& near,
                                                         const GroupPopularity& group_popularity) const {
  const EdgeFacts edge = graph_.edge(caller.key, thing, at);
  if (edge.touch == EdgeFacts::Touch::kKnown) { return std::nullopt; }
  const ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
  // Hints are for this graph.
  const bool own = &near == &graph_;
  const TableKey near_thing = own ? thing : TableKey(thing.text, thing.hash);
  WalkFacts walk = near.walk(own ? caller.key : TableKey(caller.key.text, caller.key.hash), near_thing, at);
  Touch touch;
  FirstTouch& facts = touch.facts;
  facts.thing_callers = near.callers_of(near_thing);
  touch.score = score_of(walk, facts.thing_callers, near, group_popularity ? group_popularity() : std::nullopt);
  facts.dormant = edge.touch == EdgeFacts::Touch::kDormant;
  facts.idle_days = edge.hours_since_last / 24;
  facts.caller_is_new = !caller.never_new && caller.days_seen < known_days_;
  facts.caller_days = caller.days_seen;
  facts.caller_things = walk.vaults;
  facts.nearest_thing = std::move(walk.nearest_vault);
  facts.sharing = walk.sharing;
  facts.sharing_and_using = walk.sharing_and_using;
  const std::int64_t age = age_days(near, near_thing, at);
  facts.rate = rate_of(caller, habit);
  facts.today = habit.today + 1;
  touch.unheard = !graph_.vaults().find(thing);
  facts.unheard_rate =
      touch.unheard ? (kPriorTouches + known.unheard_touches) / (kPriorCallerDays + known.caller_days) : 0;
  facts.surprise = (facts.caller_is_new ? known.newcomer_scores : known.scores).surprise(touch.score);
  touch.tested = !facts.caller_is_new || age >= kOldThingDays;
  touch.settled = age >= kSettlingDays;
  if (facts.dormant) { facts.surprise = std::min(1.0, kDormantDiscount * facts.surprise); }
  return touch;
}

NewThingRate FirstTouches::rate_of(const Caller& caller, const TouchHabit& habit) const {
  const ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
  if (!caller.never_new && caller.days_seen < known_days_) {
    const double touches = kPriorTouches + known.newcomer_touches;
    return {touches / (kPriorCallerDays + known.caller_days), 1 / touches, known.caller_days};
  }
  const CountParent& parent = known.touches.parent();
  return {habit.days.mean(parent, 1), habit.days.dispersion(parent, 1), habit.days.windows};
}

void FirstTouches::learn(const Caller& caller, const TableKey& thing, EventTime at, const std::optional<Touch>& touch,
                         bool benign, TouchHabit& habit) {
  if (touch) {
    ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
    ++habit.today;
    // That newcomers turn up is learned whether or not somebody was alerted: else the first alerts would last.
    const bool newcomer = touch->facts.caller_is_new;
    known.pending_newcomer_touches += newcomer && touch->settled ? 1U : 0U;
    known.pending_unheard_touches += !newcomer && touch->unheard ? 1U : 0U;
    if (benign && touch->settled) { (newcomer ? known.newcomer_scores : known.scores).learn(touch->score); }
  }
  graph_.learn(caller.key, thing, at, benign);
}

void FirstTouches::close_day(CallerClass caller_class, bool newcomer, TouchHabit& habit) {
  ClassState& known = classes_[static_cast<std::size_t>(caller_class)];
  ++known.pending_caller_days;
  const double count = static_cast<double>(habit.today) + 1;
  habit.today = 0;
  if (newcomer) { return; }  // whoever starts touches everything for the first time
  known.touches.learn(count, habit.days);
  habit.days.learn(count, known.touches.parent(), 1);
}

void FirstTouches::close_hour(std::int64_t hour) {
  graph_.close_hour(hour);
  for (ClassState& known : classes_) {
    known.scores.close_hour();
    known.newcomer_scores.close_hour();
    known.touches.close_hour();
    const auto days = static_cast<double>(known.pending_caller_days);
    const double kept = half_life_decay(days, kHalfLifeCallerDays);
    known.newcomer_touches = kept * known.newcomer_touches + static_cast<double>(known.pending_newcomer_touches);
    known.unheard_touches = kept * known.unheard_touches + static_cast<double>(known.pending_unheard_touches);
    known.caller_days = kept * known.caller_days + days;
    known.pending_newcomer_touches = 0;
    known.pending_unheard_touches = 0;
    known.pending_caller_days = 0;
  }
}

std::uint64_t FirstTouches::scores_left_out() const {
  std::uint64_t left_out = 0;
  for (const ClassState& known : classes_) { left_out += known.scores.left_out() + known.newcomer_scores.left_out(); }
  return left_out;
}

void FirstTouches::save(SnapshotWriter& writer) const {
  writer.write_nested([this](SnapshotWriter& nested) { graph_.save(nested); });
  writer.write(classes_);
}

bool FirstTouches::load(SnapshotReader& reader) {
  std::string_view graph;
  if (!reader.read_nested(graph) || !graph_.load(graph) || !reader.read(classes_)) { return false; }
  bool sound = true;
  for (ClassState& known : classes_) { sound = known.scores.settle() && known.newcomer_scores.settle() && sound; }
  return sound;
}

}  // namespace keyvigil
