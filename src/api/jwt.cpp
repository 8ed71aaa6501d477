#include "api/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace keyvigil {
namespace {

constexpr std::size_t kTokenLimit = std::size_t{16} << 10;
constexpr std::size_t kKeySetLimit = std::size_t{1} << 20;
constexpr std::size_t kKeyLimit = 256;
constexpr std::size_t kListLimit = 64;
constexpr std::size_t kTextLimit = 512;
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr std::size_t kExponentBytesMax = 8;
constexpr std::size_t kCoordinateBytes = 32;
constexpr double kSecondsLimit = 1e12;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using BigNumber = OpenSslOwner<BIGNUM, BN_free>;
using ParameterBuilder = OpenSslOwner<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = OpenSslOwner<OSSL_PARAM, OSSL_PARAM_free>;
using KeyContext = OpenSslOwner<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = OpenSslOwner<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSignature = OpenSslOwner<ECDSA_SIG, ECDSA_SIG_free>;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BigNumber big_number(std::string_view bytes) {
  return BigNumber(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) { return {}; }
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= kTextLimit ? text : std::string();
}

// A text, or a list of texts.
std::vector<std::string> texts_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  std::vector<std::string> texts;
  if (found == object.end()) { return texts; }
  if (found->is_string()) { return {found->get<std::string>()}; }
  if (!found->is_array()) { return texts; }
  for (const nlohmann::json& element : *found) {
    if (element.is_string() && texts.size() < kListLimit) { texts.push_back(element.get<std::string>()); }
  }
  return texts;
}

// NumericDate may have a fraction.
std::optional<std::int64_t> seconds_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) { return std::nullopt; }
  const double seconds = found->get<double>();
  if (!(seconds >= 0 && seconds < kSecondsLimit)) { return std::nullopt; }
  return static_cast<std::int64_t>(seconds);
}

std::optional<JwtAlgorithm> algorithm_of(std::string_view name) {
  if (name == "RS256") { return JwtAlgorithm::kRs256; }
  if (name == "PS256") { return JwtAlgorithm::kPs256; }
  if (name == "ES256") { return JwtAlgorithm::kEs256; }
  return std::nullopt;
}

PublicKey key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return PublicKey(key);
}

PublicKey rsa_key(const std::optional<std::string>& modulus, const std::optional<std::string>& exponent) {
  if (!modulus || !exponent || modulus->size() > kRsaBitsMax / 8 || exponent->size() > kExponentBytesMax) {
    return nullptr;
  }
  const BigNumber n = big_number(*modulus);
  const BigNumber e = big_number(*exponent);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_num_bits(n.get()) < kRsaBitsMin || BN_is_odd(n.get()) == 0 ||
      BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return key_from("RSA", builder.get());
}

PublicKey elliptic_key(const std::optional<std::string>& x, const std::optional<std::string>& y) {
  if (!x || !y || x->size() != kCoordinateBytes || y->size() != kCoordinateBytes) { return nullptr; }
  const std::string point = "\x04" + *x + *y;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  PublicKey key = key_from("EC", builder.get());
  if (!key) { return nullptr; }
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return key;
}

std::optional<JsonWebKey> key_of(const nlohmann::json& entry) {
  if (!entry.is_object()) { return std::nullopt; }
  JsonWebKey key;
  key.id = text_of(entry, "kid");
  const std::string use = text_of(entry, "use");
  const std::string algorithm = text_of(entry, "alg");
  const std::string type = text_of(entry, "kty");
  if (key.id.empty() || (!use.empty() && use != "sig")) { return std::nullopt; }
  if (!algorithm.empty()) {
    key.algorithm = algorithm_of(algorithm);
    if (!key.algorithm) { return std::nullopt; }
  }
  const auto number = [&](const char* name) {
    const auto found = entry.find(name);
    return found != entry.end() && found->is_string() ? base64url_decode(found->get_ref<const std::string&>())
                                                      : std::nullopt;
  };
  if (type == "RSA") {
    key.key = rsa_key(number("n"), number("e"));
  } else if (type == "EC" && text_of(entry, "crv") == "P-256") {
    key.is_elliptic = true;
    key.key = elliptic_key(number("x"), number("y"));
  }
  if (!key.key) { return std::nullopt; }
  return key;
}

// JWS has r and s side by side; OpenSSL wants them in DER.
std::optional<std::string> der_of(std::string_view signature) {
  if (signature.size() != 2 * kCoordinateBytes) { return std::nullopt; }
  const EcdsaSignature pair(ECDSA_SIG_new());
  BigNumber r = big_number(signature.substr(0, kCoordinateBytes));
  BigNumber s = big_number(signature.substr(kCoordinateBytes));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) { return std::nullopt; }
  static_cast<void>(r.release());  // the pair owns them now
  static_cast<void>(s.release());
  std::array<unsigned char, 2 * kCoordinateBytes + 16> der{};
  unsigned char* at = der.data();
  const int size = i2d_ECDSA_SIG(pair.get(), &at);
  if (size <= 0) { return std::nullopt; }
  return std::string(reinterpret_cast<const char*>(der.data()), static_cast<std::size_t>(size));
}

std::optional<nlohmann::json> object_of(std::string_view encoded) {
  const auto text = base64url_decode(encoded);
  if (!text) { return std::nullopt; }
  nlohmann::json object = parse_bounded_json(*text);
  if (!object.is_object()) { return std::nullopt; }
  return object;
}

}  // namespace

Result<KeySet> parse_key_set(std::string_view text) {
  if (text.size() > kKeySetLimit) {
    return fail(ErrorKind::kInput,
                fmt::format("Expected a JSON Web Key Set of at most {} bytes, found {}.", kKeySetLimit, text.size()));
  }
  const nlohmann::json document = parse_bounded_json(text);
  const auto found = document.is_object() ? document.find("keys") : document.end();
  if (!document.is_object() || found == document.end() || !found->is_array()) {
    return fail(ErrorKind::kInput, "Expected a JSON Web Key Set, an object with a list named 'keys' (RFC 7517).");
  }
  KeySet set;
  for (const nlohmann::json& entry : *found) {
    auto key = set.keys.size() < kKeyLimit ? key_of(entry) : std::nullopt;
    if (!key) {
      ++set.unusable;
      continue;
    }
    set.keys.push_back(*std::move(key));
  }
  if (set.keys.empty()) {
    return fail(ErrorKind::kInput, fmt::format("Expected keys for RS256, PS256 or ES256 with a 'kid', found none among "
                                               "{} keys.",
                                               set.unusable));
  }
  return set;
}

std::optional<Jwt> parse_jwt(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > kTokenLimit || second == std::string_view::npos) { return std::nullopt; }
  const auto header = object_of(token.substr(0, first));
  const auto claims = object_of(token.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!header || !claims || !signature || signature->empty() || header->contains("crit")) { return std::nullopt; }
  const auto algorithm = algorithm_of(text_of(*header, "alg"));
  const auto expires = seconds_of(*claims, "exp");
  Jwt parsed;
  parsed.key_id = text_of(*header, "kid");
  if (!algorithm || !expires || parsed.key_id.empty()) { return std::nullopt; }
  if (claims->contains("nbf")) {
    parsed.not_before_seconds = seconds_of(*claims, "nbf");
    if (!parsed.not_before_seconds) { return std::nullopt; }
  }
  parsed.algorithm = *algorithm;
  parsed.signed_text = token.substr(0, second);
  parsed.signature = *std::move(signature);
  parsed.issuer = text_of(*claims, "iss");
  parsed.subject = text_of(*claims, "sub");
  parsed.object_id = text_of(*claims, "oid");
  parsed.audiences = texts_of(*claims, "aud");
  parsed.roles = texts_of(*claims, "roles");
  parsed.expires_seconds = *expires;
  return parsed;
}

bool is_signed_by(const Jwt& token, const JsonWebKey& key) {
  if (key.is_elliptic != (token.algorithm == JwtAlgorithm::kEs256)) { return false; }
  if (key.algorithm && *key.algorithm != token.algorithm) { return false; }
  std::string signature = token.signature;
  if (key.is_elliptic) {
    auto der = der_of(signature);
    if (!der) { return false; }
    signature = *std::move(der);
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to `context`
  if (!context || EVP_DigestVerifyInit(context.get(), &settings, EVP_sha256(), nullptr, key.key.get()) != 1) {
    return false;
  }
  if (token.algorithm == JwtAlgorithm::kPs256 &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  const bool holds = EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(token.signed_text),
                                      token.signed_text.size()) == 1;
  ERR_clear_error();
  return holds;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) { return std::nullopt; }
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) { return std::nullopt; }
    bits = ((bits << 6) | static_cast<std::uint32_t>(value)) & 0xFFFFU;
    count += 6;
    if (count < 8) { continue; }
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFFU);
  }
  if ((bits & ((1U << count) - 1)) != 0) { return std::nullopt; }  // two texts would mean the same bytes
  return bytes;
}

std::string base64url_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = ((bits << 8) | static_cast<unsigned char>(c)) & 0xFFFFU;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kAlphabet[(bits >> count) & 0x3FU];
    }
  }
  if (count > 0) { text += kAlphabet[(bits << (6 - count)) & 0x3FU]; }
  return text;
}

}  // namespace keyvigil
