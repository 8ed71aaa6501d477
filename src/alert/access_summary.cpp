#include "alert/access_summary.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "alert/alert_words.h"
#include "alert/printable.h"
#include "base/ascii.h"
#include "detect/reasons.h"

namespace keyvigil {
namespace {

constexpr std::size_t kObjectsShown = 100;

std::string text(std::string_view from) {
  return bounded_utf8(from, kTextLimitBytes);
}

std::string only(const TextList& list) {
  return list.items.size() == 1 && list.left_out == 0 ? text(list.items.front()) : std::string();
}

// Null where no suspicious record is kept.
const RecordReference* shown_record(const Alert& alert) {
  const std::string address = to_string(alert.address);
  const auto fit = [&](const RecordReference& record) {
    return std::tuple(record.caller == alert.caller.key, record.address == address, record.time == alert.start);
  };
  const RecordReference* shown = nullptr;
  for (const RecordReference& record : alert.records) {
    if (!record.suspicious()) { continue; }
    if (shown == nullptr || fit(record) > fit(*shown)) { shown = &record; }
  }
  return shown;
}

std::string_view outcome_of(const OutcomeCounts& outcomes) {
  const auto count = [&](Outcome outcome) { return outcomes[static_cast<std::size_t>(outcome)]; };
  if (count(Outcome::kSuccess) > 0) { return "success"; }
  return count(Outcome::kDenied) + count(Outcome::kChallenge) > 0 ? "failure" : "unknown";
}

std::string host_of(std::string_view uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) { return {}; }
  uri.remove_prefix(scheme + 3);
  return std::string(uri.substr(0, uri.find_first_of("/:?#")));
}

// An address in whatever spelling, if it is one: others refuse a whole document for a field of another type.
std::vector<std::string> addresses_of(const Alert& alert, const RecordReference* shown) {
  std::vector<std::string> addresses;
  const auto add = [&](const std::string& address) {
    if (!address.empty() && std::ranges::find(addresses, address) == addresses.end()) { addresses.push_back(address); }
  };
  const auto add_text = [&](const std::string& item) {
    if (const auto parsed = parse_ip_address(item)) { add(to_string(*parsed)); }
  };
  if (shown != nullptr && alert.address.known) { add_text(shown->address); }
  add(to_string(alert.address));
  for (const std::string& item : alert.addresses.items) { add_text(item); }
  return addresses;
}

// "usualPerDay" as this shape spells its keys: "usual_per_day".
std::string snake_case(std::string_view name) {
  std::string key;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper) { key += '_'; }
    key += upper ? lower_case(c) : c;
  }
  return key;
}

Json reason_json(const Alert& alert, const Reason& reason) {
  Json json{{"code", reason_row(reason.code).name}, {"sentence", text(reason_sentence(alert, reason))}};
  if (!reason.vault.empty()) { json["vault_id"] = text(reason.vault); }
  for (const Number& number : reason.numbers) { json[snake_case(quantity_name(number.quantity))] = number.value; }
  return json;
}

Json list_json(const ListEvidence& list) {
  Json json{{"role", list.role == ListRole::kTor ? "tor" : "suspicious"},
            {"name", text(list.list_name)},
            {"entry", text(list.prefix)}};
  if (!list.label.empty()) { json["label"] = text(list.label); }
  if (list.confidence >= 0) { json["confidence"] = list.confidence; }
  return json;
}

Json objects_json(const std::set<ObjectRead>& reads) {
  Json objects = Json::array();
  for (const ObjectRead& read : reads) {
    if (objects.size() == kObjectsShown) { break; }
    Json object{{"vault", text(read.vault)}, {"object", text(read.object)}};
    if (!read.version.empty()) { object["version"] = text(read.version); }
    objects.push_back(std::move(object));
  }
  return objects;
}

Json rotation_json(const Alert& alert) {
  return {{"objects", objects_json(alert.objects_read)},
          {"total", alert.objects_read.size()},
          {"complete", !alert.objects_cut && !alert.evidence_cut},
          {"also_read", objects_json(alert.also_read)},
          {"also_read_total", alert.also_read.size()}};
}

Json contributors_json(const Alert& alert) {
  constexpr std::size_t kShown = 20;
  Json list = Json::array();
  for (const Contributor* contributor : contributors_by_share(alert)) {
    if (list.size() == kShown) { break; }
    list.push_back({{"caller", text(in_words(contributor->who))},
                    {"key", text(contributor->who.key)},
                    {"events", contributor->events},
                    {"share_percent", share_percent(alert, *contributor)}});
  }
  return list;
}

Json counts_json(const OperationCounts& counts) {
  Json list = Json::array();
  for (const auto& [name, count] : counts) { list.push_back({{"name", text(name)}, {"count", count}}); }
  return list;
}

}  // namespace

AccessSummary access_summary(const Alert& alert) {
  AccessSummary summary;
  const RecordReference* shown = shown_record(alert);
  summary.outcome = outcome_of(alert.suspicious_outcomes);
  for (const auto& [name, count] : alert.suspicious_operations) { summary.operations.push_back(text(name)); }
  summary.addresses = addresses_of(alert, shown);
  summary.vault_name = text(alert.vault_name);
  summary.vault_id = text(alert.vault_id);
  summary.caller_id = text(alert.caller.object_id.empty() ? alert.caller.key : alert.caller.object_id);
  summary.user_name = text(alert.caller.user_name);
  summary.app_id = text(alert.caller.app_id);
  summary.user_agent = only(alert.client_infos);
  if (shown != nullptr) {
    summary.operation = text(shown->operation);
    summary.target = text(shown->target);
    summary.target_host = host_of(summary.target);
  }
  if (!alert.reasons.empty()) {
    const Reason& reason = alert.reasons.front();
    summary.reason = text(reason_sentence(alert, reason));
    summary.brief_reason = reason_row(reason.code).brief;
  }
  return summary;
}

Json evidence_json(const Alert& alert, const AlertStanding& standing) {
  Json evidence;
  evidence["revision"] = alert.revision;
  evidence["open"] = alert.open;
  evidence["backfilled"] = standing.backfilled;
  evidence["simulated"] = standing.simulated;
  evidence["status"] = to_string(standing.status);
  evidence["confidence"] = to_string(confidence(alert));
  evidence["caller_kind"] = to_string(alert.caller.kind);
  evidence["what_was_read"] = text(what_was_read(alert));
  evidence["credential_reads"] = alert.credential_reads;
  evidence["suspicious_events"] = alert.suspicious_events;
  evidence["suspicious_operations"] = counts_json(alert.suspicious_operations);
  evidence["reasons"] = Json::array();
  for (const Reason& reason : alert.reasons) { evidence["reasons"].push_back(reason_json(alert, reason)); }
  if (catalogue_row(alert.type).learned()) {
    evidence["verdict"] = {{"calibrated_p", alert.verdict.calibrated_p}, {"threshold", alert.verdict.threshold}};
  }
  evidence["lists"] = Json::array();
  for (const ListEvidence& list : alert.lists) { evidence["lists"].push_back(list_json(list)); }
  evidence["nearest_explanation"] = nearest_explanation(alert);
  evidence["counterfactual"] = counterfactual(alert);
  evidence["rotation_list"] = rotation_json(alert);
  if (alert.subject == SubjectKind::kVault) { evidence["contributors"] = contributors_json(alert); }
  evidence["cause_events"] = alert.cause_events;
  evidence["earlier_events_missing"] = alert.evidence_cut;
  evidence["records_total"] = alert.records_total;
  return evidence;
}

std::string delivery_key(const Alert& alert) {
  return fmt::format("{}-{}", alert.id, alert.revision);
}

}  // namespace keyvigil
