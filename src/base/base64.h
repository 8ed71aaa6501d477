// Base64 with padding and without line ends (RFC 4648 section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyvigil {

// REQUIRES: less than 1 GiB.
[[nodiscard]] std::string base64(std::string_view bytes);

// Nothing where the text is empty, lacks padding or is no base64. REQUIRES: less than 1 GiB.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace keyvigil
