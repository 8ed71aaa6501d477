// Test: a change of policy and then, within a day, a list or a read by whoever changed it or was let in by it. A
// refusal within the hour before, and a second change within the hour after, are what tools of intruders do. Two ways
// of looking: all of it together, and one such episode on a day, as a hurdle: changes to expect times the chance of so
// many reads after one, and of a refusal before it.
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/episode.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"
#include "statistics/combination.h"

namespace keyvigil {
namespace {

constexpr double kRefusedBefore = 0.05;  // P(a refusal within the hour before a change of policy)
constexpr double kLooks = 2;
constexpr double kReverted = 0.1;  // factor of a second change within the hour after the first read

Reason mark(ReasonCode code, double probability) {
  Reason reason;
  reason.code = code;
  reason.with(Quantity::kProbability, probability);
  return reason;
}

}  // namespace

std::string reads_after_policy_change_sentence(const Reason& reason, const ReasonNames& names) {
  const double reads = reason.of(Quantity::kObserved);
  const double usual = reason.of(Quantity::kUsual);
  const double learned = std::floor(reason.of(Quantity::kLearnedWindows) + 0.5);
  std::string sentence = fmt::format(
      "Who may do what in {} was changed at {}, and {} then listed or read its credentials within a day, {}. {}",
      names.vault, minute_in_words(reason.since), names.caller, reads_in_words(reads, "distinct one"),
      reason.find(Quantity::kLetInByAnother) ? std::string("The change was made by somebody else, for this caller.")
                                             : opening_in_words(reason, "changed a policy", "changes a policy"));
  if (learned >= 1 && usual < reads) {
    sentence += fmt::format(" After its changes {} are usual, learned over about {}.", number_in_words(usual),
                            counted(learned, "change"));
  }
  return sentence;
}

std::string policy_reverted_sentence(const Reason&, const ReasonNames& names) {
  return fmt::format(
      "The policy of {} was changed a second time within the hour after the first read: whoever lets himself in, and "
      "out "
      "again, hides it.",
      names.vault);
}

std::string refused_before_change_sentence(const Reason&, const ReasonNames& names) {
  return fmt::format("Whoever changed the policy was refused by {} within the hour before.", names.vault);
}

Suspicions put_get_anomaly(const Observation& seen) {
  constexpr double kWindowSeconds = 86'400;
  Suspicions found;
  if (!seen.facts.policy_episode) { return found; }
  const EpisodeFacts& episode = *seen.facts.policy_episode;
  const double reading = reading_probability(episode);
  std::vector<double> probabilities = {opening_probability(episode), reading};
  double once = openings_to_expect(episode) * reading;
  std::vector<Reason> reasons = {reason_of(episode, ReasonCode::kReadsAfterPolicyChange, kWindowSeconds)};
  if (episode.by_principal) { reasons.front().with(Quantity::kLetInByAnother, 1); }
  if (episode.new_vault) {
    probabilities.push_back(probability_of(*episode.new_vault));
    reasons.push_back(reason_of(*episode.new_vault, ReasonCode::kFirstTouchOfVault));
  }
  if (episode.denied_before) {
    probabilities.push_back(kRefusedBefore);
    once *= kRefusedBefore;
    reasons.push_back(mark(ReasonCode::kRefusedBeforePolicyChange, kRefusedBefore));
  }
  double p = kLooks * std::min(fisher(probabilities), once);
  if (episode.reverted) {
    p *= kReverted;
    reasons.push_back(mark(ReasonCode::kPolicyReverted, kReverted));
  }
  found.add({SubjectKind::kCaller, std::min(1.0, p), std::move(reasons), EventTime{episode.opened_ticks}});
  return found;
}

}  // namespace keyvigil
