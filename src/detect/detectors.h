// The detectors: pure functions of an Observation, one file each, named after the alert.
#pragma once

#include <array>

#include "catalogue/alert_type.h"
#include "detect/observation.h"
#include "detect/suspicion.h"

namespace keyvigil {

using Detector = Suspicions(const Observation& seen);

Detector suspicious_ip_access;
Detector suspicious_ip_access_denied;
Detector tor_access;

struct DetectorRow {
  AlertType type;
  Detector* decide;
};

// Every alert type that can fire has one row, in the order of AlertType.
inline constexpr std::array<DetectorRow, 3> kDetectors = {{
    {AlertType::kSuspiciousIPAccess, suspicious_ip_access},
    {AlertType::kTORAccess, tor_access},
    {AlertType::kSuspiciousIPAccessDenied, suspicious_ip_access_denied},
}};

}  // namespace keyvigil
