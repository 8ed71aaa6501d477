// The ARM alert object, as Microsoft.Security/Locations/alerts of api-version 2022-01-01 answers it.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"

namespace keyvigil {

[[nodiscard]] Json arm_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
