// Test: an application was answered by a vault that it never used, or not for 90 days; applications hardly ever make
// new ones, so even a plausible first touch counts.
#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions app_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.new_vault || seen.facts.caller_class != CallerClass::kApp) { return found; }
  const FirstTouch& touch = *seen.facts.new_vault;
  found.add({SubjectKind::kCaller, probability_of(touch), {reason_of(touch, ReasonCode::kFirstTouchOfVault)}});
  return found;
}

}  // namespace keyvigil
