#include "history/count_tail.h"

#include <algorithm>

#include "statistics/elementary.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr double kSurprising = 1e-4;

}  // namespace

double CountTail::mean(const CountParent& parent, double exposure) const {
  return (parent.windows * parent.mean + sum) / (parent.windows + windows) * exposure;
}

double CountTail::dispersion(const CountParent& parent, double exposure) const {
  const double m = mean(parent, exposure);
  const double prior = kPriorDispersionWindows * m * m;
  const double weight = squared_means + prior;
  if (!(weight > 0)) { return std::max(kLeastDispersion, parent.dispersion); }
  return std::max(kLeastDispersion, (residuals + parent.dispersion * prior) / weight);
}

double CountTail::tail(double count, const CountParent& parent, double exposure) const {
  return negative_binomial_upper_tail(count - 1, mean(parent, exposure), dispersion(parent, exposure));
}

void CountTail::learn(double count, const CountParent& parent, double exposure) {
  const double m = mean(parent, exposure);
  double y = count - 1;
  double residual = (y - m) * (y - m) - m;
  if (tail(count, parent, exposure) < kSurprising) {
    residual = std::min(residual, 9 * m * m + m);
    y = std::min(y, 10 * m + 10);
  }
  const double kept = half_life_decay(1, kHalfLifeWindows);
  windows = kept * windows + exposure;
  sum = kept * sum + y;
  residuals = kept * residuals + residual;
  squared_means = kept * squared_means + m * m;
  largest = std::max(half_life_decay(1, kRecordHalfLifeWindows) * largest, y + 1);
}

}  // namespace keyvigil
