// Our own API, /v1: what the dashboard and scripts ask. docs/openapi.yaml is its description, and is served.
//
// Every list shows what the principal's subscriptions have, and nothing says that there is more. Figures of the whole
// service go to principals that are bound to no subscriptions.
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

// What the routes need. All of it outlives the router; the store and `live` are asked from any thread.
struct V1Routes {
  Store& store;
  const AlertRendering& rendering;
  const LiveView& live;
  std::function<std::vector<std::string>()> outputs;  // names of those that are configured
  Report report;                                      // may be empty
};

void add_v1_routes(Router& router, const V1Routes& needs);

}  // namespace keyvigil
