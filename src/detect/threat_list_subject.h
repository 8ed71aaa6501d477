// Whom a threat-list alert is about: the caller, or the address where nobody is named (a challenge, or a refusal by
// the firewall before the token was read).
#pragma once

#include "detect/suspicion.h"
#include "event/access_event.h"

namespace keyvigil {

[[nodiscard]] inline SubjectKind threat_list_subject(const AccessEvent& event) {
  return event.caller_key().empty() ? SubjectKind::kAddress : SubjectKind::kCaller;
}

// Certain by rule.
[[nodiscard]] inline Suspicion threat_list_suspicion(const AccessEvent& event, ReasonCode code) {
  Reason reason;
  reason.code = code;
  return {.subject = threat_list_subject(event), .p = 0, .reasons = {reason}};
}

}  // namespace keyvigil
