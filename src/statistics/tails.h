// Upper tails of the distributions that histories are compared with: how likely is so much or more?
//
// All in [0, 1]; a count at or below zero gives 1. Counts are whole numbers given as double. Threads: pure.
#pragma once

#include <cstdint>

namespace keyvigil {

// P(X >= count), X negative binomial with the mean and the variance mean + dispersion * mean^2: counts of a caller
// whose rate itself varies. I_{m/(m+r)}(count, r), r = 1/dispersion (DLMF 8.17.24). mean >= 0, dispersion > 0.
[[nodiscard]] double negative_binomial_upper_tail(double count, double mean, double dispersion);

// P(X >= count), X Poisson: the regularised lower incomplete gamma function P(count, mean) (DLMF 8.7.1, 8.9.2).
[[nodiscard]] double poisson_upper_tail(double count, double mean);

// What is believed of a rate after `shape` events in `rate` units of exposure, prior included: Gamma(shape, rate).
struct GammaRate {
  double shape = 1;
  double rate = 1;
};

// P(X >= count) in `exposure` more units: negative binomial with mean shape/rate * exposure and dispersion 1/shape.
[[nodiscard]] double gamma_poisson_upper_tail(double count, const GammaRate& belief, double exposure);

// P(X >= x), X the sum of `shape` standard exponential variables (Erlang). shape >= 1; x below 0 gives 1.
[[nodiscard]] double erlang_upper_tail(int shape, double x);

// The smallest count whose negative binomial tail is at most `gate`: an event loop compares an integer instead of a
// probability. gate > 0. At most 2^53.
[[nodiscard]] std::uint64_t critical_count(double mean, double dispersion, double gate);

}  // namespace keyvigil
