// Open alerts are shown as they are, not as their last revision was: evidence joins between two revisions.
#pragma once

#include <span>

#include "api/live_view.h"
#include "store/stored_alert.h"

namespace keyvigil {

// Of those that are open: the alert as it is now. Where the engine does not answer in time, as it was stored.
void bring_up_to_date(std::span<StoredAlert> alerts, const LiveView& live);

}  // namespace keyvigil
