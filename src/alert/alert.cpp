#include "alert/alert.h"

#include <fmt/format.h>

namespace keyvigil {

bool is_list_alert(AlertType type) {
  return type == AlertType::kSuspiciousIPAccess || type == AlertType::kTORAccess ||
         type == AlertType::kSuspiciousIPAccessDenied;
}

Severity severity_of(const Alert& alert) {
  return alert.learning ? Severity::kInformational : catalogue_row(alert.type).severity;
}

std::string alert_name(const Alert& alert) {
  constexpr std::int64_t kLastTick = 3'155'378'975'999'999'999;  // of the year 9999
  constexpr std::int64_t kUnixEpoch = 621'355'968'000'000'000;   // since year 1
  const std::int64_t start = alert.start.milliseconds() * EventTime::kTicksPerMillisecond;
  return fmt::format("{:019}_{}", kLastTick - kUnixEpoch - start, alert.id);
}

}  // namespace keyvigil
