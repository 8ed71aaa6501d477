// --only TYPES: which of the fourteen alerts a run raises.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalogue/alert_type.h"

namespace keyvigil {

// Codes of the catalogue, whatever their case, and "threat-lists" for those that no history is needed for, joined by
// commas. An unknown or empty name is refused with the nearest known one.
[[nodiscard]] Result<AlertTypes> parse_alert_types(std::string_view text);

// Every name that parse_alert_types() knows.
[[nodiscard]] std::vector<std::string_view> alert_type_names();

// The codes, joined by commas.
[[nodiscard]] std::string to_string(const AlertTypes& types);

}  // namespace keyvigil
