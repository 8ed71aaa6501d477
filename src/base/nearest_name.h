// For messages about unknown names: the known one that was probably meant.
#pragma once

#include <span>
#include <string_view>

namespace keyvigil {

// The one with the fewest letters to change, add or leave out, whatever their case; of equals the first.
// REQUIRES: `known` is not empty.
[[nodiscard]] std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace keyvigil
