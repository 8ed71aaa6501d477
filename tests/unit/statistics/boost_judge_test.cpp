// Boost judges the functions that decisions rest on: Boost.Multiprecision with fifty digits the elementary ones,
// Boost.Math the special functions and the tails.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/negative_binomial.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>

#include "statistics/elementary.h"
#include "statistics/incomplete_beta.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

using FiftyDigits = boost::multiprecision::cpp_bin_float_50;

// `relative` errors above one, absolute ones below where `absolute` is given.
::testing::AssertionResult is_near(double found, double expected, double relative, double absolute = 0) {
  if (std::abs(found - expected) <= std::max(relative * std::abs(expected), absolute)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "found " << found << ", Boost says " << expected;
}

TEST(BoostJudges, LogarithmsAndExponentials) {
  for (double x = 1e-300; x < 1e300; x *= 1.93) {
    EXPECT_TRUE(is_near(natural_log(x), static_cast<double>(log(FiftyDigits(x))), 4e-16)) << x;
  }
  for (double x = -700; x < 700; x += 1.37) {
    EXPECT_TRUE(is_near(exponential(x), static_cast<double>(exp(FiftyDigits(x))), 1e-15)) << x;
  }
  for (double x = 1e-17; x < 0.9; x *= 1.7) {
    EXPECT_TRUE(is_near(log_one_plus(x), static_cast<double>(log1p(FiftyDigits(x))), 1e-15)) << x;
    EXPECT_TRUE(is_near(log_one_plus(-x), static_cast<double>(log1p(FiftyDigits(-x))), 1e-15)) << x;
    EXPECT_TRUE(is_near(exponential_minus_one(x), static_cast<double>(expm1(FiftyDigits(x))), 1e-15)) << x;
  }
}

TEST(BoostJudges, LogGammaAndLogBeta) {
  for (double x = 1e-6; x < 1e8; x *= 1.091) {
    EXPECT_TRUE(is_near(log_gamma(x), boost::math::lgamma(x), 2e-14, 2e-14)) << x;
  }
  for (double a = 1e-3; a < 1e4; a *= 3.1) {
    for (double b = 1e-3; b < 1e4; b *= 2.7) {
      const auto expected =
          static_cast<double>(lgamma(FiftyDigits(a)) + lgamma(FiftyDigits(b)) - lgamma(FiftyDigits(a) + b));
      EXPECT_TRUE(is_near(log_beta(a, b), expected, 1e-12, 1e-12)) << a << ' ' << b;
    }
  }
}

TEST(BoostJudges, TheIncompleteBetaFunction) {
  for (double a = 0.05; a < 5e3; a *= 2.3) {
    for (double b = 0.05; b < 5e3; b *= 2.9) {
      for (const double x : {1e-6, 0.01, 0.2, 0.5, 0.77, 0.99}) {
        const double expected = boost::math::ibeta(a, b, x);
        if (expected < 1e-290) { continue; }  // where doubles lose digits
        EXPECT_TRUE(is_near(regularized_incomplete_beta(a, b, x, 1 - x), expected, 1e-11)) << a << ' ' << b << ' ' << x;
      }
    }
  }
}

TEST(BoostJudges, TheTailsOfCounts) {
  for (const double mean : {0.003, 0.1, 1.0, 7.5, 60.0, 900.0}) {
    for (const double dispersion : {0.05, 0.3, 1.0, 4.0, 20.0}) {
      const double size = 1 / dispersion;
      const boost::math::negative_binomial model(size, size / (size + mean));
      for (const double count : {1.0, 2.0, 5.0, 30.0, 200.0}) {
        const double expected = cdf(complement(model, count - 1));
        if (expected < 1e-290) { continue; }
        EXPECT_TRUE(is_near(negative_binomial_upper_tail(count, mean, dispersion), expected, 1e-10))
            << mean << ' ' << dispersion << ' ' << count;
        EXPECT_TRUE(is_near(gamma_poisson_upper_tail(count, {size, size / mean}, 1), expected, 1e-10));
      }
    }
    const boost::math::poisson model(mean);
    for (const double count : {1.0, 3.0, 20.0, 100.0}) {
      const double expected = cdf(complement(model, count - 1));
      if (expected < 1e-290) { continue; }
      EXPECT_TRUE(is_near(poisson_upper_tail(count, mean), expected, 1e-10)) << mean << ' ' << count;
    }
  }
  for (const int shape : {1, 2, 7, 40, 300}) {
    for (double x = 0.01; x < 900; x *= 1.9) {
      const double expected = boost::math::gamma_q(static_cast<double>(shape), x);
      if (expected < 1e-290) { continue; }
      EXPECT_TRUE(is_near(erlang_upper_tail(shape, x), expected, 1e-10)) << shape << ' ' << x;
    }
  }
}

}  // namespace
}  // namespace keyvigil
