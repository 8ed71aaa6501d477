// Known values of the statistics. Each was computed twice, by closed form and by another program, before it was written
// down here; the relative tolerance is 1e-9 for them, tighter where a closed form is at hand.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "statistics/combination.h"
#include "statistics/elementary.h"
#include "statistics/incomplete_beta.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr double kTolerance = 1e-9;

::testing::AssertionResult is_near(double found, double expected, double relative = kTolerance) {
  if (std::abs(found - expected) <= relative * std::abs(expected)) { return ::testing::AssertionSuccess(); }
  return ::testing::AssertionFailure() << "found " << found << ", expected " << expected << ", relative error "
                                       << std::abs(found / expected - 1);
}

TEST(Elementary, AgreesWithTheMathematicsLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 1.37) { EXPECT_TRUE(is_near(natural_log(x), std::log(x), 4e-16)) << x; }
  for (double x = -700; x < 700; x += 0.37) { EXPECT_TRUE(is_near(exponential(x), std::exp(x), 1e-15)) << x; }
  for (double x = 1e-18; x < 1e6; x *= 1.21) {
    EXPECT_TRUE(is_near(log_one_plus(x), std::log1p(x), 1e-15)) << x;
    EXPECT_TRUE(is_near(exponential_minus_one(-x), std::expm1(-x), 1e-15)) << x;
    if (x < 1) { EXPECT_TRUE(is_near(log_one_plus(-x), std::log1p(-x), 1e-15)) << x; }
  }
  for (double x = 1e-6; x < 1e7; x *= 1.083) {
    const double expected = std::lgamma(x);
    EXPECT_LE(std::abs(log_gamma(x) - expected), 2e-14 * std::max(1.0, std::abs(expected))) << x;
  }
}

TEST(Elementary, AnswersOutsideItsDomainAreDefined) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(natural_log(0), -kInfinity);
  EXPECT_EQ(natural_log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(natural_log(-1)));
  EXPECT_TRUE(is_near(natural_log(5e-324), -744.44007192138122, 1e-15));
  EXPECT_EQ(exponential(-1e9), 0);
  EXPECT_EQ(exponential(1e9), kInfinity);
  EXPECT_TRUE(is_near(exponential(-744), 9.881312916824931e-324, 1e-15));
  EXPECT_EQ(log_gamma(0), kInfinity);
  EXPECT_TRUE(std::isnan(log_gamma(-0.5)));
}

TEST(Elementary, HalvesInAHalfLife) {
  EXPECT_TRUE(is_near(half_life_decay(14, 14), 0.5, 1e-15));
  EXPECT_TRUE(is_near(half_life_decay(7, 14), 0.70710678118654752, 1e-15));
  EXPECT_EQ(half_life_decay(0, 14), 1);
  EXPECT_EQ(half_life_decay(1e9, 1), 0);
}

TEST(Tails, NegativeBinomialDeepIntoTheTail) {
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(1, 0.1, 1.0), 0.09090909090909091));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(5, 1.0, 0.5), 0.017832647462277088));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(10, 2.0, 0.2), 0.0010965893874353406));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(20, 2.0, 0.2), 3.92752404270184e-08));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(50, 4.0, 0.5), 2.7707137636883198e-08));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(100, 20.0, 0.1), 6.448970698558046e-10));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(200, 20.0, 0.1), 5.938003554737332e-25));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(40, 20.0, 0.05), 0.004320749841640864));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(60, 20.0, 0.05), 2.0970212044620504e-06));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(1000, 300.0, 0.02), 3.405621690592983e-24));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(25, 0.5, 2.0), 4.645695560034311e-09));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(3, 0.02, 5.0), 6.99760912155579e-05));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(120, 60.0, 0.25), 0.04717787319580127));
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(500, 60.0, 0.25), 5.4549229588938007e-11));
}

TEST(Tails, Poisson) {
  EXPECT_TRUE(is_near(poisson_upper_tail(1, 0.1), 0.09516258196404044));
  EXPECT_TRUE(is_near(poisson_upper_tail(5, 1.0), 0.003659846827343713));
  EXPECT_TRUE(is_near(poisson_upper_tail(15, 5.0), 0.00022625367617675488));
  EXPECT_TRUE(is_near(poisson_upper_tail(40, 20.0), 5.320202511246237e-05));
}

TEST(Tails, GammaPoisson) {
  EXPECT_TRUE(is_near(gamma_poisson_upper_tail(10, {37.22632678385733, 8.31044693213199}, 1.0), 0.022914892110327708));
  EXPECT_TRUE(is_near(gamma_poisson_upper_tail(15, {37.22632678385733, 8.31044693213199}, 1.0), 0.0002232021084418575));
  EXPECT_TRUE(
      is_near(gamma_poisson_upper_tail(25, {37.22632678385733, 8.31044693213199}, 1.0), 1.1540165480684045e-09));
}

TEST(Tails, AtLeastOneRareEvent) {
  EXPECT_TRUE(is_near(gamma_poisson_upper_tail(1, {0.5, 9.5}, 1.0), 0.04881026878865813));
  EXPECT_TRUE(is_near(gamma_poisson_upper_tail(1, {2.0, 50.0}, 1.0), 0.038831218762014674));
}

TEST(Tails, CriticalCountIsTheFirstThatPasses) {
  EXPECT_EQ(critical_count(0.5, 1.0, 0.01), 5U);
  EXPECT_EQ(critical_count(5.0, 0.5, 0.01), 20U);
  EXPECT_EQ(critical_count(20.0, 0.2, 0.001), 65U);
  EXPECT_EQ(critical_count(100.0, 0.05, 0.001), 193U);
  EXPECT_EQ(critical_count(300.0, 0.02, 0.0001), 500U);
}

TEST(Combination, Fisher) {
  EXPECT_TRUE(is_near(fisher(std::array{0.01, 0.02}), 0.0019034386382832487));
  EXPECT_TRUE(is_near(fisher(std::array{0.001, 0.3}), 0.0027335184249924213));
  EXPECT_TRUE(is_near(fisher(std::array{0.05, 0.05, 0.05}), 0.006296506270915037));
  EXPECT_TRUE(is_near(fisher(std::array{0.0001, 0.5, 0.9}), 0.002749381555243002));
  EXPECT_TRUE(is_near(fisher(std::array{0.2}), 0.19999999999999998));
}

TEST(Combination, FisherOfTheSurprisesOfADay) {
  EXPECT_TRUE(is_near(fisher(std::array{0.05}), 0.05000000000000002));
  EXPECT_TRUE(is_near(fisher(std::array{0.05, 0.05}), 0.017478661367769956));
  EXPECT_TRUE(is_near(fisher(std::array{0.05, 0.05, 0.05}), 0.006296506270915037));
  EXPECT_TRUE(is_near(fisher(std::array{0.05, 0.05, 0.05, 0.05, 0.05}), 0.0008705185108263594));
  EXPECT_TRUE(is_near(fisher(std::array{0.5, 0.5, 0.5, 0.5, 0.5}), 0.7318982141296168));
  EXPECT_TRUE(is_near(fisher(std::array{0.3, 0.05, 0.6}), 0.15124572402498282));
}

TEST(Combination, BayesFactorBound) {
  EXPECT_TRUE(is_near(bayes_factor_bound(0.01), 0.1251815043353279));
  EXPECT_TRUE(is_near(bayes_factor_bound(0.001), 0.018777225650299184));
  EXPECT_TRUE(is_near(bayes_factor_bound(0.0001), 0.002503630086706558));
  EXPECT_TRUE(is_near(bayes_factor_bound(1e-06), 3.7554451300598366e-05));
}

TEST(Combination, AttackProbabilityBound) {
  EXPECT_TRUE(is_near(attack_probability_bound(0.0001, 0.001), 0.2856223596577674));
  EXPECT_TRUE(is_near(attack_probability_bound(1e-06, 0.001), 0.9638397244775213));
  EXPECT_TRUE(is_near(attack_probability_bound(1e-08, 0.001), 0.9995000248089115));
  EXPECT_TRUE(is_near(attack_probability_bound(1e-06, 0.0001), 0.7270046827322141));
}

TEST(Combination, Novelty) {
  EXPECT_TRUE(is_near(novelty_probability(0.02, 1.0, 0.05), 0.0009990009990008542));
  EXPECT_TRUE(is_near(novelty_probability(0.02, 1.0, 0.5), 0.00990099009900991));
  EXPECT_TRUE(is_near(novelty_probability(0.3, 1.0, 0.05), 0.01477832512315258));
  EXPECT_TRUE(is_near(novelty_probability(3.0, 0.5, 0.01), 0.029338251352859612));
  EXPECT_TRUE(is_near(novelty_probability(0.001, 2.0, 0.2), 0.0001999400199930168));
}

TEST(Combination, ConformalProbabilityByMidRank) {
  const std::vector<double> past = {-9.2, -8.1, -7.7, -7.0, -6.8, -6.1, -5.9, -5.5, -5.0, -4.4,
                                    -4.1, -3.9, -3.3, -3.0, -2.8, -2.2, -1.9, -1.1, -0.6};
  EXPECT_TRUE(is_near(conformal_probability(past, -10.0), 0.05));
  EXPECT_TRUE(is_near(conformal_probability(past, -7.3), 0.2));
  EXPECT_TRUE(is_near(conformal_probability(past, -5.0), 0.475));
  EXPECT_TRUE(is_near(conformal_probability(past, -0.1), 1.0));
  EXPECT_EQ(conformal_probability({}, 3), 1);
}

// The chance of a window as full as this one, from the rank of its count among past windows: with the sign turned, so
// that much is low, it is the same mid-rank.
TEST(Combination, RankAmongPastWindows) {
  const auto rank = [](std::size_t windows, std::size_t as_full) {
    std::vector<double> past(windows, -1.0);
    for (std::size_t i = 0; i < as_full; ++i) { past[i] = -20; }
    return conformal_probability(past, -10);
  };
  EXPECT_TRUE(is_near(rank(99, 0), 0.01));
  EXPECT_TRUE(is_near(rank(99, 3), 0.04));
  EXPECT_TRUE(is_near(rank(719, 0), 0.001388888888888889));
}

TEST(Combination, AccountVolume) {
  EXPECT_TRUE(is_near(account_volume_probability(0.05, 1.0, std::array{0.05, 0.2}), 0.0025345348330103796));
  EXPECT_TRUE(is_near(account_volume_probability(0.05, 1.0, std::array{0.05, 0.05, 0.05}), 2.0670609009333828e-05));
  EXPECT_TRUE(is_near(account_volume_probability(2.0, 0.5, std::array{0.4, 0.6, 0.3}), 0.9048822765518283));
  EXPECT_TRUE(
      is_near(account_volume_probability(0.05, 1.0, std::array{0.5, 0.5, 0.5, 0.5, 0.5, 0.5}), 3.462547628783094e-07));
  EXPECT_EQ(account_volume_probability(1, 1, {}), 1);
}

TEST(Combination, AccountVolumeFromASumEqualsThatFromItsParts) {
  const double parts = account_volume_probability(0.05, 1, std::array{0.05, 0.2, 0.7});
  const double sum = account_volume_probability(0.05, 1, 3, -std::log(0.05) - std::log(0.2) - std::log(0.7));
  EXPECT_TRUE(is_near(sum, parts));
}

TEST(Tails, ASumOfManySurprisesNeitherOverflowsNorTakesLong) {
  EXPECT_GT(erlang_upper_tail(1000, 800), 0.999);
  EXPECT_TRUE(is_near(erlang_upper_tail(1'000'000, 1'000'000), 0.49986701903905584, 1e-8));
  const double certain = erlang_upper_tail(2'000'000'000, 5);
  EXPECT_TRUE(is_near(certain, 1));
  const double sweep = erlang_upper_tail(2000, 14000);
  EXPECT_GE(sweep, 0);
  EXPECT_LT(sweep, 1e-300);
  EXPECT_TRUE(is_near(erlang_upper_tail(100, 150), 5.9245403354836966e-06));
}

TEST(Combination, DirichletMultinomialOfAnOrderedSequence) {
  const auto self = std::array{180.0, 0.2, 0.1, 0.05, 0.3, 0.05, 0.05, 0.25};
  const auto everyone = std::array{6.0, 1.0, 0.5, 1.2, 0.8, 0.1, 0.1, 0.3};
  const auto attack = std::array{8.0, 2.0, 0.05, 0.05, 0.3, 0.3, 0.05, 1.0};
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(self, std::array{12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}),
                      -0.0645385211375924));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(everyone, std::array{12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}),
                      -3.860729711040591));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(attack, std::array{12.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}),
                      -3.1096401257949893));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(self, std::array{30.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0}),
                      -18.854976413650746));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(everyone, std::array{30.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0}),
                      -17.15136642951282));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(attack, std::array{30.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0}),
                      -16.081481390245074));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(self, std::array{10.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 2.0}),
                      -33.33967772799634));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(everyone, std::array{10.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 2.0}),
                      -22.3384594611387));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(attack, std::array{10.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 2.0}),
                      -19.590944756994674));
  EXPECT_TRUE(
      is_near(log_dirichlet_multinomial(self, std::array{3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0}), -34.31174567539816));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(everyone, std::array{3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0}),
                      -16.509400652348134));
  EXPECT_TRUE(is_near(log_dirichlet_multinomial(attack, std::array{3.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0}),
                      -13.868534444417277));
}

TEST(Tails, ClosedFormsByHand) {
  EXPECT_TRUE(is_near(negative_binomial_upper_tail(1, 0.1, 1), 1.0 / 11, 1e-14));
  EXPECT_TRUE(is_near(erlang_upper_tail(1, 3), std::exp(-3.0), 1e-15));
  EXPECT_TRUE(is_near(erlang_upper_tail(3, 2), std::exp(-2.0) * (1 + 2 + 2), 1e-14));
  EXPECT_TRUE(is_near(regularized_incomplete_beta(1, 4, 0.3, 0.7), 1 - 0.7 * 0.7 * 0.7 * 0.7, 1e-14));
  EXPECT_TRUE(is_near(regularized_incomplete_beta(4, 1, 0.3, 0.7), 0.3 * 0.3 * 0.3 * 0.3, 1e-14));
  EXPECT_EQ(negative_binomial_upper_tail(0, 5, 1), 1);
  EXPECT_EQ(negative_binomial_upper_tail(1, 0, 1), 0);
  EXPECT_EQ(poisson_upper_tail(0, 5), 1);
  EXPECT_EQ(erlang_upper_tail(2, -1), 1);
}

double wild_positive() {
  return std::exp(*rc::gen::inRange(-2000, 1500) / 100.0);
}

RC_GTEST_PROP(Tails, StayBetweenZeroAndOneAndFallWithTheCount, ()) {
  const double mean = wild_positive();
  const double dispersion = wild_positive();
  double before = 1;
  for (double count = 0; count < 1e6; count = 2 * count + 1) {
    const double tail = negative_binomial_upper_tail(count, mean, dispersion);
    RC_ASSERT(tail >= 0 && tail <= before * (1 + 1e-9));
    before = tail;
    const double poisson = poisson_upper_tail(count, mean);
    RC_ASSERT(poisson >= 0 && poisson <= 1);
  }
}

// Sums the probabilities themselves, from the recurrence p(k+1) = p(k) (k + r) / (k + 1) m / (m + r).
RC_GTEST_PROP(Tails, NegativeBinomialIsTheSumOfItsProbabilities, ()) {
  const double mean = std::exp(*rc::gen::inRange(-300, 400) / 100.0);
  const double dispersion = std::exp(*rc::gen::inRange(-300, 200) / 100.0);
  const auto count = *rc::gen::inRange(1, 60);
  const double size = 1 / dispersion;
  long double probability = std::pow(static_cast<long double>(size / (mean + size)), static_cast<long double>(size));
  long double below = 0;
  for (int k = 0; k < count; ++k) {
    below += probability;
    probability *= (k + size) / (k + 1.0L) * mean / (mean + size);
  }
  const auto expected = static_cast<double>(1 - below);
  RC_ASSERT(std::abs(negative_binomial_upper_tail(count, mean, dispersion) - expected) < 1e-12);
}

}  // namespace
}  // namespace keyvigil
