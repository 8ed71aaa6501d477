#include "statistics/pattern.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>

namespace keyvigil {
namespace {

constexpr std::array kSelf = {180.0, 0.2, 0.1, 0.05, 0.3, 0.05, 0.05, 0.25};
constexpr std::array kEveryone = {6.0, 1.0, 0.5, 1.2, 0.8, 0.1, 0.1, 0.3};
constexpr std::array kAttack = {8.0, 2.0, 0.05, 0.05, 0.3, 0.3, 0.05, 1.0};

double log_e_value(const std::array<double, 8>& counts) {
  const std::array<Alternative, 2> alternatives = {{{kEveryone, 0.5}, {kAttack, 0.5}}};
  return log_pattern_e_value(kSelf, alternatives, counts);
}

TEST(Pattern, GivesTheKnownEValues) {
  EXPECT_NEAR(std::exp(log_e_value({12, 0, 0, 0, 0, 0, 0, 0})) / 0.03502380828855367, 1, 1e-9);
  EXPECT_NEAR(std::exp(log_e_value({30, 2, 0, 0, 1, 0, 0, 0})) / 10.7541256789191, 1, 1e-9);
  EXPECT_NEAR(std::exp(log_e_value({10, 1, 0, 0, 1, 1, 0, 2})) / 497675.1764611202, 1, 1e-9);
  EXPECT_NEAR(std::exp(log_e_value({3, 1, 0, 0, 0, 0, 0, 6})) / 404813259.77565014, 1, 1e-9);
}

TEST(Pattern, ProbabilityIsTheInverseAndNeverAboveOne) {
  EXPECT_EQ(pattern_probability(log_e_value({12, 0, 0, 0, 0, 0, 0, 0})), 1);
  EXPECT_NEAR(pattern_probability(log_e_value({10, 1, 0, 0, 1, 1, 0, 2})) / 2.0093427345740298e-06, 1, 1e-9);
  EXPECT_EQ(pattern_probability(log_e_value({0, 0, 0, 0, 0, 0, 0, 0})), 1) << "nothing done proves nothing";
}

TEST(Pattern, HugeCountsStayFinite) {
  const double log_e = log_e_value({0, 0, 0, 0, 0, 0, 1e6, 1e6});
  EXPECT_TRUE(std::isfinite(log_e));
  EXPECT_GE(pattern_probability(log_e), 0);
}

// Ville's bound rests on this: over all sequences of one length, weighted by the habit's own chances, e averages to 1.
RC_GTEST_PROP(Pattern, TheMeanEValueUnderTheHabitIsOne, ()) {
  const auto weight = [] { return *rc::gen::inRange(1, 100) / 10.0; };
  const std::array<double, 2> self = {weight(), weight()};
  const std::array<double, 2> other = {weight(), weight()};
  const std::array<Alternative, 1> alternatives = {{{other, 1.0}}};
  const int length = *rc::gen::inRange(1, 12);
  double mean = 0;
  for (int first = 0; first <= length; ++first) {
    const std::array<double, 2> counts = {static_cast<double>(first), static_cast<double>(length - first)};
    double log_chance = std::lgamma(length + 1) - std::lgamma(first + 1) - std::lgamma(length - first + 1);
    log_chance += std::lgamma(self[0] + self[1]) - std::lgamma(self[0] + self[1] + length);
    for (std::size_t i = 0; i < 2; ++i) { log_chance += std::lgamma(self[i] + counts[i]) - std::lgamma(self[i]); }
    mean += std::exp(log_chance + log_pattern_e_value(self, alternatives, counts));
  }
  RC_ASSERT(std::abs(mean - 1) < 1e-9);
}

}  // namespace
}  // namespace keyvigil
