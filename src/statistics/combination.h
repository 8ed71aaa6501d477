// Joining probabilities: several tests of one thing, several new vaults of one caller, evidence and prior.
//
// Every probability is in (0, 1]; results too. Zero stands for 1e-300. Threads: pure.
#pragma once

#include <cstdint>
#include <span>

namespace keyvigil {

// Fisher's method: the chance that independent tests together are as small as these. No test: 1.
[[nodiscard]] double fisher(std::span<const double> probabilities);

// Where an observed score stands among past ones, which are ascending; low is surprising. Ties count half, and the
// score itself counts as one of them: (1 + below + equal / 2) / (n + 1), at most 1.
[[nodiscard]] double conformal_probability(std::span<const double> ascending_scores, double score);

// P(at least one new edge that surprises as much today), for a caller who makes `rate` new edges on an active day with
// this dispersion: a thinned negative binomial keeps its dispersion. 1 - (1 + phi m e)^(-1/phi).
[[nodiscard]] double novelty_probability(double rate_per_active_day, double dispersion, double surprise);

// The same for all new edges of a day together: the smaller of the surprises' sum alone and of it joined with their
// number, doubled for having looked twice.
[[nodiscard]] double account_volume_probability(double rate_per_day, double dispersion,
                                                std::span<const double> surprises);
// The same from their number and the sum of ln(1/surprise). `log_surprise` >= 0.
[[nodiscard]] double account_volume_probability(double rate_per_day, double dispersion, std::uint64_t surprises,
                                                double log_surprise);

// The least Bayes factor for "nothing happened" that a p-value allows: -e p ln p below 1/e (Sellke, Bayarri, Berger
// 2001), 1 above.
[[nodiscard]] double bayes_factor_bound(double probability);

// At most so probable is an attack, given its share among all that is tested.
[[nodiscard]] double attack_probability_bound(double probability, double prior);

// ln of the chance of an ordered sequence with these counts under a Dirichlet-multinomial with these weights. Equal
// sizes; weights > 0.
[[nodiscard]] double log_dirichlet_multinomial(std::span<const double> weights, std::span<const double> counts);

}  // namespace keyvigil
