// Microsoft Graph's security/alerts_v2, as far as the alerts of this service go: list, get, and PATCH of the status.
//
// Source: @microsoft/microsoft-graph-types 2.43.1. Graph has no state for what was dismissed: it is `resolved` with the
// classification `falsePositive`. $filter takes conditions joined by `and`.
#pragma once

#include "alert/alert_rendering.h"
#include "api/arm_answer.h"
#include "api/live_view.h"
#include "api/router.h"
#include "store/store.h"

namespace keyvigil {

// What the routes need. All of it outlives the router.
struct GraphRoutes {
  Store& store;
  const AlertRendering& rendering;
  Report report;                   // may be empty
  const LiveView* live = nullptr;  // without it alerts are shown as they were stored
};

void add_graph_routes(Router& router, const GraphRoutes& needs);

}  // namespace keyvigil
