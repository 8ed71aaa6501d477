// Rule: a vault answered with success a request from an address on a suspicious list that is on no Tor list.
#include "detect/detectors.h"
#include "detect/threat_list_subject.h"

namespace keyvigil {

Suspicions suspicious_ip_access(const Observation& seen) {
  Suspicions found;
  if (seen.address.suspicious && !seen.address.tor && seen.event.outcome == Outcome::kSuccess) {
    found.add(threat_list_suspicion(seen.event, ReasonCode::kAddressOnSuspiciousList));
  }
  return found;
}

}  // namespace keyvigil
