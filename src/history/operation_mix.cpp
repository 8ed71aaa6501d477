#include "history/operation_mix.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

// A class starts out as a vault is mostly used: read. One operation is held back for every class.
constexpr OperationMixWeights kFirstCounts = {50, 10, 2, 1, 1, 8, 8, 4, 1, 4, 1, 6, 1, 2, 1, 2};
constexpr double kMostPopulation = 100'000;

OperationMixWeights weights_of(const std::array<float, kOperationClassCount>& own, double total,
                               const OperationMixWeights& population) {
  constexpr double kMostOwn = OperationMix::kMostWeight - OperationMix::kPriorWeight;
  const double scale = total > kMostOwn ? kMostOwn / total : 1;
  OperationMixWeights weights{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = OperationMix::kPriorWeight * population[i] + scale * static_cast<double>(own[i]);
  }
  return weights;
}

}  // namespace

PopulationMix::PopulationMix() : counts_(kFirstCounts) {
  close_hour();
}

void PopulationMix::learn(const OperationMixWeights& counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) { pending_[i] += counts[i]; }
}

void PopulationMix::close_hour() {
  double total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    counts_[i] += pending_[i];
    pending_[i] = 0;
    total += counts_[i];
  }
  const double kept = std::min(1.0, kMostPopulation / total);
  for (double& count : counts_) { count *= kept; }
  const double whole = total * kept + static_cast<double>(kOperationClassCount);
  for (std::size_t i = 0; i < counts_.size(); ++i) { shares_[i] = (counts_[i] + 1) / whole; }
}

OperationMixWeights OperationMix::weights(const OperationMixWeights& population) const {
  return weights_of(own_, static_cast<double>(total_), population);
}

OperationMixWeights OperationMix::weights_by_days(const OperationMixWeights& population) const {
  return weights_of(days_, std::accumulate(days_.begin(), days_.end(), 0.0), population);
}

OperationMixWeights OperationMix::own_shares() const {
  OperationMixWeights shares{};
  if (total_ <= 0) { return shares; }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] = static_cast<double>(own_[i]) / static_cast<double>(total_);
  }
  return shares;
}

bool OperationMix::is_rare(OperationClass operation) const {
  return own_[static_cast<std::size_t>(operation)] * 100 < total_;
}

void OperationMix::learn(const OperationMixWeights& counts, bool alerted) {
  const auto share = static_cast<float>(alerted ? kAlertedShare : 1);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    own_[i] += share * static_cast<float>(counts[i]);
    if (counts[i] > 0) { today_[i] = std::max(today_[i], share); }
  }
  total_ = std::accumulate(own_.begin(), own_.end(), 0.0F);
}

void OperationMix::close_day() {
  const auto kept = static_cast<float>(half_life_decay(1, kHalfLifeDays));
  for (float& weight : own_) { weight *= kept; }
  for (std::size_t i = 0; i < days_.size(); ++i) { days_[i] = kept * days_[i] + std::exchange(today_[i], 0.0F); }
  total_ = std::accumulate(own_.begin(), own_.end(), 0.0F);
}

bool OperationSession::add(OperationClass operation, EventTime at, bool rare) {
  first_ = events_ == 0 ? at : std::min(first_, at);
  last_ = std::max(last_, at);
  ++events_;
  ++counts_[static_cast<std::size_t>(operation)];
  if (events_ < next_check_) { return rare && events_ >= 2; }
  next_check_ = static_cast<std::uint16_t>(next_check_ + std::max(2, next_check_ / 2));
  return true;
}

OperationMixWeights OperationSession::counts() const {
  OperationMixWeights counts{};
  std::ranges::copy(counts_, counts.begin());
  return counts;
}

}  // namespace keyvigil
