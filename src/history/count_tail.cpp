#include "history/count_tail.h"

#include <algorithm>

#include "statistics/elementary.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr double kSurprising = 1e-4;

// half_life_decay(1, kHalfLifeWindows) and (1, kRecordHalfLifeWindows): constants of every window.
constexpr double kKept = 0.97715996843424591;
constexpr double kRecordKept = 0.99965348645940932;

// Whether a count may be surprising at all: up to two standard deviations above the mean none is, whatever the
// dispersion, and that is cheaper to know than a tail. With the least dispersion it is cheaper still.
bool may_surprise(double y, double m, double phi) {
  const double above = y - m;
  return above > 0 && above * above > 4 * (m + phi * m * m);
}

}  // namespace

double CountTail::mean(const CountParent& parent, double exposure) const {
  return (parent.windows * parent.mean + sum) / (parent.windows + windows) * exposure;
}

double CountTail::dispersion(const CountParent& parent, double exposure) const {
  const double m = mean(parent, exposure);
  const double prior = kPriorDispersionWindows * m * std::max(m, 1.0);
  const double weight = squared_means + prior;
  // How uncertain the member's own rate still is: a Gamma whose relative variance is that between members, and 1 over
  // what was counted since.
  const double between = parent.dispersion - parent.own_dispersion;
  const double of_kind = parent.own_dispersion + (between > 0 ? between / (1 + between * sum) : 0);
  if (!(weight > 0)) { return std::max(kLeastDispersion, of_kind); }
  return std::max(kLeastDispersion, (residuals + of_kind * prior) / weight);
}

double CountTail::tail(double count, const CountParent& parent, double exposure) const {
  return negative_binomial_upper_tail(count - 1, mean(parent, exposure), dispersion(parent, exposure));
}

void CountTail::learn(double count, const CountParent& parent, double exposure) {
  const double m = mean(parent, exposure);
  double y = count - 1;
  double residual = (y - m) * (y - m) - m;
  double record = count;
  if (may_surprise(y, m, kLeastDispersion) && may_surprise(y, m, dispersion(parent, exposure)) &&
      tail(count, parent, exposure) < kSurprising) {
    residual = std::min(residual, 9 * m * m + m);
    y = std::min(y, 10 * m + 10);
    const bool again = count <= kRecordMargin * once;
    record = again ? std::min(count, once) : y + 1;
    once = std::max(once, count);
  }
  windows = kKept * windows + exposure;
  sum = kKept * sum + y;
  residuals = kKept * residuals + residual;
  squared_means = kKept * squared_means + m * m;
  largest = std::max(kRecordKept * largest, record);
  once *= kRecordKept;
}

}  // namespace keyvigil
