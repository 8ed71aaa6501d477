// Base64 with padding and without line ends (RFC 4648 section 4).
#pragma once

#include <string>
#include <string_view>

namespace keyvigil {

// REQUIRES: less than 1 GiB.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace keyvigil
