// Test: a caller at a network that is new to it, and something about the visit that is rare by itself. Ways of looking:
// - who is known: a network as new is expected so often, and so many reads from one (listed before or not) of so few
//   visits; or so many new networks on one day;
// - who is new, at a network that nobody used: such callers come so often, and read so much so seldom;
// - an application that was only ever seen at addresses of Microsoft or private ones is seen elsewhere;
// - an access that is unusual by itself within the same day. Both must be as rare as one in ten before they are joined.
// Addresses of Microsoft, private ones, private links and service endpoints never count.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"
#include "statistics/combination.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

using Explain = std::vector<Reason>(const Observation& seen);

// One way of looking, and what puts it into words.
struct Look {
  double p = 1;
  Explain* explain = nullptr;
};

// Before visits were seen: every second one lists, and half as many read twice as much.
double visit_probability(const NetworkVisit& visit) {
  constexpr double kAssumedVisits = 10;
  const double assumed = (visit.listed ? 0.5 : 1) / (1 + visit.reads);
  return (kAssumedVisits * assumed + visit.visits.with_as_many) / (kAssumedVisits + visit.visits.all);
}

Reason reason_at(const Observation& seen, ReasonCode code, std::int64_t since_ticks, double probability) {
  Reason reason;
  reason.code = code;
  reason.since = EventTime{since_ticks};
  reason.about = seen.facts.address_prefix;
  reason.with(Quantity::kProbability, probability).with(Quantity::kMicrosoftKnown, seen.service_tags_known ? 1 : 0);
  return reason;
}

Reason new_address_reason(const Observation& seen) {
  const FirstTouch& touch = *seen.facts.new_address;
  Reason reason = reason_at(seen, ReasonCode::kNewAddress, seen.facts.address_since_ticks, probability_of(touch));
  reason.with(Quantity::kNetworksOfCaller, touch.caller_things)
      .with(Quantity::kCallersOfNetwork, static_cast<double>(touch.thing_callers));
  return reason;
}

Reason visit_reason(const Observation& seen) {
  const NetworkVisit& visit = *seen.facts.network_visit;
  Reason reason = reason_at(seen, ReasonCode::kReadsFromNewNetwork, visit.since_ticks, visit_probability(visit));
  reason.with(Quantity::kObserved, visit.reads).with(Quantity::kListed, visit.listed ? 1 : 0);
  return reason;
}

// Of somebody who is known, at a network that is new to it.
bool is_visit(const Observation& seen) {
  return seen.facts.new_address && seen.facts.network_visit && !seen.facts.new_address->caller_is_new;
}

std::vector<Reason> explain_visit(const Observation& seen) {
  return {new_address_reason(seen), visit_reason(seen)};
}

Look look_at_visit(const Observation& seen) {
  if (!is_visit(seen)) { return {}; }
  return {probability_of(*seen.facts.new_address) * visit_probability(*seen.facts.network_visit), explain_visit};
}

double probability_of_number(const Observation& seen) {
  const NewThingRate& rate = seen.facts.new_address->rate;
  return negative_binomial_upper_tail(seen.facts.network_visit->networks_today, rate.mean, rate.dispersion);
}

std::vector<Reason> explain_number(const Observation& seen) {
  const NetworkVisit& visit = *seen.facts.network_visit;
  Reason reason = reason_at(seen, ReasonCode::kManyNewNetworks, visit.first_today_ticks, probability_of_number(seen));
  reason.with(Quantity::kObserved, visit.networks_today)
      .with(Quantity::kUsualPerDay, seen.facts.new_address->rate.mean);
  return {std::move(reason), new_address_reason(seen)};
}

Look look_at_number(const Observation& seen) {
  constexpr std::uint32_t kLeastNetworks = 3;
  if (!is_visit(seen) || seen.facts.network_visit->networks_today < kLeastNetworks) { return {}; }
  return {probability_of_number(seen), explain_number};
}

std::vector<Reason> explain_newcomer(const Observation& seen) {
  const NetworkVisit& visit = *seen.facts.network_visit;
  return {reason_at(seen, ReasonCode::kNewCallerAtUnusedNetwork, visit.since_ticks, visit.newcomers_per_day),
          visit_reason(seen)};
}

Look look_at_newcomer(const Observation& seen) {
  if (!seen.facts.network_visit || seen.facts.network_visit->newcomers_per_day == 0) { return {}; }
  const NetworkVisit& visit = *seen.facts.network_visit;
  return {visit.newcomers_per_day * visit_probability(visit), explain_newcomer};
}

std::vector<Reason> explain_move(const Observation& seen) {
  const NetworkVisit& visit = *seen.facts.network_visit;
  return {reason_at(seen, ReasonCode::kFirstTimeOutsideAzure, visit.since_ticks, visit.outside_per_day)};
}

Look look_at_move(const Observation& seen) {
  if (!seen.facts.network_visit || seen.facts.network_visit->outside_per_day == 0) { return {}; }
  return {seen.facts.network_visit->outside_per_day, explain_move};
}

std::vector<Reason> explain_access(const Observation& seen) {
  Reason access;
  access.code = ReasonCode::kUnusualAccess;
  access.since = seen.unusual_access.at;
  access.with(Quantity::kProbability, seen.unusual_access.p);
  std::vector<Reason> reasons = {new_address_reason(seen), std::move(access)};
  if (seen.unusual_access.reasons != nullptr) {
    reasons.insert(reasons.end(), seen.unusual_access.reasons->begin(), seen.unusual_access.reasons->end());
  }
  return reasons;
}

Look look_at_access(const Observation& seen) {
  constexpr double kRare = 0.1;
  if (!seen.facts.new_address || seen.unusual_access.p > kRare) { return {}; }
  const double address = probability_of(*seen.facts.new_address);
  if (address > kRare) { return {}; }
  return {fisher(std::array<double, 2>{address, seen.unusual_access.p}), explain_access};
}

std::string unknown_whether_microsofts(const Reason& reason) {
  return reason.of(Quantity::kMicrosoftKnown) == 1
             ? ""
             : " Without a service-tags file it is not known whether it is Microsoft's.";
}

}  // namespace

std::string new_address_sentence(const Reason& reason, const ReasonNames& names) {
  const double others = reason.of(Quantity::kCallersOfNetwork);
  const double networks = reason.of(Quantity::kNetworksOfCaller);
  return fmt::format(
      "{} came from {} for the first time, at {}; {} used that network by the last full hour, and the caller itself "
      "worked from {} before. A network as new is expected of it {}.{}",
      names.caller, reason.about, minute_in_words(reason.since),
      others == 0 ? std::string("nobody else") : counted(others, "other caller"),
      networks == 0 ? std::string("no other") : counted(networks, "network"),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"), unknown_whether_microsofts(reason));
}

std::string unusual_access_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format("What {} did within 24 hours is unusual by itself: it is expected {}.", names.caller,
                     frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

std::string reads_from_new_network_sentence(const Reason& reason, const ReasonNames& names) {
  constexpr double kExactReads = 64;  // history/network_visits.h
  const double reads = reason.of(Quantity::kObserved);
  return fmt::format(
      "From {}, since {}, {} {} and read {}{}. As much is done {} from networks that were new to callers like it.",
      reason.about, minute_in_words(reason.since), names.caller,
      reason.of(Quantity::kListed) == 1 ? "listed credentials" : "listed none", reads >= kExactReads ? "at least " : "",
      counted(reads, "distinct one"), frequency_in_words(reason.of(Quantity::kProbability), "visit"));
}

std::string many_new_networks_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} came from {} that it had not used before on the UTC day from {}; usual for it is {} on an active day. So "
      "many "
      "are expected {}.{}",
      names.caller, counted(reason.of(Quantity::kObserved), "network"), minute_in_words(reason.since),
      number_in_words(reason.of(Quantity::kUsualPerDay)),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"), unknown_whether_microsofts(reason));
}

std::string new_caller_at_unused_network_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} is new to the estate and came from {}, which nobody had used, at {}. Such a caller comes {} of callers like "
      "it.{}",
      names.caller, reason.about, minute_in_words(reason.since),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"), unknown_whether_microsofts(reason));
}

std::string first_time_outside_azure_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} came from {}, at {}: for the first time since it is known from a public address that is not one of "
      "Microsoft's. Of applications that never had, one does so {}.",
      names.caller, reason.about, minute_in_words(reason.since),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

Suspicions unusual_access_suspicious_ip(const Observation& seen) {
  Suspicions found;
  if (seen.address.microsoft || !(seen.facts.new_address || seen.facts.network_visit)) { return found; }
  const std::array<Look, 5> looks = {look_at_move(seen), look_at_access(seen), look_at_visit(seen),
                                     look_at_number(seen), look_at_newcomer(seen)};
  const Look& rarest = *std::ranges::min_element(looks, {}, &Look::p);
  if (rarest.explain == nullptr) { return found; }
  Suspicion suspicion{SubjectKind::kCaller, std::min(1.0, rarest.p), {}};
  if (suspicion.p <= seen.explained_up_to) {
    suspicion.reasons = rarest.explain(seen);
    suspicion.began = suspicion.reasons.front().since;
  }
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
