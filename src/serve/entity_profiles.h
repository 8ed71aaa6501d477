// What is known of a caller, a client application, a vault or an address, from the histories, for people.
#pragma once

#include <optional>
#include <string>

#include "api/live_view.h"
#include "base/event_time.h"
#include "history/estate_history.h"

namespace keyvigil {

// `kind`: caller, app, vault, address. Nothing where the estate does not know it. `now`: event time.
[[nodiscard]] std::optional<EntityProfile> entity_profile(const EstateHistory& history, const std::string& kind,
                                                          const std::string& key, EventTime now);

}  // namespace keyvigil
