// Which subscriptions somebody may be told of.
#pragma once

#include <set>
#include <string>

#include "alert/alert_rendering.h"
#include "api/principal.h"
#include "base/result.h"
#include "store/store.h"

namespace keyvigil {

// Of those that the configuration names, that the principal is bound to, or that have alerts: the ones that the
// principal sees. Lower case.
[[nodiscard]] Result<std::set<std::string>> known_subscriptions(const AlertRendering& rendering, const Store& store,
                                                                const Principal& principal);

// "/subscriptions/<this>/...", lower case; empty where the id has none.
[[nodiscard]] std::string subscription_in(std::string_view resource_id);

}  // namespace keyvigil
