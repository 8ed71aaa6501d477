// What an alert claims, recomputed slowly and obviously from the events that were decided: the judge of Repeats.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "event/access_event.h"

namespace keyvigil {

struct ClaimsAudit {
  std::size_t claims = 0;
  std::vector<std::string> untrue;  // a sentence each
};

// REQUIRES: the alert was made of these events and of no others; event i had the place {input 0, line i + 1}, and
// records were given files.
[[nodiscard]] ClaimsAudit audit_claims(const Alert& alert, std::span<const AccessEvent> events);

}  // namespace keyvigil
