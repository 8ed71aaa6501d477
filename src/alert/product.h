// Who says it: vendor, product and version, as every outward shape of an alert names them.
#pragma once

#include <string_view>

namespace keyvigil {

inline constexpr std::string_view kVendorName = "KeyVigil";
inline constexpr std::string_view kProductName = "KeyVigil threat detector for Azure Key Vault";
inline constexpr std::string_view kProductShortName = "keyvigil";

[[nodiscard]] std::string_view product_version();

}  // namespace keyvigil
