// The object that Defender's continuous export writes to an Event Hub: one per alert, PascalCase, explicit nulls.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"

namespace keyvigil {

[[nodiscard]] Json eventhub_json(const Alert& alert, const AlertRendering& rendering,
                                 const AlertStanding& standing = {});

}  // namespace keyvigil
