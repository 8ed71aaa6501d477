// OperationMix and OperationSession: which classes of operations a caller uses, and what it does right now.
//
// A session is what one caller does without a pause of 15 minutes, at most 200 events. The habit is a Dirichlet: five
// operations as the class does them, and the caller's own, half forgotten in 30 active days and worth at most 60 in
// all, which guards against over-dispersion (detection-method notes, P5). It is kept twice: by operations, and by the
// days on which a class of operations came up, because what is done once a month drowns in a million reads. No
// allocation. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "base/event_time.h"
#include "history/operation_class.h"

namespace keyvigil {

// Shares of a class of callers, as of the last whole hour.
class PopulationMix {
 public:
  PopulationMix();
  void learn(const OperationMixWeights& counts);
  void close_hour();
  // Shares that sum to 1, all > 0.
  [[nodiscard]] const OperationMixWeights& shares() const { return shares_; }

  auto fields() { return std::tie(counts_, pending_, shares_); }

 private:
  OperationMixWeights counts_{};
  OperationMixWeights pending_{};
  OperationMixWeights shares_{};
};

class OperationMix {
 public:
  static constexpr double kPriorWeight = 5;
  static constexpr double kMostWeight = 60;
  static constexpr double kHalfLifeDays = 30;

  static constexpr double kAlertedShare = 0.1;  // of its counts that a session teaches which alerted

  [[nodiscard]] OperationMixWeights weights(const OperationMixWeights& population) const;
  [[nodiscard]] OperationMixWeights weights_by_days(const OperationMixWeights& population) const;
  // Of the caller's own operations, decayed; sum 1, or all 0 where none is known.
  [[nodiscard]] OperationMixWeights own_shares() const;
  // Of the caller's own operations: is this class rarer than one in a hundred?
  [[nodiscard]] bool is_rare(OperationClass operation) const;
  void learn(const OperationMixWeights& counts, bool alerted);
  void close_day();

  auto fields() { return std::tie(own_, days_, today_, total_); }

 private:
  std::array<float, kOperationClassCount> own_{};
  std::array<float, kOperationClassCount> days_{};   // on which the class came up, decayed
  std::array<float, kOperationClassCount> today_{};  // 1; kAlertedShare where only alerted sessions had it
  float total_ = 0;                                  // of own_
};

class OperationSession {
 public:
  static constexpr std::uint16_t kMostEvents = 200;
  static constexpr std::int64_t kGapTicks = 15 * EventTime::kTicksPerMinute;

  [[nodiscard]] bool is_over(EventTime at) const {
    return events_ >= kMostEvents || (events_ > 0 && !at.is_within(kGapTicks, last_.ticks));
  }
  // True at a check point: 3, 5, 8, 12, 18, 27, ... events, and where a rare class appears.
  [[nodiscard]] bool add(OperationClass operation, EventTime at, bool rare);
  [[nodiscard]] OperationMixWeights counts() const;
  [[nodiscard]] std::uint16_t events() const { return events_; }
  [[nodiscard]] EventTime began() const { return first_; }  // of the first request; 0 where there is none
  void clear() { *this = OperationSession(); }

  auto fields() { return std::tie(counts_, events_, next_check_, first_.ticks, last_.ticks); }

 private:
  std::array<std::uint16_t, kOperationClassCount> counts_{};
  std::uint16_t events_ = 0;
  std::uint16_t next_check_ = 3;
  EventTime first_;
  EventTime last_;
};

}  // namespace keyvigil
