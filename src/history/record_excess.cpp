#include "history/record_excess.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "statistics/elementary.h"
#include "statistics/fading.h"

namespace keyvigil {

// REQUIRES: ratio >= 1.
std::size_t RecordExcess::step_of(double ratio) {
  constexpr double kStepsPerOctave = 4;
  constexpr double kLnTwo = 0.69314718055994530942;
  return std::min(kSteps - 1, static_cast<std::size_t>(natural_log(ratio) / kLnTwo * kStepsPerOctave));
}

void RecordExcess::learn(double ratio) {
  ++pending_windows_;
  if (ratio >= 1) { ++pending_[step_of(ratio)]; }
}

void RecordExcess::close_hour() {
  above_.clear();
  if (pending_windows_ == 0) { return; }
  const double kept = half_life_decay(pending_windows_, kHalfLifeWindows);
  windows_ = kept * windows_ + static_cast<double>(std::exchange(pending_windows_, 0U));
  fade_and_add(ratios_, pending_, kept);
}

double RecordExcess::share_of(double ratio) const {
  if (ratio < 1) { return 1; }
  const auto from = ratios_.begin() + static_cast<std::ptrdiff_t>(step_of(ratio));
  const double as_far = kAssumedWindows * kAssumedShare / (ratio * ratio) + std::accumulate(from, ratios_.end(), 0.0);
  return std::min(1.0, as_far / (kAssumedWindows + windows_));
}

double RecordExcess::share_now(std::uint64_t member, double ratio, std::size_t active) {
  constexpr double kWorthRemembering = 0.01;
  constexpr double kNearly = 10;  // times as often is nearly as odd
  constexpr double kChance = 0.05;
  const double share = share_of(ratio);
  if (share > kWorthRemembering) { return share; }
  remember(member, share);
  const auto others = std::ranges::count_if(
      above_, [&](const Above& other) { return other.member != member && other.share <= kNearly * share; });
  const auto members = static_cast<double>(std::max(active, above_.size()));
  const double expected = kNearly * share * members;
  const double two_or_more = 1 - exponential(-expected) * (1 + expected);
  if (others < 2 || two_or_more >= kChance) { return share; }
  return std::max(share, static_cast<double>(others) / members);
}

void RecordExcess::remember(std::uint64_t member, double share) {
  const auto known = std::ranges::find(above_, member, &Above::member);
  if (known != above_.end()) {
    known->share = std::min(known->share, share);
  } else if (above_.size() < kAbove) {
    above_.push_back({member, share});
  }
}

}  // namespace keyvigil
