#include "judge/budget.h"

#include <algorithm>

#include "base/check.h"
#include "catalogue/catalogue.h"
#include "statistics/elementary.h"

namespace keyvigil {
namespace {

double share_of(AlertType type) {
  return catalogue_row(type).budget_share;
}

}  // namespace

AlertBudget::AlertBudget(double alerts_per_thousand_vault_days)
    : alerts_per_vault_day_(alerts_per_thousand_vault_days / 1000) {
  CHECK(alerts_per_thousand_vault_days > 0);
}

void AlertBudget::close_hour(std::int64_t hour, std::uint64_t vaults) {
  constexpr double kHoursPerDay = 24;
  const double days =
      has_hour_ && hour > last_hour_ ? (static_cast<double>(hour) - static_cast<double>(last_hour_)) / kHoursPerDay : 0;
  const double kept = half_life_decay(days, kHalfLifeDays);
  for (std::size_t line = 0; line < kLines; ++line) {
    tests_[line] = tests_[line] * kept + static_cast<double>(pending_[line]);
  }
  days_ = days_ * kept + days;
  pending_.fill(0);
  vaults_ = vaults;
  last_hour_ = has_hour_ ? std::max(last_hour_, hour) : hour;
  has_hour_ = true;
}

double AlertBudget::alerts_per_day() const {
  return std::max(kLeastAlertsPerDay, alerts_per_vault_day_ * static_cast<double>(vaults_));
}

double AlertBudget::tests_per_day(std::size_t line) const {
  // A first day that is not over says little: its tests count as those of a whole one.
  return std::max(kLeastTestsPerDay, tests_[line] / std::max(1.0, days_));
}

double AlertBudget::threshold(std::size_t line) const {
  const double share = line == kFused ? kFusedShare : share_of(static_cast<AlertType>(line));
  return std::min(1.0, share * alerts_per_day() / tests_per_day(line));
}

}  // namespace keyvigil
