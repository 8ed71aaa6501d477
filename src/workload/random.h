// Random: a seeded stream of numbers, equal on every machine.
//
// SplitMix64 (Steele, Lea, Flood 2014), whose state is a counter, so a stream can start anywhere. The distributions of
// the standard library differ between implementations and libm differs between machines: only integer and basic IEEE
// arithmetic here.
#pragma once

#include <cstdint>

namespace keyvigil::workload {

[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBULL;
  return bits ^ (bits >> 31U);
}

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] constexpr std::uint64_t bits() { return mix64(state_ += 0x9E3779B97F4A7C15ULL); }

  // 0 .. bound-1. REQUIRES: bound > 0. Lemire's multiplication; its bias of bound/2^64 does not matter here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(bits()) * bound) >> 64U);
  }

  // low .. high, both included. REQUIRES: low <= high.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  // [0, 1), 53 bits.
  [[nodiscard]] double unit() { return unit_of(bits()); }
  [[nodiscard]] static constexpr double unit_of(std::uint64_t bits) {
    return static_cast<double>(bits >> 11U) * 0x1p-53;
  }

  [[nodiscard]] bool chance(double probability) { return unit() < probability; }

  // Exponential with mean 1, by comparisons of uniforms only (von Neumann 1951): no logarithm.
  [[nodiscard]] double exponential() {
    double whole = 0;
    while (true) {
      const double first = unit();
      double previous = first;
      double next = unit();
      bool odd = true;
      while (next <= previous) {
        previous = next;
        next = unit();
        odd = !odd;
      }
      if (odd) { return whole + first; }
      whole += 1;
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace keyvigil::workload
