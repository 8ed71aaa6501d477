// Test: is this session better explained by what others do, or by a dump, a destruction or a probe, than by the
// caller's own habit? The e-value stays valid however often one looks. And, for whoever destroys slowly: how likely are
// so many deletions on one day?
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/reasons.h"
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

// The class that stands out most, beside what the habit would make of a session as long.
struct Outstanding {
  std::size_t operation = 0;
  double usual = 0;
};

Outstanding outstanding(const SessionFacts& session) {
  double total = 0;
  for (const double weight : session.self) { total += weight; }
  Outstanding most;
  double excess = -1;
  for (std::size_t i = 0; i < session.counts.size(); ++i) {
    const double usual = session.events * session.self[i] / total;
    if (session.counts[i] - usual <= excess) { continue; }
    excess = session.counts[i] - usual;
    most = {i, usual};
  }
  return most;
}

Reason reason_of(const SessionFacts& session, double probability) {
  const Outstanding most = outstanding(session);
  Reason reason;
  reason.code = ReasonCode::kOperationsUnlikeHabit;
  reason.since = EventTime{session.began_ticks};
  reason.about = in_words(static_cast<OperationClass>(most.operation));
  reason.with(Quantity::kObserved, session.counts[most.operation])
      .with(Quantity::kUsual, most.usual)
      .with(Quantity::kRequestsOfSession, session.events)
      .with(Quantity::kProbability, probability);
  return reason;
}

double probability_of(const DestructionFacts& destruction) {
  return negative_binomial_upper_tail(destruction.count, destruction.usual, destruction.dispersion);
}

Reason reason_of(const DestructionFacts& destruction, double probability, EventTime at) {
  constexpr double kDaySeconds = 86'400;
  Reason reason;
  reason.code = ReasonCode::kDestructionOfDay;
  reason.since = EventTime{at.day() * EventTime::kTicksPerDay};
  reason.with(Quantity::kObserved, destruction.count)
      .with(Quantity::kUsual, destruction.usual)
      .with(Quantity::kProbability, probability)
      .with(Quantity::kWindowSeconds, kDaySeconds);
  return reason;
}

}  // namespace

std::string unlike_habit_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} of the {} of this session, since {}, are {} (the same refusal again counts once); by habit of {} there would "
      "be "
      "{}.",
      number_in_words(reason.of(Quantity::kObserved)), counted(reason.of(Quantity::kRequestsOfSession), "request"),
      minute_in_words(reason.since), reason.about, names.caller, number_in_words(reason.of(Quantity::kUsual)));
}

std::string destruction_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} deletions, purges and recoveries by {} since {}; usual are {} on an active day. So many are expected {}.",
      number_in_words(reason.of(Quantity::kObserved)), names.caller, minute_in_words(reason.since),
      number_in_words(reason.of(Quantity::kUsual)),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

Suspicions operation_pattern_anomaly(const Observation& seen) {
  Suspicions found;
  if (!seen.facts.session && !seen.facts.destruction) { return found; }
  Suspicion suspicion{SubjectKind::kCaller, 1, {}};
  if (seen.facts.session) {
    suspicion.p = probability_of(*seen.facts.session);
    suspicion.began = EventTime{seen.facts.session->began_ticks};
    if (std::min(1.0, kLooks * suspicion.p) <= seen.explained_up_to) {
      suspicion.reasons.push_back(reason_of(*seen.facts.session, suspicion.p));
      suspicion.operation_classes.push_back(static_cast<std::uint8_t>(outstanding(*seen.facts.session).operation));
    }
  }
  if (seen.facts.destruction) {
    const double p = probability_of(*seen.facts.destruction);
    Reason reason = reason_of(*seen.facts.destruction, p, seen.event.time);
    suspicion.p = std::min(suspicion.p, p);
    suspicion.began = std::min(suspicion.began.value_or(reason.since), reason.since);
    suspicion.reasons.push_back(std::move(reason));
    suspicion.operation_classes.push_back(static_cast<std::uint8_t>(OperationClass::kDelete));
  }
  suspicion.p = std::min(1.0, kLooks * suspicion.p);
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
