#include "estate/bounds_met.h"

#include "base/check.h"

namespace keyvigil {

std::vector<BoundMet> bounds_met(const Engine& engine, const Order& order, const Repeats& repeats) {
  const EstateHistory& history = engine.history();
  std::uint64_t edges = 0;
  std::uint64_t scores = 0;
  for (std::size_t kind = 0; kind < EstateHistory::kTouchKinds; ++kind) {
    const AccessGraphStatistics& statistics = history.touches(kind).graph().statistics();
    edges += statistics.edges_replaced + statistics.edges_left_out;
    scores += history.touches(kind).scores_left_out();
  }
  const RepeatsStatistics& alerts = repeats.statistics();
  return {
      {"callers", "callers were forgotten for want of room", history.callers().evictions()},
      {"vaults", "vaults were forgotten for want of room", history.vaults().evictions()},
      {"edges", "things that callers touch were forgotten for want of room", edges},
      {"operations", "vaults lost their counts of the last 24 hours for want of room",
       engine.recent_operations().evicted_vaults()},
      {"objects", "objects are no longer known as read by their callers, for want of room",
       history.known_objects().forgotten},
      {"episodes", "lists and policy changes were not followed to their reads, for want of room",
       history.episodes().dropped()},
      {"network_visits", "visits from new networks were not followed for a day, for want of room",
       history.network_visits().forgotten()},
      {"scope_changes", "changes of the Activity Log were forgotten within a day, for want of room",
       history.scope_changes_dropped()},
      {"scores", "scores of new touches were left out of what is usual, for want of room", scores},
      {"subjects", "tests of callers and vaults were left out of calibration, for want of room",
       engine.judge().left_out()},
      {"decided", "decided events are no longer known as decided, for want of room",
       order.decided_events().forgotten()},
      {"alerts", "alerts were closed early for want of room", alerts.closed_early},
      {"events", "events of the last day were forgotten for want of room; alerts that miss some say so",
       alerts.events_forgotten},
      {"records", "record references were left out of alerts; totals are exact", alerts.records_left_out},
      {"rotations", "reads found no room in an alert's rotation list", alerts.objects_left_out},
  };
}

void add_bounds(const std::vector<BoundMet>& from, std::vector<BoundMet>& to) {
  if (to.empty()) {
    to = from;
    return;
  }
  CHECK(from.size() == to.size());
  for (std::size_t row = 0; row < from.size(); ++row) { to[row].count += from[row].count; }
}

}  // namespace keyvigil
