// FirstTouches: who touches which things of one kind (vaults, refused vaults, client applications, address prefixes),
// and how odd one more first touch is.
//
// A first touch is odd by which thing it is (its score ranked among the last benign ones of the class: EdgeScores) and
// by how often the caller touches new things at all (detection-method notes, P3). For callers seen on fewer than
// known_days() days the second is the rate at which such callers turn up on things older than kOldThingDays, per active
// caller-day of the class (design section 4 point 2). Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/event_time.h"
#include "base/snapshot.h"
#include "history/access_graph.h"
#include "history/count_tail.h"
#include "history/edge_scores.h"
#include "history/facts.h"
#include "history/population_count.h"

namespace keyvigil {

// First touches of one caller a day; kept by the owner beside the caller. Counts are stored plus one, as CountTail
// learns windows with at least one.
struct TouchHabit {
  CountTail days;
  std::uint32_t today = 0;
  auto fields() { return std::tie(days, today); }
};

struct FirstTouchPriors {
  std::array<CountParent, kCallerClassCount> first_touches_per_day;  // mean of the count itself
  std::uint32_t known_days = 3;                                      // active days after which a caller is not new
};

class FirstTouches {
 public:
  static constexpr std::int64_t kOldThingDays = 14;
  static constexpr std::int64_t kSettlingDays = 3;
  // Gamma prior of touches that are rare by nature: half a one in 1000 caller-days.
  static constexpr double kPriorTouches = 0.5;
  static constexpr double kPriorCallerDays = 1000;

  FirstTouches(const AccessGraphLimits& limits, const FirstTouchPriors& priors);

  struct Caller {
    TableKey key;  // its hint, where there is one, is for this graph
    CallerClass caller_class = CallerClass::kUser;
    std::uint32_t days_seen = 0;  // before today
    bool never_new = false;       // no newcomer, however short the time it has been seen
  };
  struct Touch {
    FirstTouch facts;
    double score = 0;
    bool tested = false;   // false: nothing can be said, as with a new caller on a new thing
    bool settled = false;  // the thing has been known for kSettlingDays
    bool unheard = false;  // the thing is new to everybody
  };

  // The chance of the thing within the caller's group, where there is one; asked only about what is new.
  using GroupPopularity = std::function<std::optional<double>()>;
  // Nothing where the caller touches the thing already. Nearness is measured in `near`, which may be another graph.
  [[nodiscard]] std::optional<Touch> observe(const Caller& caller, const TableKey& thing, EventTime at,
                                             const TouchHabit& habit, const AccessGraph& near,
                                             const GroupPopularity& group_popularity = {}) const;
  [[nodiscard]] NewThingRate rate_of(const Caller& caller, const TouchHabit& habit) const;
  // `touch`: what observe() said of it. Not `benign`: the edge is remembered, and teaches nothing yet.
  void learn(const Caller& caller, const TableKey& thing, EventTime at, const std::optional<Touch>& touch, bool benign,
             TouchHabit& habit);
  // The caller's active day is over.
  void close_day(CallerClass caller_class, bool newcomer, TouchHabit& habit);
  void close_hour(std::int64_t hour);

  [[nodiscard]] const AccessGraph& graph() const { return graph_; }
  // Of what is usual, for want of room.
  [[nodiscard]] std::uint64_t scores_left_out() const;
  [[nodiscard]] std::uint32_t known_days() const { return known_days_; }

  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  struct ClassState {
    EdgeScores scores;
    EdgeScores newcomer_scores{0};  // who is new shares nothing with anybody: nearness says nothing
    PopulationCount touches;        // a day, plus one
    double newcomer_touches = 0;    // decayed, over caller_days
    double unheard_touches = 0;     // by known callers, of things that nobody had touched
    double caller_days = 0;
    std::uint64_t pending_newcomer_touches = 0;
    std::uint64_t pending_unheard_touches = 0;
    std::uint64_t pending_caller_days = 0;
    auto fields() {
      return std::tie(scores, newcomer_scores, touches, newcomer_touches, unheard_touches, caller_days,
                      pending_newcomer_touches, pending_unheard_touches, pending_caller_days);
    }
  };

  std::uint32_t known_days_;
  AccessGraph graph_;
  std::array<ClassState, kCallerClassCount> classes_;
};

}  // namespace keyvigil
