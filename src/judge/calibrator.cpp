#include "judge/calibrator.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "statistics/elementary.h"
#include "statistics/fading.h"

namespace keyvigil {
namespace {

constexpr double kLnTen = 2.30258509299404568402;
constexpr double kPriorTests = 200;
constexpr double kPriorExcesses = 50;
constexpr double kPeakShare = 0.02;
constexpr double kAlertedLimit = 4;
constexpr double kAttacks = 10;
constexpr double kHalfLifeTests = 20'000;
constexpr double kHalfLifeHours = 60 * 24;
constexpr double kLargest = 300;

double surprise_of(double p) {
  return std::clamp(-natural_log(p) / kLnTen, 0.0, kLargest);
}

double edge(std::size_t bin) {
  return static_cast<double>(bin) / Calibrator::kBinsPerUnit;
}

// Of a test that is right on average.
double prior_tail(double s) {
  return exponential(-s * kLnTen);
}

double prior_tail_at_edge(std::size_t bin) {
  static const std::array<double, Calibrator::kBins> kTails = [] {
    std::array<double, Calibrator::kBins> tails{};
    for (std::size_t i = 0; i < tails.size(); ++i) { tails[i] = prior_tail(edge(i)); }
    return tails;
  }();
  return kTails[bin];
}

template <typename T>
std::size_t end_of_used(const std::array<T, Calibrator::kBins>& bins) {
  std::size_t end = bins.size();
  while (end > 0 && bins[end - 1] == 0) { --end; }
  return end;
}

std::size_t bin_of(double s) {
  // A p-value written as 10^-s lands in its own bin in spite of rounding.
  constexpr double kRounding = 1e-9;
  return std::min(Calibrator::kBins - 1, static_cast<std::size_t>(s * Calibrator::kBinsPerUnit + kRounding));
}

}  // namespace

void Calibrator::add(double p, bool alerted, std::uint32_t tests) {
  const double s = surprise_of(p);
  if (alerted) {
    std::uint32_t& pending = alerted_.pending[bin_of(std::min(s, kAlertedLimit))];
    pending += std::min(tests, UINT32_MAX - pending);
    has_alerted_ = true;
    return;
  }
  const std::size_t bin = bin_of(s);
  pending_[bin] += std::min(tests, UINT32_MAX - pending_[bin]);
  pending_end_ = std::max(pending_end_, bin + 1);
}

void Calibrator::close_hour(std::int64_t hour, double threshold) {
  double added = has_alerted_ ? std::accumulate(alerted_.pending.begin(), alerted_.pending.end(), 0.0) : 0.0;
  for (std::size_t bin = 0; bin < pending_end_; ++bin) { added += pending_[bin]; }
  const auto hours =
      has_hour_ && hour > last_hour_ ? (static_cast<double>(hour) - static_cast<double>(last_hour_)) : 0.0;
  const double kept = half_life_decay(added / kHalfLifeTests + hours / kHalfLifeHours, 1);
  for (std::size_t bin = 0; bin < counts_end_; ++bin) { counts_[bin] *= kept; }
  for (std::size_t bin = 0; bin < pending_end_; ++bin) { counts_[bin] += pending_[bin]; }
  alerted_.expected = kept * alerted_.expected + threshold * added;
  if (has_alerted_) { fade_and_add(alerted_.counts, alerted_.pending, kept); }  // nearly all alerted nobody
  std::fill_n(pending_.begin(), pending_end_, 0U);
  counts_end_ = std::max(counts_end_, pending_end_);
  pending_end_ = 0;
  last_hour_ = has_hour_ ? std::max(last_hour_, hour) : hour;
  has_hour_ = true;
  if (tests_ > 0 || added > 0) { derive(); }
}

double Calibrator::tests_in(std::size_t bin) const {
  return (bin == 0 ? tests_ : above_[bin - 1]) - above_[bin];
}

double Calibrator::tail(double prior, std::size_t bin) const {
  return (kPriorTests * prior + above_[bin] + tests_in(bin) / 2) / (kPriorTests + tests_);
}

void Calibrator::settle() {
  counts_end_ = end_of_used(counts_);
  pending_end_ = end_of_used(pending_);
  above_.fill(0);
  const auto any = [](auto count) { return count > 0; };
  has_alerted_ = std::ranges::any_of(alerted_.counts, any) || std::ranges::any_of(alerted_.pending, any);
  derive();
}

// As many of those that alerted as the budget expects were harmless, and all but kAttacks: so a few attacks raise no
// bar, and a detector that errs all the time does.
double Calibrator::harmless_share() const {
  const double alerted = std::accumulate(alerted_.counts.begin(), alerted_.counts.end(), 0.0);
  if (alerted == 0) { return 0; }
  return std::max(std::min(alerted, alerted_.expected), alerted - kAttacks) / alerted;
}

void Calibrator::derive() {
  const double harmless = harmless_share();
  const std::size_t end = has_alerted_ ? std::max(counts_end_, AlertedTests::kBins) : counts_end_;
  tests_ = 0;
  for (std::size_t bin = end; bin-- > 0;) {
    above_[bin] = tests_;
    tests_ += counts_[bin] + (bin < AlertedTests::kBins ? harmless * alerted_.counts[bin] : 0);
  }
  std::size_t peak = 0;
  while (peak + 1 < kBins && tail(prior_tail_at_edge(peak), peak) > kPeakShare) { ++peak; }
  peak_from_ = edge(peak);
  peak_tail_ = tail(prior_tail_at_edge(peak), peak);
  double excess = kPriorExcesses / kLnTen;
  for (std::size_t bin = peak + 1; bin < end; ++bin) {
    excess += tests_in(bin) * (edge(bin) + 0.5 / kBinsPerUnit - peak_from_);
  }
  peak_scale_ = excess / (above_[peak] + kPriorExcesses);
}

double Calibrator::calibrated(double p) const {
  const double s = surprise_of(p);
  if (s <= peak_from_) { return std::min(1.0, tail(prior_tail(s), bin_of(s))); }
  return peak_tail_ * exponential(-(s - peak_from_) / peak_scale_);
}

}  // namespace keyvigil
