#include "sink/webhook_signature.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/hmac.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLeastKeyBytes = 24;
constexpr std::size_t kMostKeyBytes = 64;

}  // namespace

Result<std::string> webhook_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (secret.starts_with(kPrefix)) { secret.remove_prefix(kPrefix.size()); }
  std::string padded(secret);
  while (padded.size() % 4 != 0) { padded += '='; }
  auto key = padded.size() > 4 * kMostKeyBytes ? std::nullopt : base64_decoded(padded);
  if (!key || key->size() < kLeastKeyBytes || key->size() > kMostKeyBytes) {
    return fail(ErrorKind::kUsage,
                fmt::format("expected the secret of a webhook as whsec_ and the base64 of {} to {} random bytes, found "
                            "something else",
                            kLeastKeyBytes, kMostKeyBytes));
  }
  return *std::move(key);
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t unix_seconds,
                              std::string_view body) {
  return "v1," + base64(hmac_sha256(key, fmt::format("{}.{}.{}", id, unix_seconds, body)));
}

}  // namespace keyvigil
