// Percent coding of URLs (RFC 3986, 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keyvigil {

// All but letters, digits, - . _ ~ and the characters of `keep` as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view keep = {});

// "%24skip" -> "$skip". Nothing where a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace keyvigil
