// PopulationCount: what is usual for all of a class, as the parent of each member's CountTail.
//
// Mean and dispersion of count - 1 over the windows of all members, each window bounded so that one member cannot move
// the class; what is learned counts after close_hour(). Weight fades by 0.9999 a window (detection-method notes, P2).
#pragma once

#include <tuple>

#include "history/count_tail.h"

namespace keyvigil {

class PopulationCount {
 public:
  static constexpr double kPriorWindows = 20;
  static constexpr double kRarePriorWindows = 2'000;  // for what hardly ever happens; it says more of each member too
  static constexpr double kRareMemberWindows = 20;

  PopulationCount() : PopulationCount(CountParent{}) {}
  // What is assumed before anything was learned, and for how many windows it counts.
  explicit PopulationCount(const CountParent& first, double prior_windows = kPriorWindows)
      : windows_(prior_windows),
        sum_(prior_windows * first.mean),
        squares_(prior_windows * (first.mean + (1 + first.dispersion) * first.mean * first.mean)),
        parent_(first) {}

  void learn(double count);
  void close_hour();
  [[nodiscard]] const CountParent& parent() const { return parent_; }

  auto fields() {
    return std::tie(windows_, sum_, squares_, pending_windows_, pending_sum_, pending_squares_, parent_.mean,
                    parent_.dispersion, parent_.windows);
  }

 private:
  double windows_ = 0;
  double sum_ = 0;      // of count - 1
  double squares_ = 0;  // of (count - 1)^2
  double pending_windows_ = 0;
  double pending_sum_ = 0;
  double pending_squares_ = 0;
  CountParent parent_;
};

}  // namespace keyvigil
