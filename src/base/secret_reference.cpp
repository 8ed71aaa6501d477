#include "base/secret_reference.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>

namespace keyvigil {
namespace {

constexpr std::size_t kSecretLimitBytes = 65'536;

}  // namespace

Result<std::string> read_secret(const SecretReference& reference) {
  if (reference.empty()) { return std::string(); }
  std::string secret;
  if (!reference.environment.empty()) {
    const char* value = std::getenv(reference.environment.c_str());
    if (value == nullptr || *value == '\0') {
      return fail(ErrorKind::kUsage, fmt::format("expected a secret in the environment variable {}, found none; set it",
                                                 reference.environment));
    }
    return std::string(value);
  }
  std::ifstream file(reference.file, std::ios::binary);
  std::array<char, kSecretLimitBytes + 1> bytes{};
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  secret.assign(bytes.data(), static_cast<std::size_t>(file.gcount()));
  while (secret.ends_with('\n') || secret.ends_with('\r')) { secret.pop_back(); }
  if (secret.empty() || secret.size() > kSecretLimitBytes) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("'{}': expected a readable file with a secret of 1 to {} bytes, found {}; check the path and "
                    "that the service may read it",
                    reference.file, kSecretLimitBytes, secret.empty() ? "none" : "more"));
  }
  return secret;
}

}  // namespace keyvigil
