// The regularised incomplete beta function I_x(a, b), deep into its tails.
//
// Continued fraction of DLMF 8.17.22, evaluated by Lentz's method, in logarithms. Relative error below 1e-12 for a, b
// up to 1e6. Threads: pure.
#pragma once

namespace keyvigil {

// ln I_x(a, b); -infinity where that is zero. a > 0, b > 0. `x` and its complement 1 - x are both asked for, so that
// neither is rounded; both in [0, 1].
[[nodiscard]] double log_regularized_incomplete_beta(double a, double b, double x, double complement);

// In [0, 1].
[[nodiscard]] double regularized_incomplete_beta(double a, double b, double x, double complement);

}  // namespace keyvigil
