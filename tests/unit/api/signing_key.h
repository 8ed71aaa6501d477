// A key pair made by OpenSSL that signs JWTs, and its public half as a JSON Web Key.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/jwt.h"
#include "base/check.h"

namespace keyvigil {

class SigningKey {
 public:
  static SigningKey rsa(std::string id, unsigned bits = 2048) { return {std::move(id), EVP_RSA_gen(bits)}; }
  static SigningKey elliptic(std::string id, const char* curve = "P-256") { return {std::move(id), EVP_EC_gen(curve)}; }

  [[nodiscard]] nlohmann::json as_jwk() const {
    if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
      return {{"kty", "RSA"},
              {"use", "sig"},
              {"kid", id_},
              {"n", number(OSSL_PKEY_PARAM_RSA_N)},
              {"e", number(OSSL_PKEY_PARAM_RSA_E)}};
    }
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"use", "sig"},
            {"kid", id_},
            {"x", number(OSSL_PKEY_PARAM_EC_PUB_X)},
            {"y", number(OSSL_PKEY_PARAM_EC_PUB_Y)}};
  }

  // `algorithm` goes into the header as it is; the signature is the one of `signed_as`.
  [[nodiscard]] std::string token(const nlohmann::json& claims, const std::string& algorithm,
                                  std::string signed_as = {}, const nlohmann::json& more_header = {}) const {
    if (signed_as.empty()) { signed_as = algorithm; }
    nlohmann::json header = {{"alg", algorithm}, {"typ", "JWT"}, {"kid", id_}};
    if (more_header.is_object()) { header.update(more_header); }
    const std::string text = base64url_encode(header.dump()) + "." + base64url_encode(claims.dump());
    return text + "." + base64url_encode(signature(text, signed_as));
  }

 private:
  SigningKey(std::string id, EVP_PKEY* key) : id_(std::move(id)), key_(key) { CHECK(key_ != nullptr); }

  [[nodiscard]] std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    CHECK(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1);
    const bool coordinate = EVP_PKEY_is_a(key_.get(), "EC") == 1;
    std::string bytes(coordinate ? 32 : static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return base64url_encode(bytes);
  }

  [[nodiscard]] std::string signature(std::string_view text, const std::string& algorithm) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* settings = nullptr;
    CHECK(EVP_DigestSignInit(context, &settings, EVP_sha256(), nullptr, key_.get()) == 1);
    if (algorithm == "PS256") {
      EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST);
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    CHECK(EVP_DigestSign(context, nullptr, &size, bytes, text.size()) == 1);
    std::string made(size, '\0');
    CHECK(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(made.data()), &size, bytes, text.size()) == 1);
    made.resize(size);
    EVP_MD_CTX_free(context);
    return EVP_PKEY_is_a(key_.get(), "EC") == 1 ? side_by_side(made) : made;
  }

  static std::string side_by_side(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    CHECK(pair != nullptr);
    std::string both(64, '\0');
    auto* out = reinterpret_cast<unsigned char*>(both.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + 32, 32);
    ECDSA_SIG_free(pair);
    return both;
  }

  std::string id_;
  PublicKey key_;
};

inline std::string key_set_of(const std::vector<nlohmann::json>& keys) {
  return nlohmann::json{{"keys", keys}}.dump();
}

}  // namespace keyvigil
