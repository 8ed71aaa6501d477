// Test: is this session better explained by what others do, or by a dump, a destruction or a probe, than by the
// caller's own habit? The e-value stays valid however often one looks. And, for whoever destroys slowly: how likely are
// so many deletions on one day?
#include <algorithm>
#include <array>

#include "detect/detectors.h"
#include "statistics/pattern.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr std::size_t at(OperationClass operation) {
  return static_cast<std::size_t>(operation);
}

// Shares of the classes in an attack, over a floor for everything else.
struct Stage {
  OperationClass first;
  double first_share;
  OperationClass second;
  double second_share;
};
constexpr std::array<Stage, 3> kStages = {{
    {OperationClass::kSecretGet, 0.60, OperationClass::kSecretList, 0.15},  // dump
    {OperationClass::kDelete, 0.85, OperationClass::kSecretList, 0.03},     // destruction
    {OperationClass::kDenied, 0.44, OperationClass::kSecretList, 0.30},     // probe
}};
constexpr double kAlternativeWeight = 10;
constexpr double kShare = 0.25;
constexpr double kLooks = 2;  // the session and the day

constexpr OperationMixWeights weights_of(const Stage& stage) {
  OperationMixWeights weights{};
  const double rest = 1 - stage.first_share - stage.second_share;
  weights.fill(kAlternativeWeight * rest / static_cast<double>(kOperationClassCount - 2));
  weights[at(stage.first)] = kAlternativeWeight * stage.first_share;
  weights[at(stage.second)] = kAlternativeWeight * stage.second_share;
  return weights;
}

constexpr std::array<OperationMixWeights, kStages.size()> kStageWeights = {
    weights_of(kStages[0]), weights_of(kStages[1]), weights_of(kStages[2])};

// The class that stands out most: its count beside what the habit would make of a session as long.
Reason reason_of(const SessionFacts& session) {
  double total = 0;
  for (const double weight : session.self) { total += weight; }
  std::size_t most = 0;
  double excess = -1;
  for (std::size_t i = 0; i < session.counts.size(); ++i) {
    const double usual = session.events * session.self[i] / total;
    if (session.counts[i] - usual <= excess) { continue; }
    excess = session.counts[i] - usual;
    most = i;
  }
  Reason reason;
  reason.code = ReasonCode::kOperationsUnlikeHabit;
  reason.observed = session.counts[most];
  reason.expected = session.events * session.self[most] / total;
  reason.high = session.events;
  reason.days_known = total;
  reason.about = in_words(static_cast<OperationClass>(most));
  return reason;
}

// The habit is what fits better of its two descriptions: a session is odd that neither explains.
double probability_of(const SessionFacts& session) {
  OperationMixWeights population{};
  for (std::size_t i = 0; i < population.size(); ++i) { population[i] = kAlternativeWeight * session.population[i]; }
  std::array<Alternative, kStages.size() + 1> alternatives{};
  alternatives[0] = {population, kShare};
  for (std::size_t i = 0; i < kStageWeights.size(); ++i) { alternatives[i + 1] = {kStageWeights[i], kShare}; }
  const double by_operations = log_pattern_e_value(session.self, alternatives, session.counts);
  if (by_operations <= 0) { return pattern_probability(by_operations); }
  const double by_days = log_pattern_e_value(session.by_days, alternatives, session.counts);
  return pattern_probability(std::min(by_operations, by_days));
}

double probability_of(const DestructionFacts& destruction) {
  return negative_binomial_upper_tail(destruction.count, destruction.usual, destruction.dispersion);
}

Reason reason_of(const DestructionFacts& destruction) {
  constexpr std::int64_t kDaySeconds = 86'400;
  Reason reason;
  reason.code = ReasonCode::kDestructionOfDay;
  reason.observed = destruction.count;
  reason.expected = destruction.usual;
  reason.days_known = destruction.days_known;
  reason.surprise = probability_of(destruction);
  reason.window_seconds = kDaySeconds;
  return reason;
}

}  // namespace

Suspicions operation_pattern_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.session && !seen.facts.destruction) { return found; }
  Suspicion suspicion{SubjectKind::kCaller, 1, {}};
  if (seen.facts.session) {
    suspicion.p = probability_of(*seen.facts.session);
    suspicion.reasons.push_back(reason_of(*seen.facts.session));
  }
  if (seen.facts.destruction) {
    Reason reason = reason_of(*seen.facts.destruction);
    suspicion.p = std::min(suspicion.p, reason.surprise);
    suspicion.reasons.push_back(std::move(reason));
  }
  suspicion.p = std::min(1.0, kLooks * suspicion.p);
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
