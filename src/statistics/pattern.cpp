#include "statistics/pattern.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "statistics/combination.h"
#include "statistics/elementary.h"

namespace keyvigil {

double log_pattern_e_value(std::span<const double> self, std::span<const Alternative> alternatives,
                           std::span<const double> counts) {
  CHECK(!alternatives.empty());
  const double own = log_dirichlet_multinomial(self, counts);
  std::vector<double> terms;
  terms.reserve(alternatives.size());
  for (const Alternative& alternative : alternatives) {
    terms.push_back(natural_log(alternative.share) + log_dirichlet_multinomial(alternative.weights, counts) - own);
  }
  const double largest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) { sum += exponential(term - largest); }
  return largest + natural_log(sum);
}

double pattern_probability(double log_e_value) {
  return log_e_value <= 0 ? 1 : exponential(-log_e_value);
}

}  // namespace keyvigil
