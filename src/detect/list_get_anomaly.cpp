// Test: a list of credentials and then, within the hour, reads of distinct ones in the same vault: how likely are a
// list today and so many reads after it, for this caller, on a vault that may be new to it? Two ways of looking: all of
// it together (many lists count), and one such episode on a day, as a hurdle: expected lists times the chance of so
// many reads after one. The second begins at three reads: before, it would only say again that the vault is new.
#include <algorithm>
#include <vector>

#include "detect/detectors.h"
#include "detect/episode.h"
#include "detect/first_touch.h"
#include "statistics/combination.h"

namespace keyvigil {

Suspicions list_get_anomaly(const Observation& seen) {
  constexpr std::int64_t kWindowSeconds = 3600;
  constexpr double kLooks = 2;
  constexpr double kLeastReads = 3;
  Suspicions found;
  if (!seen.facts.list_episode) { return found; }
  const EpisodeFacts& episode = *seen.facts.list_episode;
  std::vector<double> probabilities = {opening_probability(episode), reading_probability(episode)};
  double hurdle = episode.beginner_rate > 0 ? episode.beginner_rate : episode.openings_usual;
  if (episode.new_vault) {
    probabilities.push_back(probability_of(*episode.new_vault));
    hurdle = std::min(hurdle, probabilities.back());
  }
  const double joined = fisher(probabilities);
  const double once = episode.reads < kLeastReads ? 1 : hurdle * reading_probability(episode);
  Suspicion suspicion{
      SubjectKind::kCaller, std::min(1.0, kLooks * std::min(joined, once)), {}, EventTime{episode.opened_ticks}};
  if (suspicion.p <= seen.explained_up_to) {
    suspicion.reasons.push_back(reason_of(episode, ReasonCode::kReadsAfterList, kWindowSeconds));
    if (episode.new_vault) {
      suspicion.reasons.push_back(reason_of(*episode.new_vault, ReasonCode::kFirstTouchOfVault));
    }
  }
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
