#include "statistics/combination.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/check.h"
#include "statistics/elementary.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr double kLeast = 1e-300;

double sum_of_surprise(std::span<const double> probabilities) {
  double sum = 0;
  for (const double probability : probabilities) { sum -= natural_log(std::clamp(probability, kLeast, 1.0)); }
  return sum;
}

}  // namespace

double fisher(std::span<const double> probabilities) {
  if (probabilities.empty()) { return 1; }
  return erlang_upper_tail(static_cast<int>(probabilities.size()), sum_of_surprise(probabilities));
}

double conformal_probability(std::span<const double> ascending_scores, double score) {
  const auto [first_equal, first_above] = std::equal_range(ascending_scores.begin(), ascending_scores.end(), score);
  const auto below = static_cast<double>(first_equal - ascending_scores.begin());
  const auto equal = static_cast<double>(first_above - first_equal);
  return std::min(1.0, (1 + below + equal / 2) / (static_cast<double>(ascending_scores.size()) + 1));
}

double novelty_probability(double rate_per_active_day, double dispersion, double surprise) {
  return -exponential_minus_one(-log_one_plus(dispersion * rate_per_active_day * surprise) / dispersion);
}

double account_volume_probability(double rate_per_day, double dispersion, std::span<const double> surprises) {
  return account_volume_probability(rate_per_day, dispersion, surprises.size(), sum_of_surprise(surprises));
}

double account_volume_probability(double rate_per_day, double dispersion, std::uint64_t surprises,
                                  double log_surprise) {
  if (surprises == 0) { return 1; }
  const auto shape = static_cast<int>(std::min<std::uint64_t>(surprises, INT32_MAX));
  const double by_surprise = erlang_upper_tail(shape, log_surprise);
  const double by_count = negative_binomial_upper_tail(static_cast<double>(surprises), rate_per_day, dispersion);
  const double joined = fisher(std::array{by_count, by_surprise});
  return std::min(1.0, 2 * std::min(by_surprise, joined));
}

double bayes_factor_bound(double probability) {
  constexpr double kInverseOfE = 0.36787944117144232160;
  if (probability >= kInverseOfE) { return 1; }
  const double bounded = std::max(probability, kLeast);
  return -bounded * natural_log(bounded) / kInverseOfE;
}

double attack_probability_bound(double probability, double prior) {
  return prior / (prior + (1 - prior) * bayes_factor_bound(probability));
}

double log_dirichlet_multinomial(std::span<const double> weights, std::span<const double> counts) {
  CHECK(weights.size() == counts.size());
  double weight = 0;
  double count = 0;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weight += weights[i];
    count += counts[i];
    if (counts[i] > 0) { sum += log_gamma(weights[i] + counts[i]) - log_gamma(weights[i]); }
  }
  return sum + log_gamma(weight) - log_gamma(weight + count);
}

}  // namespace keyvigil
