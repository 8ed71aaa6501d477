#include "statistics/elementary.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace keyvigil {
namespace {

// ln 2 in two parts: the first has 21 zero bits at its end, so that its product with an exponent is exact.
constexpr double kLnTwoHigh = 0x1.62e42feep-1;
constexpr double kLnTwoLow = 0x1.a39ef35793c76p-33;
constexpr double kHalfLogTwoPi = 0.91893853320467274178;

constexpr int kMantissaBits = 52;
constexpr int kExponentBias = 1023;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// REQUIRES: -1022 <= exponent <= 1023.
double two_to(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kExponentBias) << kMantissaBits);
}

// 2 atanh(s), |s| <= 0.172: the series of s^(2k+1) / (2k+1), cut where its terms fall below half a unit.
double twice_area_tangent(double s) {
  constexpr std::array<double, 11> kTerms = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                             1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
  const double square = s * s;
  double sum = 0;
  for (const double term : kTerms) { sum = (sum + term) * square; }
  return 2 * s + 2 * s * sum;
}

// exp(r) - 1 for |r| <= 0.35, by Taylor's series.
double small_exponential_minus_one(double r) {
  constexpr std::array<double, 14> kTerms = [] {
    std::array<double, 14> terms{};
    double factorial = 1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      factorial *= static_cast<double>(i) + 2;
      terms[terms.size() - 1 - i] = 1 / factorial;
    }
    return terms;
  }();
  double sum = 0;
  for (const double term : kTerms) { sum = sum * r + term; }
  return r + r * r * sum;
}

constexpr double kStirlingFrom = 15;

// ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2), x >= 15.
double stirling_rest(double x) {
  constexpr std::array<double, 6> kTerms = {1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360};
  const double square = 1 / (x * x);
  double sum = 0;
  for (std::size_t term = kTerms.size(); term-- > 0;) { sum = sum * square + kTerms[term]; }
  return sum / x;
}

// Gamma(x + n) / Gamma(x) for the smallest n with x + n >= 15; moves x there.
double rising_product(double& x) {
  double product = 1;
  while (x < kStirlingFrom) {
    product *= x;
    x += 1;
  }
  return product;
}

// REQUIRES: b >= 15. Both cases are ln Gamma written out, with what cancels left out.
double log_beta_of_large(double a, double b) {
  const double whole = a + b;
  const double share = a / whole;
  const double rest = stirling_rest(b) - stirling_rest(whole);
  if (a >= kStirlingFrom) {
    return kHalfLogTwoPi - 0.5 * natural_log(b) + (a - 0.5) * natural_log(share) + b * log_one_plus(-share) +
           stirling_rest(a) + rest;
  }
  return log_gamma(a) + rest + a - a * natural_log(whole) + (b - 0.5) * log_one_plus(-share);
}

}  // namespace

double natural_log(double x) {
  if (!(x > 0)) { return x == 0 ? -kInfinity : kNaN; }
  if (x == kInfinity) { return x; }
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {
    constexpr int kLift = 54;
    x *= two_to(kLift);
    exponent = -kLift;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t kMantissa = (std::uint64_t{1} << kMantissaBits) - 1;
  exponent += static_cast<int>(bits >> kMantissaBits) - kExponentBias;
  double mantissa = std::bit_cast<double>((bits & kMantissa) | std::bit_cast<std::uint64_t>(1.0));
  constexpr double kSquareRootOfTwo = 1.41421356237309504880;
  if (mantissa > kSquareRootOfTwo) {
    mantissa *= 0.5;
    ++exponent;
  }
  const double low = twice_area_tangent((mantissa - 1) / (mantissa + 1));
  return exponent * kLnTwoHigh + (exponent * kLnTwoLow + low);
}

double log_one_plus(double x) {
  constexpr double kSmall = 0.3;
  if (x > -kSmall && x < kSmall) { return twice_area_tangent(x / (2 + x)); }
  return natural_log(1 + x);
}

double exponential(double x) {
  constexpr double kLargest = 709.782712893384;
  constexpr double kSmallest = -745.2;
  if (x != x) { return x; }
  if (x > kLargest) { return kInfinity; }
  if (x < kSmallest) { return 0; }
  const double turned = x / (kLnTwoHigh + kLnTwoLow) + 0.5;
  const int towards_zero = static_cast<int>(turned);
  const int exponent = towards_zero - (turned < towards_zero ? 1 : 0);
  const auto turns = static_cast<double>(exponent);
  const double rest = (x - turns * kLnTwoHigh) - turns * kLnTwoLow;
  const double value = 1 + small_exponential_minus_one(rest);
  // In two steps: neither 2^1024 nor a subnormal power is a normal number.
  const int half = exponent / 2;
  return value * two_to(half) * two_to(exponent - half);
}

double exponential_minus_one(double x) {
  constexpr double kSmall = 0.34;
  if (x > -kSmall && x < kSmall) { return small_exponential_minus_one(x); }
  return exponential(x) - 1;
}

double power(double base, double exponent) {
  return exponential(exponent * natural_log(base));
}

double half_life_decay(double age, double half_life) {
  constexpr double kLnTwo = kLnTwoHigh + kLnTwoLow;
  return exponential(-kLnTwo * (age / half_life));
}

double log_gamma(double x) {
  if (!(x > 0)) { return x == 0 ? kInfinity : kNaN; }
  if (x == 1 || x == 2) { return 0; }
  const double product = rising_product(x);
  const double large = (x - 0.5) * natural_log(x) - x + kHalfLogTwoPi + stirling_rest(x);
  return product == 1 ? large : large - natural_log(product);
}

double log_beta(double a, double b) {
  if (b < a) { return log_beta(b, a); }
  if (b >= kStirlingFrom) { return log_beta_of_large(a, b); }
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

}  // namespace keyvigil
