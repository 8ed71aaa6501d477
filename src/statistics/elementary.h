// Logarithm, exponential and their kin, with the same bits on every machine: nothing here calls libm.
//
// Built from +, -, *, / and bit patterns only, all of which IEEE 754 fixes. Errors against the true value: a few units
// in the last place for natural_log, log_one_plus and exponential; below 1e-14, relative where the result is above one
// and absolute below, for log_gamma. Threads: pure.
#pragma once

namespace keyvigil {

// x > 0. Zero gives -infinity, a negative number or NaN gives NaN.
[[nodiscard]] double natural_log(double x);

// ln(1 + x) without loss for small x. x > -1.
[[nodiscard]] double log_one_plus(double x);

// 0 below -745, infinity above 709.78.
[[nodiscard]] double exponential(double x);

// exp(x) - 1 without loss for small x.
[[nodiscard]] double exponential_minus_one(double x);

// REQUIRES: base > 0.
[[nodiscard]] double power(double base, double exponent);

// 2^(-age / half_life): what is left of a quantity. Equal units; half_life > 0.
[[nodiscard]] double half_life_decay(double age, double half_life);

// ln Gamma(x), x > 0. Stirling's series (DLMF 5.11.1) above 15, the recurrence below.
[[nodiscard]] double log_gamma(double x);

// ln B(a, b), a > 0, b > 0; the large terms of the three gammas are cancelled before they are computed.
[[nodiscard]] double log_beta(double a, double b);

}  // namespace keyvigil
