#include "judge/calibrator.h"

#include <algorithm>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kLnTen = 2.30258509299404568402;
constexpr double kPriorTests = 200;
constexpr double kPriorExcesses = 50;
constexpr double kPeakShare = 0.02;
constexpr double kAlertedLimit = 4;
constexpr double kHalfLifeTests = 20'000;
constexpr double kHalfLifeHours = 60 * 24;
constexpr double kLargest = 300;

double surprise_of(double p) {
  return std::clamp(-natural_log(p) / kLnTen, 0.0, kLargest);
}

std::size_t bin_of(double s) {
  // A p-value written as 10^-s lands in its own bin in spite of rounding.
  constexpr double kRounding = 1e-9;
  return std::min(Calibrator::kBins - 1, static_cast<std::size_t>(s * Calibrator::kBinsPerUnit + kRounding));
}

}  // namespace

void Calibrator::add(double p, bool alerted) {
  const double s = surprise_of(p);
  std::uint32_t& count = pending_[bin_of(alerted ? std::min(s, kAlertedLimit) : s)];
  if (count < UINT32_MAX) { ++count; }
}

void Calibrator::close_hour(std::int64_t hour) {
  double added = 0;
  for (const std::uint32_t count : pending_) { added += count; }
  const auto hours =
      has_hour_ && hour > last_hour_ ? (static_cast<double>(hour) - static_cast<double>(last_hour_)) : 0.0;
  const double kept = half_life_decay(added / kHalfLifeTests + hours / kHalfLifeHours, 1);
  for (std::size_t bin = 0; bin < kBins; ++bin) { counts_[bin] = counts_[bin] * kept + pending_[bin]; }
  pending_.fill(0);
  last_hour_ = has_hour_ ? std::max(last_hour_, hour) : hour;
  has_hour_ = true;
  settle();
}

double Calibrator::tail(double s, std::size_t bin) const {
  const double prior = exponential(-s * kLnTen);
  return (kPriorTests * prior + above_[bin] + counts_[bin] / 2) / (kPriorTests + tests_);
}

void Calibrator::settle() {
  tests_ = 0;
  for (std::size_t bin = kBins; bin-- > 0;) {
    above_[bin] = tests_;
    tests_ += counts_[bin];
  }
  const auto edge = [](std::size_t bin) { return static_cast<double>(bin) / kBinsPerUnit; };
  std::size_t peak = 0;
  while (peak + 1 < kBins && tail(edge(peak), peak) > kPeakShare) { ++peak; }
  peak_from_ = edge(peak);
  peak_tail_ = tail(peak_from_, peak);
  double excess = kPriorExcesses / kLnTen;
  for (std::size_t bin = peak + 1; bin < kBins; ++bin) {
    excess += counts_[bin] * (edge(bin) + 0.5 / kBinsPerUnit - peak_from_);
  }
  peak_scale_ = excess / (above_[peak] + kPriorExcesses);
}

double Calibrator::calibrated(double p) const {
  const double s = surprise_of(p);
  if (s <= peak_from_) { return std::min(1.0, tail(s, bin_of(s))); }
  return peak_tail_ * exponential(-(s - peak_from_) / peak_scale_);
}

}  // namespace keyvigil
