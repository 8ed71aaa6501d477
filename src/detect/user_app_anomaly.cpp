// Test: a user works on a usual vault through a client application that is new to the user, or new to the two of them.
#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"

namespace keyvigil {

std::string new_client_sentence(const Reason& reason, const ReasonNames& names) {
  const double others = reason.of(Quantity::kCallersOfClient);
  return fmt::format(
      "{} came through the client application {} for the first time, after {} on which it was seen; {} of the estate "
      "used "
      "it by the last full hour. Something as odd is expected of it {}.",
      names.caller, reason.about, counted(reason.of(Quantity::kDaysSeen), "day"),
      others == 0 ? std::string("no other caller") : counted(others, "other caller"),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

std::string new_client_on_vault_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} is known on {} and known to use the client application {}, but had not used the two together. Something as "
      "odd "
      "is expected of it {}.",
      names.caller, names.vault, reason.about, frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

Suspicions user_app_anomaly(const Observation& seen) {
  constexpr double kOwnShare = 0.4;  // of the significance, between the two ways of looking
  Suspicions found;
  if (!seen.facts.new_client) { return found; }
  const FirstTouch& touch = *seen.facts.new_client;
  const ReasonCode code =
      seen.facts.client_new_to_pair_only ? ReasonCode::kNewClientOnVault : ReasonCode::kNewClientOfUser;
  // A client that nobody used before is looked at from that side too.
  double p = probability_of(touch);
  if (touch.unheard_rate > 0) { p = std::min({1.0, p / kOwnShare, touch.unheard_rate / (1 - kOwnShare)}); }
  Reason reason;
  reason.code = code;
  reason.about = seen.event.app_id();
  reason.with(Quantity::kProbability, p)
      .with(Quantity::kUsualPerDay, touch.rate.mean)
      .with(Quantity::kDaysSeen, touch.caller_days)
      .with(Quantity::kCallersOfClient, static_cast<double>(touch.thing_callers));
  found.add({SubjectKind::kCaller, p, {std::move(reason)}});
  return found;
}

}  // namespace keyvigil
