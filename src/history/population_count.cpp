#include "history/population_count.h"

#include <algorithm>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kKeptPerWindow = 0.9999;
constexpr double kLeastMean = 1e-4;
constexpr double kMostDispersion = 20;

}  // namespace

void PopulationCount::learn(double count) {
  const double y = std::min(count - 1, 10 * parent_.mean + 10);
  pending_windows_ += 1;
  pending_sum_ += y;
  pending_squares_ += y * y;
}

void PopulationCount::learn(double count, const CountTail& member) {
  learn(count);
  if (member.windows < kKnownWindows) { return; }
  const double mean = member.mean(parent_, 1);
  const double above = std::min(count - 1, 10 * mean + 10) - mean;
  pending_own_weight_ += own_weight(mean);
  pending_own_excess_ += (above * above - mean) / ((1 + mean) * (1 + mean));
}

void PopulationCount::close_hour() {
  if (!(pending_windows_ > 0)) { return; }
  const double kept = power(kKeptPerWindow, pending_windows_);
  windows_ = kept * windows_ + pending_windows_;
  sum_ = kept * sum_ + pending_sum_;
  squares_ = kept * squares_ + pending_squares_;
  own_weight_ = kept * own_weight_ + pending_own_weight_;
  own_excess_ = kept * own_excess_ + pending_own_excess_;
  pending_windows_ = 0;
  pending_sum_ = 0;
  pending_squares_ = 0;
  pending_own_weight_ = 0;
  pending_own_excess_ = 0;
  parent_.mean = std::max(kLeastMean, sum_ / windows_);
  const double variance = std::max(0.0, squares_ / windows_ - parent_.mean * parent_.mean);
  const double excess = (variance - parent_.mean) / (parent_.mean * parent_.mean);
  parent_.dispersion = std::clamp(excess, CountTail::kLeastDispersion, kMostDispersion);
  const double own = own_weight_ > 0 ? own_excess_ / own_weight_ : 1;
  parent_.own_dispersion = std::clamp(own, CountTail::kLeastDispersion, parent_.dispersion);
}

}  // namespace keyvigil
