// Sample alerts, as the simulate route of Microsoft.Security makes them: one of each of the fourteen types.
//
// They say of themselves that they are samples (AlertStanding::simulated) and name nobody: the vault Sample-KV in
// Sample-RG, zero GUIDs, the address 00.00.00.00. Source: five sample alerts captured from Defender.
#pragma once

#include <string>
#include <vector>

#include "alert/alert.h"
#include "base/event_time.h"

namespace keyvigil {

// In the order of AlertType; starts lie two seconds apart, going back from six seconds before `now` (whole
// milliseconds).
[[nodiscard]] std::vector<Alert> sample_alerts(const std::string& subscription_id, EventTime now);

}  // namespace keyvigil
