// Test: how likely are so many vaults that are new to one caller within 24 hours, as odd as these are together?
#include <utility>

#include "detect/detectors.h"
#include "detect/first_touch.h"

namespace keyvigil {

Suspicions account_volume_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.new_vaults_day) { return found; }
  const DayOfFirstTouches& day = *seen.facts.new_vaults_day;
  const bool by_newcomer = day.newcomers_with_as_many > 0;
  const ReasonCode code = by_newcomer ? ReasonCode::kManyVaultsOfNewCaller : ReasonCode::kManyNewVaults;
  Reason reason = reason_of(day, code, seen.event.time);
  const EventTime began = reason.since;
  found.add({SubjectKind::kCaller, probability_of(day), {std::move(reason)}, began});
  return found;
}

}  // namespace keyvigil
