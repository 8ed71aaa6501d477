// RunCounts: what one run read and decided, for the summary.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "alert/alert.h"
#include "alert/repeats.h"
#include "api/live_view.h"
#include "catalogue/alert_type.h"
#include "engine/order.h"
#include "event/decode.h"

namespace keyvigil {

struct RunCounts {
  std::uint64_t records = 0;       // found in the input, whatever became of them
  std::uint64_t input_bytes = 0;   // that were read
  std::uint64_t stored_bytes = 0;  // of the files that were named, read or not
  std::array<std::uint64_t, static_cast<std::size_t>(SkipCause::kCount)> skipped{};
  std::uint64_t unreadable_addresses = 0;               // of events: the caller's address counts as unknown
  std::array<std::uint64_t, kOutcomeCount> outcomes{};  // of decided events
  std::uint64_t decided = 0;
  std::optional<EventTime> first_event;  // of decided events
  std::optional<EventTime> last_event;
  std::optional<EventTime> known_to;  // the same, earlier runs' events too
  std::uint64_t reported = 0;         // of decided events: between --from and --until
  std::uint64_t held = 0;             // saved undecided
  std::array<std::uint64_t, kAlertTypeCount> alerts{};
  std::uint64_t learning_alerts = 0;   // with --show-learning; not among the ones above
  std::uint64_t open_alerts = 0;       // of these, printed while open
  std::uint64_t unchanged_alerts = 0;  // open ones of which an earlier run printed the same revision; not printed
  bool started_over = false;
  OrderCounts order;
  RepeatsStatistics repeats;
  std::uint64_t held_back = 0;          // findings about behaviour in the days of learning
  std::optional<EventTime> learned_at;  // from then on behaviour raises alerts
  std::uint64_t callers = 0;            // known to the histories
  std::uint64_t vaults = 0;
  std::uint64_t callers_forgotten = 0;  // for want of room
  double alerts_per_day = 0;            // the budget
  std::uint64_t duplicates_in_sort = 0;
  std::optional<EventTime> decided_known_from;  // of older events it is no longer known whether they were decided
  std::vector<BoundMet> bounds;
};

}  // namespace keyvigil
