// AlertBudget: how small a calibrated p-value must be, so that false alerts stay within what was asked for.
//
// The one knob is alerts per 1000 vault-days. Every behavioural alert type has a share of it (design section 4 point 8;
// detection-method notes 1.6); its threshold is its alerts per day over its tests per day, so the expected number of
// false alerts is the budget whether or not tests depend on each other. Threat-list alerts are certain by rule and
// cost nothing. Thresholds change in close_hour() only. Threads: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "catalogue/alert_type.h"

namespace keyvigil {

class AlertBudget {
 public:
  static constexpr double kDefaultAlertsPerThousandVaultDays = 5;
  static constexpr double kLeastAlertsPerDay = 1.0 / 30;
  static constexpr double kLeastTestsPerDay = 4;
  static constexpr double kHalfLifeDays = 14;  // of the count of tests

  // REQUIRES: alerts_per_thousand_vault_days > 0.
  explicit AlertBudget(double alerts_per_thousand_vault_days = kDefaultAlertsPerThousandVaultDays);

  // A test is one detector, one subject, one window, however many events looked at it.
  void add_test(AlertType type, std::uint64_t tests = 1) { pending_[static_cast<std::size_t>(type)] += tests; }
  void add_fused_test(std::uint64_t tests = 1) { pending_[kFused] += tests; }
  // `vaults`: seen in the estate within the last 30 days.
  void close_hour(std::int64_t hour, std::uint64_t vaults);

  // Alert when the calibrated p is at most this; 0 for threat-list types. In [0, 1].
  [[nodiscard]] double threshold(AlertType type) const { return threshold(static_cast<std::size_t>(type)); }
  [[nodiscard]] double fused_threshold() const { return threshold(kFused); }
  // Of all types together.
  [[nodiscard]] double alerts_per_day() const;
  [[nodiscard]] double tests_per_day(AlertType type) const { return tests_per_day(static_cast<std::size_t>(type)); }

  auto fields() { return std::tie(tests_, pending_, days_, vaults_, last_hour_, has_hour_); }

 private:
  static constexpr std::size_t kFused = kAlertTypeCount;
  static constexpr std::size_t kLines = kAlertTypeCount + 1;
  [[nodiscard]] double threshold(std::size_t line) const;
  [[nodiscard]] double tests_per_day(std::size_t line) const;

  double alerts_per_vault_day_;
  std::array<double, kLines> tests_{};  // decayed, by AlertType and then fused
  std::array<std::uint64_t, kLines> pending_{};
  double days_ = 0;  // decayed like tests_
  std::uint64_t vaults_ = 0;
  std::int64_t last_hour_ = 0;
  bool has_hour_ = false;
};

}  // namespace keyvigil
