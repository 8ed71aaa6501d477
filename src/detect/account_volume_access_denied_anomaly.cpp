// Test: how likely are refusals by so many vaults that are new to one caller within 24 hours?
#include <utility>

#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions account_volume_access_denied_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.denied_vaults_day) { return found; }
  const DayOfFirstTouches& day = *seen.facts.denied_vaults_day;
  Reason reason = reason_of(day, ReasonCode::kManyRefusedVaults, seen.event.time);
  const EventTime began = reason.since;
  found.add({SubjectKind::kCaller, probability_of(day), {std::move(reason)}, began});
  return found;
}

}  // namespace keyvigil
