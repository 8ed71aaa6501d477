// Microsoft's own service principals and clients, by application id.
#pragma once

#include <string_view>

namespace keyvigil {

// REQUIRES: lower case. A service of Microsoft, as opposed to its clients of users (CLI, portal); callers must still
// check that the token is app-only.
[[nodiscard]] bool is_first_party_app(std::string_view app_id);

// Whether the service is known to do this on its own: the sweep of VaultGet by Azure Resource Graph is a routine, a
// SecretGet by it is not. REQUIRES: app_id in lower case; the operation as Azure spells it.
[[nodiscard]] bool is_first_party_routine(std::string_view app_id, std::string_view operation);

// A short name for well-known client applications ("Azure CLI"), or "".
[[nodiscard]] std::string_view known_app_name(std::string_view app_id);

}  // namespace keyvigil
