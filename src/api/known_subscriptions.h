// Which subscriptions somebody may be told of.
#pragma once

#include <set>
#include <string>

#include "alert/alert_rendering.h"
#include "api/live_view.h"
#include "api/principal.h"

namespace keyvigil {

// Of those that the configuration names, that the principal is bound to, or that have a vault whose log was seen: the
// ones that the principal sees. Lower case.
[[nodiscard]] std::set<std::string> known_subscriptions(const AlertRendering& rendering, const LiveView& live,
                                                        const Principal& principal);

// "/subscriptions/<this>/...", lower case; empty where the id has none.
[[nodiscard]] std::string subscription_in(std::string_view resource_id);

}  // namespace keyvigil
