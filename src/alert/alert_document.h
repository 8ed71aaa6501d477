// The alert as one JSON document, from which the ARM object and the Event Hub object are both derived mechanically.
//
// Keys are PascalCase to every depth, as in Defender's Event Hub export (the form that carries more); ARM lower-cases
// the first letter of every key. Keys of ours are added beside Defender's, in ExtendedProperties and
// SupportingEvidence; none of Defender's is given another meaning.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json alert_document(const Alert& alert, const AlertRendering& rendering,
                                  const AlertStanding& standing = {});

// The catalogue's code and display name, marked where the alert is a simulated one.
[[nodiscard]] std::string alert_code(const Alert& alert, const AlertStanding& standing);
[[nodiscard]] std::string alert_title(const Alert& alert, const AlertStanding& standing);

// "/subscriptions/.../providers/Microsoft.Security/locations/<location>/alerts/<name>"
[[nodiscard]] std::string alert_resource_id(const Alert& alert, const AlertRendering& rendering);

[[nodiscard]] std::string alert_uri(const Alert& alert, const AlertRendering& rendering);

// One line of JSON without a line end, also for readers that take U+0085, U+2028 and U+2029 for one. What is not UTF-8
// becomes U+FFFD, so this cannot fail.
[[nodiscard]] std::string to_json_line(const Json& json);

}  // namespace keyvigil
