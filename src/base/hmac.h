// Keyed digests (RFC 2104) with SHA-256.
#pragma once

#include <string>
#include <string_view>

namespace keyvigil {

// 32 bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace keyvigil
