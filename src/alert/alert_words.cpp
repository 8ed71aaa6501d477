#include "alert/alert_words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include <fmt/format.h>

#include "alert/printable.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"
#include "statistics/combination.h"

namespace keyvigil {
namespace {

constexpr std::size_t kNameBytes = 128;
constexpr std::string_view kTestUnit = "active day";  // of one caller or one vault
constexpr double kAttackPrior = 1e-3;                 // share of attacks among all that is tested

constexpr std::array<std::string_view, kOutcomeCount> kOutcomeWords = {
    "succeeded", "denied", "asked to authenticate", "not found", "throttled", "failed otherwise"};

bool is_list_alert(const Alert& alert) {
  return !catalogue_row(alert.type).learned();
}

ListRole role_of(ReasonCode reason) {
  return reason == ReasonCode::kAddressOnTorList ? ListRole::kTor : ListRole::kSuspicious;
}

ReasonNames names_for(const Alert& alert, const Reason& reason) {
  return {caller_in_words(alert),
          reason.vault.empty() ? alert.vault_name : bounded_utf8(last_part(reason.vault), kNameBytes)};
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

// "list 'tor-exits' (tor.txt line 12, 203.0.113.0/24, dated 2026-10-01)"
std::string list_in_words(const ListEvidence& list) {
  std::string place = list.file;
  if (list.line > 0) { place += fmt::format("{}line {}", place.empty() ? "" : " ", list.line); }
  std::vector<std::string> details;
  for (const std::string& detail : {place, list.prefix, list.label}) {
    if (!detail.empty()) { details.push_back(detail); }
  }
  if (!list.list_date.empty()) { details.push_back("dated " + list.list_date); }
  return fmt::format("list '{}' ({})", list.list_name, join(details, ", "));
}

std::string addresses_in_words(const Alert& alert) {
  if (alert.addresses.items.empty()) { return "addresses that the log does not name"; }
  if (alert.addresses.items.size() == 1 && alert.addresses.left_out == 0) { return alert.addresses.items.front(); }
  return fmt::format("{} and {}{} other addresses", alert.addresses.items.front(),
                     alert.addresses.left_out > 0 ? "at least " : "", alert.addresses.items.size() - 1);
}

std::uint64_t successes(const Alert& alert) {
  return alert.suspicious_outcomes[static_cast<std::size_t>(Outcome::kSuccess)];
}

std::string caller_step(const Alert& alert) {
  const Identity& caller = alert.caller;
  switch (caller.kind) {
    case CallerKind::kUser:
      return fmt::format(
          "The caller is the user {}: ask that person by a way other than mail; if it was somebody else, revoke the "
          "sessions, reset the password and the authentication methods, and remove the user's rights on {} until then.",
          caller.user_name.empty() ? caller.key : caller.user_name, alert.vault_name);
    case CallerKind::kApp:
      return fmt::format(
          "The caller is the application {}: ask its owner where it runs; if it is not there, replace the "
          "application's own secrets and certificates first, then remove its rights on {}.",
          caller.key, alert.vault_name);
    case CallerKind::kManagedIdentity:
      return fmt::format(
          "The caller is the managed identity {}: its tokens are only given out on that resource, so look there for an "
          "intruder; isolate the resource and remove the identity's rights on {}.",
          caller.managed_identity.empty() ? caller.key : caller.managed_identity, alert.vault_name);
    case CallerKind::kFirstParty:
      return fmt::format(
          "The caller is Microsoft's own service principal {}: check which of your subscriptions let that service use "
          "{}, and that the address is really Microsoft's.",
          caller.key, alert.vault_name);
    case CallerKind::kAnonymous:
      break;
  }
  if (alert.subject == SubjectKind::kVault) {
    return "No single caller did half of it: look at those who did most before anything is taken from anybody.";
  }
  return fmt::format(
      "Nobody was named by these requests: no permission can be taken away. Allow only trusted networks in the "
      "firewall of {}, and look for callers with a name from {} in all vaults.",
      alert.vault_name, addresses_in_words(alert));
}

std::string counterfactual_of_behaviour(const Alert& alert) {
  constexpr double kLeastShare = 0.01;
  const Verdict& verdict = alert.verdict;
  const double share = verdict.threshold > 0 ? verdict.calibrated_p / verdict.threshold : 1;
  const std::string budget =
      share < kLeastShare ? std::string("even a hundredth of the present budget would not have kept it back")
                          : fmt::format("with less than {:.0f} % of the present budget it would have been kept back",
                                        std::floor(100 * std::min(1.0, share)));
  return fmt::format(
      "It is expected {}, and would not have been raised if it were expected more often than {}. The budget is {} "
      "alerts a day of all types; {}.",
      frequency_in_words(verdict.calibrated_p, kTestUnit), frequency_in_words(verdict.threshold, kTestUnit),
      number_in_words(verdict.alerts_per_day), budget);
}

std::string explanation_of_behaviour(const Alert& alert) {
  for (const Reason& reason : alert.reasons) {
    if (reason.of(Quantity::kSharingAndUsing) == 0) { continue; }
    return fmt::format("It may be work that others near to the caller do too: {}.",
                       neighbours_in_words(reason, names_for(alert, reason).vault));
  }
  return fmt::format("It may be {}.", catalogue_row(alert.type).harmless_story);
}

Severity confidence_in_behaviour(const Alert& alert) {
  const double bound = attack_probability_bound(std::max(1e-300, alert.verdict.calibrated_p), kAttackPrior);
  if (bound > 0.9) { return Severity::kHigh; }
  return bound > 0.5 ? Severity::kMedium : Severity::kLow;
}

}  // namespace

std::string_view plural(std::uint64_t count) {
  return count == 1 ? "" : "s";
}

std::string reason_sentence(const Alert& alert, const Reason& reason) {
  const ReasonRow& row = reason_row(reason.code);
  if (row.sentence != nullptr) { return row.sentence(reason, names_for(alert, reason)); }
  std::vector<std::string> lists;
  std::size_t further = alert.lists_left_out > 0 ? 1U : 0U;
  for (const ListEvidence& list : alert.lists) {
    if (list.role != role_of(reason.code)) { continue; }
    if (lists.size() < 3) {
      lists.push_back(list_in_words(list));
    } else {
      ++further;
    }
  }
  return fmt::format("{} is on the {} {}{}: {} request{} between {} and {}, of which {}.", addresses_in_words(alert),
                     role_of(reason.code) == ListRole::kTor ? "Tor" : "suspicious", join(lists, " and on "),
                     further > 0 ? " and on further entries" : "", alert.suspicious_events,
                     plural(alert.suspicious_events), to_iso_milliseconds(alert.first_event),
                     to_iso_milliseconds(alert.last_suspicious), outcomes_in_words(alert.suspicious_outcomes));
}

std::set<std::pair<std::string_view, std::string_view>> distinct_objects(const Alert& alert) {
  std::set<std::pair<std::string_view, std::string_view>> objects;
  for (const ObjectRead& read : alert.objects_read) { objects.emplace(read.vault, read.object); }
  return objects;
}

std::string what_was_read(const Alert& alert) {
  constexpr std::size_t kNamed = 10;
  if (alert.credential_reads == 0) {
    return successes(alert) == 0 ? "Nothing: no suspicious request succeeded" : "No secret, private key or backup";
  }
  const auto objects = distinct_objects(alert);
  if (objects.empty()) {
    return fmt::format("{} read{} of objects that the log does not name", alert.credential_reads,
                       plural(alert.credential_reads));
  }
  const bool several_vaults = objects.begin()->first != objects.rbegin()->first;
  std::vector<std::string> first;
  first.reserve(kNamed);
  for (const auto& [vault, object] : objects) {
    if (first.size() == kNamed) { break; }
    first.push_back(several_vaults ? fmt::format("{} of {}", object, vault) : std::string(object));
  }
  return fmt::format("{}{} object{}: {}{}", alert.objects_cut ? "at least " : "", objects.size(),
                     plural(objects.size()), fmt::join(first, ", "),
                     objects.size() > first.size() || alert.objects_cut ? ", ..." : "");
}

std::string description(const Alert& alert) {
  const std::string_view general = catalogue_row(alert.type).description;
  const std::uint64_t answered = successes(alert);
  if (answered == 0) { return fmt::format("{} Here the vault returned nothing to these requests.", general); }
  return fmt::format("{} Here {} of {} request{} succeeded; read by them: {}.", general, answered,
                     alert.suspicious_events, plural(alert.suspicious_events),
                     alert.credential_reads == 0 ? "no secret, private key or backup" : what_was_read(alert));
}

Severity confidence(const Alert& alert) {
  if (!is_list_alert(alert)) { return confidence_in_behaviour(alert); }
  int stated = -1;
  for (const ListEvidence& list : alert.lists) {
    if (list.role == ListRole::kTor) { return Severity::kHigh; }
    stated = std::max<int>(stated, list.confidence);
  }
  if (stated >= 80) { return Severity::kHigh; }
  return stated >= 0 && stated < 50 ? Severity::kLow : Severity::kMedium;
}

std::string counterfactual(const Alert& alert) {
  if (!is_list_alert(alert)) { return counterfactual_of_behaviour(alert); }
  const ReasonCode reason = alert.reasons.empty() ? ReasonCode::kAddressOnSuspiciousList : alert.reasons.front().code;
  std::set<std::string> names;
  for (const ListEvidence& list : alert.lists) {
    if (list.role == role_of(reason)) { names.insert(fmt::format("'{}'", list.list_name)); }
  }
  if (names.empty()) { names.insert("that say so"); }  // more lists name the address than evidence has room for
  const std::string named = fmt::format("{}", fmt::join(names, ", "));
  const std::string_view lists = names.size() == 1 && !alert.lists.empty() ? "the list" : "any of the lists";
  std::string sentence =
      fmt::format("It would not have been raised if {} were not on {} {}{}", addresses_in_words(alert), lists, named,
                  alert.lists_left_out > 0 ? " and further ones" : "");
  if (alert.type == AlertType::kTORAccess) {
    const bool listed_otherwise = std::any_of(alert.lists.begin(), alert.lists.end(), [](const ListEvidence& list) {
      return list.role == ListRole::kSuspicious;
    });
    if (listed_otherwise) { sentence += "; other lists that name the address would then have raised their own alert"; }
  } else if (alert.type == AlertType::kSuspiciousIPAccess) {
    sentence += ", or if the vault had not answered with success";
  } else {
    sentence += ", or if the vault had not refused";
  }
  return sentence + ".";
}

std::string nearest_explanation(const Alert& alert) {
  if (!is_list_alert(alert)) { return explanation_of_behaviour(alert); }
  if (alert.subject == SubjectKind::kAddress) {
    return fmt::format(
        "The requests name no caller: {} of {} were plain challenges, which a scanner of the Internet "
        "also gets, without any identity of yours.",
        alert.suspicious_outcomes[static_cast<std::size_t>(Outcome::kChallenge)], alert.suspicious_events);
  }
  if (alert.related_unlisted > 0) {
    return fmt::format(
        "The same caller made {} other request{} to this vault from addresses on no list, until 24 h after the last "
        "listed one: the owner is at work too, perhaps through a shared or private exit, or somebody has a copy of the "
        "credentials.",
        alert.related_unlisted, plural(alert.related_unlisted));
  }
  return "The same caller made no request to this vault from any address that is on no list, from the first listed "
         "request to 24 h after the last: nothing here speaks for an owner who is at work as usual.";
}

std::vector<std::string> remediation_steps(const Alert& alert) {
  std::vector<std::string> steps = {std::string(catalogue_row(alert.type).remediation), caller_step(alert)};
  if (alert.credential_reads > 0) {
    steps.push_back(
        fmt::format("Replace what was read ({}), disable the versions that were read, and search the systems "
                    "behind them for use since {}.",
                    what_was_read(alert), to_iso_milliseconds(alert.first_event)));
  }
  return steps;
}

std::string caller_in_words(const Alert& alert) {
  if (alert.subject == SubjectKind::kVault && alert.caller.key.empty()) {
    return fmt::format("{} callers, none of whom did half of it", alert.contributors.size());
  }
  return in_words(alert.caller);
}

std::vector<const Contributor*> contributors_by_share(const Alert& alert) {
  std::vector<const Contributor*> contributors;
  for (const auto& [key, contributor] : alert.contributors) { contributors.push_back(&contributor); }
  std::ranges::stable_sort(contributors, std::greater<>(), &Contributor::events);
  return contributors;
}

double share_percent(const Alert& alert, const Contributor& contributor) {
  if (alert.suspicious_events == 0) { return 0; }
  // Rounded down, so that shares never add up to more than all of it.
  const std::uint64_t thousandths = 1000 * contributor.events / alert.suspicious_events;
  return static_cast<double>(thousandths) / 10;
}

std::uint64_t total(const OutcomeCounts& outcomes) {
  return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
}

std::string outcomes_in_words(const OutcomeCounts& outcomes) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] > 0) { parts.push_back(fmt::format("{} {}", outcomes[i], kOutcomeWords[i])); }
  }
  return parts.empty() ? "none" : join(parts, ", ");
}

std::string operations_in_brackets(const OperationCounts& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) { parts.push_back(fmt::format("{}:{}", name, count)); }
  return "[" + join(parts, ", ") + "]";
}

}  // namespace keyvigil
