// AlertStanding: what people, rules and the service have made of an alert. The alert itself does not know it.
//
// `detect` has none: its alerts are Active, real and of now.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/event_time.h"

namespace keyvigil {

// Values are written to the store: do not renumber. Spelled as ARM does.
enum class AlertStatus : std::uint8_t { kActive = 0, kInProgress = 1, kResolved = 2, kDismissed = 3 };

[[nodiscard]] std::string_view to_string(AlertStatus status);

struct AlertStanding {
  AlertStatus status = AlertStatus::kActive;
  bool simulated = false;              // made by the simulate route: SIMULATED_ code, [SAMPLE ALERT] name
  bool backfilled = false;             // of the past, read in later
  bool earlier_revision_sent = false;  // the receiver knows the alert already
  std::optional<EventTime> processed = std::nullopt;  // wall clock at which the service stored the revision
};

}  // namespace keyvigil
