// Rule: a vault denied a request from an address on a suspicious list that is on no Tor list; a lone challenge, a
// 400, 404, 409, 429 or 5xx is no denial.
#include "detect/detectors.h"
#include "detect/threat_list_subject.h"

namespace keyvigil {

Suspicions suspicious_ip_access_denied(const Observation& seen) {
  Suspicions found;
  if (seen.address.suspicious && !seen.address.tor && seen.event.outcome == Outcome::kDenied) {
    found.add(threat_list_suspicion(seen.event, ReasonCode::kAddressOnSuspiciousList));
  }
  return found;
}

}  // namespace keyvigil
