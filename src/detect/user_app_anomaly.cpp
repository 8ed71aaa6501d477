// Test: a user works on a usual vault through a client application that is new to the user, or new to the two of them.
#include <algorithm>

#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions user_app_anomaly(const Observation& seen) {
  constexpr double kOwnShare = 0.4;  // of the significance, between the two ways of looking
  Suspicions found;
  if (!seen.facts.new_client) { return found; }
  const FirstTouch& touch = *seen.facts.new_client;
  const ReasonCode code =
      seen.facts.client_new_to_pair_only ? ReasonCode::kNewClientOnVault : ReasonCode::kNewClientOfUser;
  Reason reason = reason_of(touch, code);
  reason.code = code;
  reason.about = seen.event.app_id();
  reason.nearest.clear();
  // A client that nobody used before is looked at from that side too.
  double p = probability_of(touch);
  if (touch.unheard_rate > 0) { p = std::min({1.0, p / kOwnShare, touch.unheard_rate / (1 - kOwnShare)}); }
  found.add({SubjectKind::kCaller, p, {reason}});
  return found;
}

}  // namespace keyvigil
