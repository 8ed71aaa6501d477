// AccessConfig: who may ask the service for what: `serve.tokens` and `serve.issuers` of the configuration file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/access.h"
#include "base/result.h"
#include "config/config_reader.h"

namespace keyvigil {

// An issuer of JWTs; for Entra ID, tenant_id stands for its usual issuers and keys.
struct IssuerConfig {
  std::string tenant_id;
  std::vector<std::string> issuers;
  std::vector<std::string> audiences;
  std::string key_set_url;   // of the JWKS
  std::string key_set_file;  // the same in a file
  std::string ca_file;       // that key_set_url is trusted by; empty: the system's
  std::int64_t skew_seconds = 300;
  std::vector<JwtGrant> grants;
  friend bool operator==(const IssuerConfig&, const IssuerConfig&) = default;
};

struct AccessConfig {
  std::vector<TokenGrant> tokens;
  std::vector<IssuerConfig> issuers;
};

void read_tokens(ConfigReader& reader, const YAML::Node& node, AccessConfig& out);
void read_issuers(ConfigReader& reader, const YAML::Node& node, AccessConfig& out);

// What Access is made from: files and URLs of keys are read when they are needed.
[[nodiscard]] AccessOptions access_options(const AccessConfig& config);

}  // namespace keyvigil
