// Test: a vault that the caller, a user or an application, never used refused it for the first time.
#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions user_access_denied_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.new_denied_vault) { return found; }
  const FirstTouch& touch = *seen.facts.new_denied_vault;
  found.add({SubjectKind::kCaller, probability_of(touch), {reason_of(touch, ReasonCode::kFirstRefusal)}});
  return found;
}

}  // namespace keyvigil
