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

void PopulationCount::close_hour() {
  if (!(pending_windows_ > 0)) { return; }
  const double kept = power(kKeptPerWindow, pending_windows_);
  windows_ = kept * windows_ + pending_windows_;
  sum_ = kept * sum_ + pending_sum_;
  squares_ = kept * squares_ + pending_squares_;
  pending_windows_ = 0;
  pending_sum_ = 0;
  pending_squares_ = 0;
  parent_.mean = std::max(kLeastMean, sum_ / windows_);
  const double variance = std::max(0.0, squares_ / windows_ - parent_.mean * parent_.mean);
  const double excess = (variance - parent_.mean) / (parent_.mean * parent_.mean);
  parent_.dispersion = std::clamp(excess, CountTail::kLeastDispersion, kMostDispersion);
}

}  // namespace keyvigil
