#include "statistics/edge_score.h"

#include <algorithm>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kLeast = 1e-300;
constexpr double kEstateConcentration = 1;
constexpr double kDiscount = 0.5;

double score_of(double probability, double vaults) {
  return natural_log(std::max(kLeast, std::max(1.0, vaults) * probability));
}

}  // namespace

double back_off(const Popularity& level, double parent, double concentration, double discount) {
  const double own = std::max(level.count - discount, 0.0);
  return (own + (concentration + discount * level.distinct) * parent) / (concentration + level.total);
}

double vault_popularity(double callers, double edges, double vaults) {
  return back_off({.count = callers, .total = edges, .distinct = vaults}, 1 / (vaults + 1), kEstateConcentration,
                  kDiscount);
}

double edge_score(double walk, double popularity, double vaults) {
  return score_of(0.85 * walk + 0.15 * popularity, vaults);
}

double edge_score(double walk, double group_popularity, double popularity, double vaults) {
  return score_of(0.5 * walk + 0.4 * group_popularity + 0.1 * popularity, vaults);
}

}  // namespace keyvigil
