// SecretReference: where a secret is, never the secret itself.
#pragma once

#include <string>

#include "base/result.h"

namespace keyvigil {

// Exactly one is set, or none where there is no secret.
struct SecretReference {
  std::string environment;  // name of a variable
  std::string file;         // path; a line end at its end does not count
  friend bool operator==(const SecretReference&, const SecretReference&) = default;
  [[nodiscard]] bool empty() const { return environment.empty() && file.empty(); }
};

// Read anew for each use, so a rotated file needs no restart; "" where there is no secret. The error names the place,
// never the content.
[[nodiscard]] Result<std::string> read_secret(const SecretReference& reference);

}  // namespace keyvigil
