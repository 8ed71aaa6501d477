// How much better other explanations account for a sequence of operations than the caller's own habit does.
//
// Threads: pure.
#pragma once

#include <span>

namespace keyvigil {

// Another explanation: Dirichlet weights of the operation classes, and the share of belief put on it.
struct Alternative {
  std::span<const double> weights;
  double share = 0;
};

// ln of the e-value: the mean, by share, of likelihood ratios to `self` under Dirichlet-multinomials. If the habit
// holds, the e-value is at most 1 on average at any time one chooses to look, so min(1, 1/e) is a p-value without a
// penalty for looking often (Ville 1939; Vovk, Wang 2021). Equal sizes; weights > 0; shares > 0 that sum to 1.
[[nodiscard]] double log_pattern_e_value(std::span<const double> self, std::span<const Alternative> alternatives,
                                         std::span<const double> counts);

// min(1, 1/e).
[[nodiscard]] double pattern_probability(double log_e_value);

}  // namespace keyvigil
