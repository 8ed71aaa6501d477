// The alert as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework 1.8.0, profile cloud.
// What the class has no attribute for stands under `unmapped`.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json ocsf_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
