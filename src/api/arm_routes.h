// Azure Resource Manager's routes, as the clients of Microsoft.Security use them: alerts, alertsSuppressionRules, and
// what those clients ask on the way (locations, subscriptions, tenants, pricings, settings, operation results).
//
// Source: the REST specification 2022-01-01 of Microsoft.Security and the recorded requests of @azure/arm-security
// 5.0.0, azure-mgmt-security 3.0.0 and az 2.45. Alerts are under the location of their subscription (AlertRendering).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "alert/alert_rendering.h"
#include "api/arm_answer.h"
#include "api/live_view.h"
#include "api/router.h"
#include "store/store.h"

namespace keyvigil {

// What the routes need. All of it outlives the router.
struct ArmRoutes {
  Store& store;
  const AlertRendering& rendering;
  std::function<std::vector<std::string>()> sample_outputs;  // that get the alerts of the simulate route; any thread
  Report report;                                             // may be empty
  const LiveView* live = nullptr;                            // without it alerts are shown as they were stored
};

void add_arm_routes(Router& router, const ArmRoutes& needs);

}  // namespace keyvigil
