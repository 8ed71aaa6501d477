// Calibrator: how often a detector's p-value is as small as this one, in truth.
//
// Every test enters, the unremarkable ones too, as s = -log10 p in bins of 0.1. A prior of 200 tests that are right on
// average (tail 10^-s) is mixed in. Above the point that 2 % reach, excesses are taken as exponential, with a prior of
// 50 excesses (peaks over threshold; Siffer et al. 2017 with shape 0). What is added counts after close_hour(), so that
// nothing depends on the order within an hour. Half of the weight is lost in 20,000 tests or in 60 days.
// 8 KiB. Threads: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace keyvigil {

class Calibrator {
 public:
  static constexpr std::size_t kBins = 401;  // the last one holds s >= 40
  static constexpr double kBinsPerUnit = 10;
  // Tests that alerted, by s up to 4.
  struct AlertedTests {
    static constexpr std::size_t kBins = 41;
    std::array<double, kBins> counts{};
    std::array<std::uint32_t, kBins> pending{};
    double expected = 0;  // so many would have, were all tests harmless; decayed as they are
    auto fields() { return std::tie(counts, pending, expected); }
  };

  Calibrator() { settle(); }

  // So many tests with this p, in (0, 1]. What alerted may have been an attack, which must not raise its own bar: it is
  // kept apart, with s <= 4, and counts as far as it was harmless.
  void add(double p, bool alerted, std::uint32_t tests = 1);
  // `threshold`: the p at which the tests of this hour alert.
  void close_hour(std::int64_t hour, double threshold);

  // In (0, 1].
  [[nodiscard]] double calibrated(double p) const;
  // Decayed number of tests behind it.
  [[nodiscard]] double tests() const { return tests_; }

  auto fields() { return std::tie(counts_, pending_, last_hour_, has_hour_); }
  // Saved apart: states of version 7 have none.
  [[nodiscard]] AlertedTests& alerted() { return alerted_; }
  [[nodiscard]] const AlertedTests& alerted() const { return alerted_; }
  // After loading: computes what fields() does not hold.
  void settle();

 private:
  [[nodiscard]] double tests_in(std::size_t bin) const;
  [[nodiscard]] double tail(double prior, std::size_t bin) const;
  void derive();
  [[nodiscard]] double harmless_share() const;  // of what alerted

  std::array<double, kBins> counts_{};
  std::array<std::uint32_t, kBins> pending_{};
  AlertedTests alerted_;
  std::int64_t last_hour_ = 0;
  bool has_hour_ = false;

  bool has_alerted_ = false;  // derived

  // Derived from counts_ and alerted_. Bins at and after these ends are empty, which is most of them.
  std::size_t counts_end_ = 0;
  std::size_t pending_end_ = 0;
  std::array<double, kBins> above_{};  // tests in later bins
  double tests_ = 0;
  double peak_from_ = 0;  // s from which on the tail is exponential
  double peak_tail_ = 1;
  double peak_scale_ = 1;
};

}  // namespace keyvigil
