// Test: a list of credentials and then, within the hour, reads of distinct ones in the same vault: how likely are a
// list today and so many reads after it, for this caller, on a vault that may be new to it?
#include <vector>

#include "detect/detectors.h"
#include "detect/episode.h"
#include "detect/first_touch.h"
#include "statistics/combination.h"

namespace keyvigil {

Suspicions list_get_anomaly(const Observation& seen) {
  constexpr std::int64_t kWindowSeconds = 3600;
  Suspicions found;
  if (!seen.facts.list_episode) { return found; }
  const EpisodeFacts& episode = *seen.facts.list_episode;
  std::vector<double> probabilities = {opening_probability(episode), reading_probability(episode)};
  std::vector<Reason> reasons = {reason_of(episode, ReasonCode::kReadsAfterList, kWindowSeconds)};
  if (episode.new_vault) {
    probabilities.push_back(probability_of(*episode.new_vault));
    reasons.push_back(reason_of(*episode.new_vault, ReasonCode::kFirstTouchOfVault));
  }
  found.add({SubjectKind::kCaller, fisher(probabilities), std::move(reasons)});
  return found;
}

}  // namespace keyvigil
