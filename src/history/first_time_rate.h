// FirstTimeRate: how often a member of a class that never did a thing does it for the first time, per active day.
//
// A member's own silence says little of a rare thing: thirty quiet days leave one day in a hundred or so. All quiet
// members together say more, and what they say is the rate of firsts. A Gamma belief whose prior is half a first in
// 1000 days; half of the weight is lost in 20,000 days. What is learned counts after close_hour(). Threads: one owner.
#pragma once

#include <cstdint>
#include <tuple>

#include "statistics/elementary.h"

namespace keyvigil {

class FirstTimeRate {
 public:
  static constexpr double kPriorFirsts = 0.5;
  static constexpr double kPriorDays = 1000;
  static constexpr double kHalfLifeDays = 20'000;

  // An active day of a member that had never done it before.
  void learn(bool did_it) {
    ++pending_days_;
    pending_firsts_ += did_it ? 1U : 0U;
  }
  void close_hour() {
    const auto days = static_cast<double>(pending_days_);
    const double kept = half_life_decay(days, kHalfLifeDays);
    firsts_ = kept * firsts_ + static_cast<double>(pending_firsts_);
    days_ = kept * days_ + days;
    pending_firsts_ = 0;
    pending_days_ = 0;
  }
  [[nodiscard]] double per_day() const { return (kPriorFirsts + firsts_) / (kPriorDays + days_); }

  auto fields() { return std::tie(firsts_, days_, pending_firsts_, pending_days_); }

 private:
  double firsts_ = 0;
  double days_ = 0;
  std::uint64_t pending_firsts_ = 0;
  std::uint64_t pending_days_ = 0;
};

}  // namespace keyvigil
