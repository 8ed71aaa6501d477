#include "statistics/incomplete_beta.h"

#include <algorithm>
#include <limits>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

// The fraction converges in about the square root of the larger parameter many steps.
constexpr int kStepLimit = 20'000;
constexpr double kTiny = 1e-300;
constexpr double kExact = 2e-16;

double away_from_zero(double value) {
  return value > -kTiny && value < kTiny ? kTiny : value;
}

double continued_fraction(double a, double b, double x) {
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = d;
  for (int step = 1; step <= kStepLimit; ++step) {
    const double even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double change = d * c;
    value *= change;
    if (change - 1 < kExact && change - 1 > -kExact) { break; }
  }
  return value;
}

// ln I_x(a, b) where the fraction converges fast: x below the mean of the distribution.
double log_below_mean(double a, double b, double x, double complement) {
  const double front = a * natural_log(x) + b * natural_log(complement) - log_beta(a, b) - natural_log(a);
  return front + natural_log(continued_fraction(a, b, x));
}

}  // namespace

double log_regularized_incomplete_beta(double a, double b, double x, double complement) {
  if (x <= 0) { return -std::numeric_limits<double>::infinity(); }
  if (complement <= 0) { return 0; }
  if (x < (a + 1) / (a + b + 2)) { return std::min(0.0, log_below_mean(a, b, x, complement)); }
  const double rest = std::min(1.0, exponential(log_below_mean(b, a, complement, x)));
  return log_one_plus(-rest);
}

double regularized_incomplete_beta(double a, double b, double x, double complement) {
  return exponential(log_regularized_incomplete_beta(a, b, x, complement));
}

}  // namespace keyvigil
