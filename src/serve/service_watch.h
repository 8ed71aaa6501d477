// ServiceWatch: what is wrong with the service itself, from its figures: an input or a vault silent, an input failing,
// decisions behind, records lost, clocks wrong, an output failing, deliveries given up, a list that cannot be had or is
// old.
//
// Counts are compared with those of ten minutes before. Threads: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/live_view.h"
#include "base/event_time.h"
#include "serve/outbox_dispatcher.h"
#include "store/store.h"

namespace keyvigil {

struct WatchLimits {
  std::int64_t silent_minutes = 60;
  std::int64_t lag_seconds = 120;
};

class ServiceWatch {
 public:
  // `started`: wall clock; an input is silent from then on at the earliest.
  ServiceWatch(const WatchLimits& limits, EventTime started) : limits_(limits), started_(started) {}

  void limit_to(const WatchLimits& limits) { limits_ = limits; }
  // Call from time to time, with `now` rising. Those of the figures are among them.
  [[nodiscard]] std::vector<ServiceProblem> look(const LiveFigures& live, const StoreFigures& store,
                                                 std::span<const OutputFigures> outputs, EventTime now);

 private:
  struct Counts {
    EventTime at;
    std::map<std::string, std::uint64_t> records;  // by input
    std::map<std::string, std::uint64_t> refused;  // the same, without future ones
    std::uint64_t future = 0;
    std::uint64_t dead_letters = 0;
    std::uint64_t too_old = 0;
  };

  [[nodiscard]] std::optional<ServiceProblem> problem_of(const ListHealth& list, EventTime now) const;
  void add_silent_vaults(const LiveFigures& live, std::vector<ServiceProblem>& problems) const;
  [[nodiscard]] static Counts counts_of(const LiveFigures& live, const StoreFigures& store, EventTime now);

  WatchLimits limits_;
  EventTime started_;
  std::deque<Counts> before_;  // of the last ten minutes, the oldest first
};

}  // namespace keyvigil
