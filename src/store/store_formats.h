// The formats of a store and of the files beside it.
#pragma once

#include <array>

#include "base/format_versions.h"

namespace keyvigil {

// In the order of how much a file holds. What an older program would read wrongly is a new version of the schema too,
// if only by an empty step: it is then refused before anything is read.
[[nodiscard]] std::array<FormatVersions, 5> store_formats();

}  // namespace keyvigil
