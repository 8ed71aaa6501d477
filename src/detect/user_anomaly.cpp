// Test: a user was answered by a vault that they never used, or not for 90 days; how likely is a first touch as odd as
// this one, for a user who makes new ones as often?
#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions user_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.new_vault || seen.facts.caller_class != CallerClass::kUser) { return found; }
  const FirstTouch& touch = *seen.facts.new_vault;
  found.add({SubjectKind::kCaller, probability_of(touch), {reason_of(touch, ReasonCode::kFirstTouchOfVault)}});
  return found;
}

}  // namespace keyvigil
