// JSON Web Tokens (RFC 7519) as Entra ID issues them, and the public keys that they are checked with (RFC 7517).
//
// RS256, PS256 and ES256 only (RFC 7518); a key is used only for what its type allows, so that no token can choose how
// it is checked. What a token's header says of keys (jku, jwk, x5u, x5c) is not read; `crit` is refused (RFC 8725).
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/openssl_owner.h"
#include "base/result.h"

namespace keyvigil {

enum class JwtAlgorithm : std::uint8_t { kRs256, kPs256, kEs256 };

using PublicKey = OpenSslOwner<EVP_PKEY, EVP_PKEY_free>;

struct JsonWebKey {
  std::string id;                         // kid
  std::optional<JwtAlgorithm> algorithm;  // where the set binds the key to one
  bool is_elliptic = false;               // P-256; else RSA of 2048 to 8192 bits
  PublicKey key;
};

struct KeySet {
  std::vector<JsonWebKey> keys;
  std::size_t unusable = 0;  // other types, uses, sizes, or without id
};

// Not yet checked by anything.
struct Jwt {
  JwtAlgorithm algorithm = JwtAlgorithm::kRs256;
  std::string key_id;
  std::string_view signed_text;  // into the token
  std::string signature;
  std::string issuer;
  std::string subject;
  std::string object_id;
  std::vector<std::string> audiences;
  std::vector<std::string> roles;
  std::int64_t expires_seconds = 0;  // since 1970; RFC 7519 makes it optional, here it is required
  std::optional<std::int64_t> not_before_seconds;
};

// At most 256 keys. Errors: kInput where it is no key set, or none of its keys can be used.
[[nodiscard]] Result<KeySet> parse_key_set(std::string_view text);
// At most 16 KiB. `token` must outlive the answer. Nothing: malformed, or an algorithm that is not taken.
[[nodiscard]] std::optional<Jwt> parse_jwt(std::string_view token);
[[nodiscard]] bool is_signed_by(const Jwt& token, const JsonWebKey& key);

// Without padding, as RFC 7515 has it; nothing for any other character, length or left-over bits.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);
[[nodiscard]] std::string base64url_encode(std::string_view bytes);

}  // namespace keyvigil
