// Test: an address that is new to the caller, and an access that is unusual by itself within the same day. Each must be
// as rare as one in twenty before the two count together; addresses of Microsoft, private ones, private links and
// service endpoints never do.
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"
#include "statistics/combination.h"

namespace keyvigil {

std::string new_address_sentence(const Reason& reason, const ReasonNames& names) {
  const double others = reason.of(Quantity::kCallersOfNetwork);
  const double networks = reason.of(Quantity::kNetworksOfCaller);
  return fmt::format(
      "{} came from {} for the first time, at {}; {} used that network by the last full hour, and the caller itself "
      "worked from {} before. A network as new is expected of it {}.{}",
      names.caller, reason.about, minute_in_words(reason.since),
      others == 0 ? std::string("nobody else") : counted(others, "other caller"),
      networks == 0 ? std::string("no other") : counted(networks, "network"),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"),
      reason.of(Quantity::kMicrosoftKnown) == 1
          ? ""
          : " Without a service-tags file it is not known whether it is Microsoft's.");
}

std::string unusual_access_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format("What {} did within 24 hours is unusual by itself: it is expected {}.", names.caller,
                     frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

Suspicions unusual_access_suspicious_ip(const Observation& seen) {
  constexpr double kRare = 0.05;
  Suspicions found;
  if (!seen.facts.new_address || seen.address.microsoft || seen.unusual_access.p > kRare) { return found; }
  const FirstTouch& touch = *seen.facts.new_address;
  const double address = probability_of(touch);
  if (address > kRare) { return found; }
  const EventTime began{seen.facts.address_since_ticks};
  Reason new_address;
  new_address.code = ReasonCode::kNewAddress;
  new_address.since = began;
  new_address.about = seen.facts.address_prefix;
  new_address.with(Quantity::kProbability, address)
      .with(Quantity::kNetworksOfCaller, touch.caller_things)
      .with(Quantity::kCallersOfNetwork, static_cast<double>(touch.thing_callers))
      .with(Quantity::kMicrosoftKnown, seen.service_tags_known ? 1 : 0);
  Reason access;
  access.code = ReasonCode::kUnusualAccess;
  access.since = seen.unusual_access.at;
  access.with(Quantity::kProbability, seen.unusual_access.p);
  const std::array<double, 2> both = {address, seen.unusual_access.p};
  Suspicion suspicion{SubjectKind::kCaller, fisher(both), {std::move(new_address), std::move(access)}, began};
  if (seen.unusual_access.reasons != nullptr) {
    suspicion.reasons.insert(suspicion.reasons.end(), seen.unusual_access.reasons->begin(),
                             seen.unusual_access.reasons->end());
  }
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
