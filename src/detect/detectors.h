// The detectors: pure functions of an Observation, one file each, named after the alert.
#pragma once

#include <array>

#include "catalogue/alert_type.h"
#include "detect/observation.h"
#include "detect/suspicion.h"

namespace keyvigil {

using Detector = Suspicions(const Observation& seen);

Detector account_volume_access_denied_anomaly;
Detector account_volume_anomaly;
Detector app_anomaly;
Detector list_get_anomaly;
Detector operation_pattern_anomaly;
Detector operation_volume_anomaly;
Detector put_get_anomaly;
Detector suspicious_ip_access;
Detector suspicious_ip_access_denied;
Detector tor_access;
Detector unusual_access_suspicious_ip;
Detector user_access_denied_anomaly;
Detector user_anomaly;
Detector user_app_anomaly;

struct DetectorRow {
  AlertType type;
  Detector* decide;
};

// Every alert type has one row, in the order of AlertType: the last one sees what the judge made of the others.
inline constexpr std::array<DetectorRow, kAlertTypeCount> kDetectors = {{
    {AlertType::kSuspiciousIPAccess, suspicious_ip_access},
    {AlertType::kTORAccess, tor_access},
    {AlertType::kOperationVolumeAnomaly, operation_volume_anomaly},
    {AlertType::kPutGetAnomaly, put_get_anomaly},
    {AlertType::kListGetAnomaly, list_get_anomaly},
    {AlertType::kAccountVolumeAccessDeniedAnomaly, account_volume_access_denied_anomaly},
    {AlertType::kUserAccessDeniedAnomaly, user_access_denied_anomaly},
    {AlertType::kAppAnomaly, app_anomaly},
    {AlertType::kOperationPatternAnomaly, operation_pattern_anomaly},
    {AlertType::kUserAnomaly, user_anomaly},
    {AlertType::kUserAppAnomaly, user_app_anomaly},
    {AlertType::kAccountVolumeAnomaly, account_volume_anomaly},
    {AlertType::kSuspiciousIPAccessDenied, suspicious_ip_access_denied},
    {AlertType::kUnusualAccessSuspiciousIP, unusual_access_suspicious_ip},
}};

}  // namespace keyvigil
