#include "sink/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include <fmt/format.h>

#include "alert/base64.h"
#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLeastKeyBytes = 24;
constexpr std::size_t kMostKeyBytes = 64;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (secret.starts_with(kPrefix)) { secret.remove_prefix(kPrefix.size()); }
  std::string padded(secret);
  while (padded.size() % 4 != 0) { padded += '='; }
  std::size_t padding = 0;
  while (padding < padded.size() && padded[padded.size() - 1 - padding] == '=') { ++padding; }
  std::string key(padded.size() / 4 * 3 + 1, '\0');
  const int size = padding > 2 || padded.size() > 4 * kMostKeyBytes
                       ? -1
                       : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(key.data()), bytes_of(padded),
                                         static_cast<int>(padded.size()));
  key.resize(size < 0 ? 0 : static_cast<std::size_t>(size) - padding);
  if (key.size() < kLeastKeyBytes || key.size() > kMostKeyBytes) {
    return fail(ErrorKind::kUsage,
                fmt::format("expected the secret of a webhook as whsec_ and the base64 of {} to {} random bytes, found "
                            "something else",
                            kLeastKeyBytes, kMostKeyBytes));
  }
  return key;
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                              std::string_view body) {
  const std::string content = fmt::format("{}.{}.{}", id, unix_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(content), content.size(), digest.data(),
             &size) != nullptr);
  return "v1," + base64({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace keyvigil
