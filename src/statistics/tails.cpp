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

}  // namespace

double negative_binomial_upper_tail(double count, double mean, double dispersion) {
  if (count <= 0) { return 1; }
  if (!(mean > 0)) { return 0; }
  const double size = 1 / dispersion;
  const double whole = mean + size;
  return regularized_incomplete_beta(count, size, mean / whole, size / whole);
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
  return regularized_incomplete_beta(count, belief.shape, exposure / whole, belief.rate / whole);
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
