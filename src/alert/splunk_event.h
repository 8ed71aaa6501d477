// The alert as one event of Splunk's HTTP event collector.
#pragma once

#include <string>

#include "alert/alert.h"
#include "alert/alert_document.h"

namespace keyvigil {

// `document`: the alert in any of its JSON forms. `index`: empty for that of the token.
[[nodiscard]] Json splunk_event(const Alert& alert, Json document, const std::string& index);

}  // namespace keyvigil
