// The alert as a document of the Elastic Common Schema 9.4: event.kind alert, event.category intrusion_detection.
// What ECS has no field for stands under `keyvigil`.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json ecs_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
