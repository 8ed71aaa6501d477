// Rule: a vault was called from an address on a Tor list, whatever it answered, challenges included.
#include "detect/detectors.h"
#include "detect/threat_list_subject.h"

namespace keyvigil {

Suspicions tor_access(const Observation& seen) {
  Suspicions found;
  if (seen.address.tor) { found.add(threat_list_suspicion(seen.event, ReasonCode::kAddressOnTorList)); }
  return found;
}

}  // namespace keyvigil
