// Microsoft's own service principals, by application id. Data: first_party_apps.inc (facts; source named there).
#pragma once

#include <string_view>

namespace keyvigil {

// REQUIRES: lower case. True also for clients of users (CLI, portal): callers must check that the token is app-only.
[[nodiscard]] bool is_first_party_app(std::string_view app_id);

// A short name for well-known client applications ("Azure CLI"), or "".
[[nodiscard]] std::string_view known_app_name(std::string_view app_id);

}  // namespace keyvigil
