#include "alert/reasons.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "alert/behaviour_words.h"

namespace keyvigil {
namespace {

struct ReasonWords {
  std::string_view code;
  std::string_view brief;
  std::string_view list_kind;
  ListRole role;
};

// By ReasonCode.
constexpr std::array<ReasonWords, 2> kReasons = {{
    {"AddressOnTorList",
     "The key vault was accessed through an exit node of the TOR network, which hides where the caller is", "Tor",
     ListRole::kTor},
    {"AddressOnSuspiciousList", "The key vault was accessed from an IP address that a threat list names", "suspicious",
     ListRole::kSuspicious},
}};

constexpr std::array<std::string_view, kOutcomeCount> kOutcomeWords = {
    "succeeded", "denied", "asked to authenticate", "not found", "throttled", "failed otherwise"};

bool is_list_reason(ReasonCode reason) {
  return static_cast<std::size_t>(reason) < kReasons.size();
}

const ReasonWords& words(ReasonCode reason) {
  return kReasons[static_cast<std::size_t>(reason)];
}

std::string_view plural(std::uint64_t count) {
  return count == 1 ? "" : "s";
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
  switch (alert.caller_kind) {
    case CallerKind::kUser:
      return fmt::format(
          "The caller is the user {}: ask that person by a way other than mail; if it was somebody else, revoke the "
          "sessions, reset the password and the authentication methods, and remove the user's rights on {} until then.",
          alert.user_name.empty() ? alert.object_id : alert.user_name, alert.vault_name);
    case CallerKind::kApp:
      return fmt::format(
          "The caller is the application {}: ask its owner where it runs; if it is not there, replace the "
          "application's own secrets and certificates first, then remove its rights on {}.",
          alert.app_id, alert.vault_name);
    case CallerKind::kManagedIdentity:
      return fmt::format(
          "The caller is the managed identity {}: its tokens are only given out on that resource, so look there for an "
          "intruder; isolate the resource and remove the identity's rights on {}.",
          alert.managed_identity.empty() ? alert.caller_key : alert.managed_identity, alert.vault_name);
    case CallerKind::kFirstParty:
      return fmt::format(
          "The caller is Microsoft's own service principal {}: check which of your subscriptions let that service use "
          "{}, and that the address is really Microsoft's.",
          alert.app_id, alert.vault_name);
    case CallerKind::kAnonymous:
      break;
  }
  return fmt::format(
      "Nobody was named by these requests: no permission can be taken away. Allow only trusted networks in the "
      "firewall "
      "of {}, and look for callers with a name from {} in all vaults.",
      alert.vault_name, addresses_in_words(alert));
}

}  // namespace

std::string_view reason_code(ReasonCode reason) {
  return is_list_reason(reason) ? words(reason).code : behaviour_code(reason).code;
}

std::string_view short_reason(ReasonCode reason) {
  return is_list_reason(reason) ? words(reason).brief : behaviour_code(reason).brief;
}

std::string reason_sentence(const Alert& alert, const Reason& given) {
  const ReasonCode reason = given.code;
  if (!is_list_reason(reason)) { return behaviour_sentence(alert, given); }
  std::vector<std::string> lists;
  std::size_t further = alert.lists_left_out > 0 ? 1U : 0U;
  for (const ListEvidence& list : alert.lists) {
    if (list.role != words(reason).role) { continue; }
    if (lists.size() < 3) {
      lists.push_back(list_in_words(list));
    } else {
      ++further;
    }
  }
  return fmt::format("{} is on the {} {}{}: {} request{} between {} and {}, of which {}.", addresses_in_words(alert),
                     words(reason).list_kind, join(lists, " and on "), further > 0 ? " and on further entries" : "",
                     alert.suspicious_events, plural(alert.suspicious_events), to_iso_milliseconds(alert.first_event),
                     to_iso_milliseconds(alert.last_suspicious), outcomes_in_words(alert.suspicious_outcomes));
}

std::string what_was_read(const Alert& alert) {
  constexpr std::size_t kNamed = 10;
  if (alert.credential_reads == 0) {
    return successes(alert) == 0 ? "Nothing: no request succeeded" : "No secret, private key or backup";
  }
  // Versions of one object are one name here; the rotation list tells them apart.
  std::set<std::string_view> objects;
  for (const ObjectRead& read : alert.objects_read) { objects.insert(read.object); }
  if (objects.empty()) { return fmt::format("{} reads of objects that the log does not name", alert.credential_reads); }
  const std::size_t named = std::min(kNamed, objects.size());
  const std::vector<std::string_view> first(objects.begin(),
                                            std::next(objects.begin(), static_cast<std::ptrdiff_t>(named)));
  return fmt::format("{}{} object{}: {}{}", alert.objects_cut ? "at least " : "", objects.size(),
                     plural(objects.size()), fmt::join(first, ", "),
                     objects.size() > named || alert.objects_cut ? ", ..." : "");
}

std::string description(const Alert& alert) {
  const std::string_view general = catalogue_row(alert.type).description;
  const std::uint64_t answered = successes(alert);
  if (answered == 0) { return fmt::format("{} Here the vault returned nothing to these requests.", general); }
  return fmt::format("{} Here {} request{} succeeded; read since then: {}.", general, answered, plural(answered),
                     alert.credential_reads == 0 ? "no secret, private key or backup" : what_was_read(alert));
}

Severity confidence(const Alert& alert) {
  if (!is_list_alert(alert.type)) { return behaviour_confidence(alert); }
  int stated = -1;
  for (const ListEvidence& list : alert.lists) {
    if (list.role == ListRole::kTor) { return Severity::kHigh; }
    stated = std::max<int>(stated, list.confidence);
  }
  if (stated >= 80) { return Severity::kHigh; }
  return stated >= 0 && stated < 50 ? Severity::kLow : Severity::kMedium;
}

std::string counterfactual(const Alert& alert) {
  if (!is_list_alert(alert.type)) { return behaviour_counterfactual(alert); }
  const ReasonCode reason = alert.reasons.empty() ? ReasonCode::kAddressOnSuspiciousList : alert.reasons.begin()->first;
  std::set<std::string> names;
  for (const ListEvidence& list : alert.lists) {
    if (list.role == words(reason).role) { names.insert(fmt::format("'{}'", list.list_name)); }
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
  if (!is_list_alert(alert.type)) { return behaviour_explanation(alert); }
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
  switch (alert.caller_kind) {
    case CallerKind::kUser:
      return "user " + (alert.user_name.empty() ? alert.caller_key : alert.user_name);
    case CallerKind::kApp:
      return "application " + alert.caller_key;
    case CallerKind::kManagedIdentity: {
      const std::string& id = alert.managed_identity;
      return "managed identity " + (id.empty() ? alert.caller_key : id.substr(id.rfind('/') + 1));
    }
    case CallerKind::kFirstParty:
      return "Microsoft service " + alert.caller_key;
    case CallerKind::kAnonymous:
      break;
  }
  return "nobody named";
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
