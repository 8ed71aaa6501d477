// keyvigil catalogue: the fourteen alert types, and which of them can fire.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace keyvigil {

// The whole output. Formats: "table" (aligned, for people) and "jsonl" (one object per type).
[[nodiscard]] Result<std::string> catalogue_text(std::string_view format);

}  // namespace keyvigil
