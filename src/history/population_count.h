// PopulationCount: what is usual for all of a class, as the parent of each member's CountTail.
//
// Mean and dispersion of count - 1 over the windows of all members, each window bounded so that one member cannot move
// the class; what is learned counts after close_hour(). Weight fades by 0.9999 a window (detection-method notes, P2).
// How much members vary about their own means is pooled over those that are known (own_dispersion of the parent).
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
        own_weight_(prior_windows * own_weight(first.mean)),
        own_excess_(own_weight_ * first.own_dispersion),
        parent_(first) {}

  static constexpr double kKnownWindows = 10;  // from which on a member tells how much members vary

  void learn(double count);
  // `member`: as it was before this window.
  void learn(double count, const CountTail& member);
  void close_hour();
  [[nodiscard]] const CountParent& parent() const { return parent_; }

  auto fields() {
    return std::tie(windows_, sum_, squares_, own_weight_, own_excess_, pending_windows_, pending_sum_,
                    pending_squares_, pending_own_weight_, pending_own_excess_, parent_.mean, parent_.dispersion,
                    parent_.windows, parent_.own_dispersion);
  }

 private:
  // About the inverse variance of one window's dispersion estimate: rare counts say little.
  [[nodiscard]] static double own_weight(double mean) { return mean / (1 + mean) * (mean / (1 + mean)); }

  double windows_ = 0;
  double sum_ = 0;      // of count - 1
  double squares_ = 0;  // of (count - 1)^2
  double own_weight_ = 0;
  double own_excess_ = 0;  // weighted sum of ((count - 1 - m)^2 - m) / m^2
  double pending_windows_ = 0;
  double pending_sum_ = 0;
  double pending_squares_ = 0;
  double pending_own_weight_ = 0;
  double pending_own_excess_ = 0;
  CountParent parent_;
};

}  // namespace keyvigil
