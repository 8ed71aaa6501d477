// The signature of a webhook, as the Standard Webhooks specification 1.0 has it (symmetric, `v1`).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace keyvigil {

// The key of "whsec_" and base64, or of base64 alone; 24 to 64 bytes. The error does not repeat the text.
[[nodiscard]] Result<std::string> webhook_key(std::string_view secret);

// "v1," and the base64 of HMAC-SHA256 over "id.seconds.body".
[[nodiscard]] std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                                            std::string_view body);

}  // namespace keyvigil
