#include "serve/service_secrets.h"

#include <fmt/format.h>

#include "api/jwt.h"
#include "base/secret_reference.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kKeySetBytes = std::size_t{1} << 20;

tl::unexpected<Error> misfit(const std::string& key, const Error& error) {
  return fail(ErrorKind::kUsage, fmt::format("{}: {}", key, error.message));
}

}  // namespace

Result<void> check_secrets(const Config& config) {
  for (const OutputOptions& output : config.outputs) {
    if (const auto secret = read_secret(output.secret); !secret) {
      return misfit(fmt::format("outputs.{}.secret", output.name), secret.error());
    }
  }
  for (const IssuerConfig& issuer : config.serve.access.issuers) {
    if (issuer.key_set_file.empty()) { continue; }
    const auto text = read_whole_file(issuer.key_set_file, kKeySetBytes);
    if (!text) { return misfit("serve.issuers.key_set_file", text.error()); }
    if (const auto keys = parse_key_set(*text); !keys) {
      return misfit(fmt::format("serve.issuers.key_set_file: {}", issuer.key_set_file), keys.error());
    }
  }
  return {};
}

}  // namespace keyvigil
