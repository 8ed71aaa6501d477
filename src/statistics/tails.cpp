#include "statistics/tails.h"

#include <algorithm>
#include <cmath>

#include "statistics/elementary.h"
#include "statistics/incomplete_beta.h"

namespace keyvigil {
namespace {

// Bounds of sums: terms at most, and the part of the sum below which a term is left out.
constexpr int kTermLimit = 100'000;
constexpr double kNegligible = 1e-18;

// e^-mean mean^count / count!
double poisson_probability(double count, double mean) {
  return exponential(count * natural_log(mean) - mean - log_gamma(count + 1));
}

double poisson_sum_upwards(double count, double mean) {
  double term = 1;
  double sum = 1;
  for (int step = 1; step <= kTermLimit && term > kNegligible * sum; ++step) {
    term *= mean / (count + step);
    sum += term;
  }
  return poisson_probability(count, mean) * sum;
}

double poisson_sum_downwards(double count, double mean) {
  double term = 1;
  double sum = 1;
  for (int step = 0; step < kTermLimit && term > kNegligible * sum && count - step > 0; ++step) {
    term *= (count - step) / mean;
    sum += term;
  }
  return poisson_probability(count, mean) * sum;
}

// P(X >= count), X negative binomial of so many successes before `size` failures, by their probabilities. Small counts,
// which nearly all are, are added up from below, as long as the difference to 1 keeps its digits; a tail that matters
// comes from the incomplete beta function.
double upper_tail(double count, double size, double success, double failure) {
  constexpr double kMostAddedUp = 32;
  constexpr double kLeastDifference = 0.01;
  if (count <= kMostAddedUp) {
    double probability = exponential(size * natural_log(failure));
    double below = probability;
    for (int step = 1; step < count; ++step) {
      const double n = step;
      probability *= (n - 1 + size) * success / n;
      below += probability;
    }
    if (1 - below >= kLeastDifference) { return 1 - below; }
  }
  return regularized_incomplete_beta(count, size, success, failure);
}

// The smallest count >= 1 so that the probabilities below it sum to at least 1 - gate, give or take rounding; 0 where
// that takes more than a few steps.
std::uint64_t counted_up_critical_count(double mean, double dispersion, double gate) {
  constexpr std::uint64_t kSteps = 256;
  const double size = 1 / dispersion;
  const double ratio = mean / (mean + size);
  double probability = exponential(-size * log_one_plus(mean * dispersion));
  double below = probability;
  for (std::uint64_t count = 1; count <= kSteps; ++count) {
    if (below >= 1 - gate) { return count; }
    const auto n = static_cast<double>(count);
    probability *= (n - 1 + size) * ratio / n;
    below += probability;
  }
  return 0;
}

}  // namespace

double negative_binomial_upper_tail(double count, double mean, double dispersion) {
  if (count <= 0) { return 1; }
  if (!(mean > 0)) { return 0; }
  const double size = 1 / dispersion;
  const double whole = mean + size;
  return upper_tail(count, size, mean / whole, size / whole);
}

double poisson_upper_tail(double count, double mean) {
  if (count <= 0) { return 1; }
  if (!(mean > 0)) { return 0; }
  if (count > mean) { return std::min(1.0, poisson_sum_upwards(count, mean)); }
  return std::clamp(1 - poisson_sum_downwards(count - 1, mean), 0.0, 1.0);
}

double gamma_poisson_upper_tail(double count, const GammaRate& belief, double exposure) {
  if (count <= 0) { return 1; }
  if (!(exposure > 0)) { return 0; }
  const double whole = belief.rate + exposure;
  return upper_tail(count, belief.shape, exposure / whole, belief.rate / whole);
}

double erlang_upper_tail(int shape, double x) {
  if (!(x > 0)) { return 1; }
  // The sum of x^i / i! over i < shape, from its largest term outwards, beside that term: no factor can overflow, and
  // a shape of a million costs no more terms than matter.
  const double last = shape - 1;
  const double middle = std::min(last, std::floor(x));
  double sum = 1;
  double term = 1;
  for (double i = middle; i > 0 && term > kNegligible * sum; --i) {
    term *= i / x;
    sum += term;
  }
  term = 1;
  for (double i = middle + 1; i <= last && term > kNegligible * sum; ++i) {
    term *= x / i;
    sum += term;
  }
  const double largest = middle > 0 ? middle * natural_log(x) - log_gamma(middle + 1) : 0;
  return std::min(1.0, exponential(natural_log(sum) + largest - x));
}

std::uint64_t critical_count(double mean, double dispersion, double gate) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 53;
  const auto passes = [&](std::uint64_t count) {
    return negative_binomial_upper_tail(static_cast<double>(count), mean, dispersion) <= gate;
  };
  if (const std::uint64_t counted = counted_up_critical_count(mean, dispersion, gate);
      counted > 0 && passes(counted) && (counted == 1 || !passes(counted - 1))) {
    return counted;
  }
  std::uint64_t above = 1;
  while (above < kLargest && !passes(above)) { above *= 2; }
  std::uint64_t below = above / 2;
  while (above - below > 1) {
    const std::uint64_t middle = below + (above - below) / 2;
    (passes(middle) ? above : below) = middle;
  }
  return above;
}

}  // namespace keyvigil
