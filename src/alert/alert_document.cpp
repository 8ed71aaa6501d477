#include "alert/alert_document.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alert/alert_words.h"
#include "alert/product.h"
#include "base/ascii.h"
#include "detect/reasons.h"

namespace keyvigil {
namespace {

constexpr std::size_t kAddressEntityLimit = 8;

// By Outcome.
constexpr std::array<std::string_view, kOutcomeCount> kOutcomeKeys = {"Success",  "Denied",    "Challenge",
                                                                      "NotFound", "Throttled", "Other"};

// Items as one property text: properties are strings, and hold at most so many.
std::string listed(const std::vector<std::string>& items, std::uint64_t left_out) {
  return fmt::format("{}{}", fmt::join(items, ", "), left_out > 0 ? fmt::format(", and {} more", left_out) : "");
}

Json extended_properties(const Alert& alert) {
  Json properties;
  properties["resourceType"] = "Key Vault";
  properties["End Time UTC"] = to_us_seconds(alert.last_suspicious);
  properties["All vault operations in last 24 hours"] = operations_in_brackets(alert.vault_operations);
  properties["Suspicious Operations"] = operations_in_brackets(alert.suspicious_operations);
  // A sample alert names an address that is none.
  const bool as_text = !alert.address.known && !alert.addresses.items.empty();
  properties["Attacker IP Address"] = as_text ? alert.addresses.items.front() : to_string(alert.address);
  if (!alert.caller.object_id.empty()) { properties["Attacker Object ID"] = alert.caller.object_id; }
  if (!alert.caller.app_id.empty()) { properties["Application ID"] = alert.caller.app_id; }
  properties["Result Signature"] = fmt::format("{}", fmt::join(alert.result_signatures, ", "));
  properties["Start Time UTC"] = to_us_seconds(alert.start);
  if (!alert.client_infos.items.empty()) {
    properties["Client Information"] = listed(alert.client_infos.items, alert.client_infos.left_out);
  }
  std::vector<std::string_view> reasons;
  for (const Reason& reason : alert.reasons) { reasons.push_back(reason_row(reason.code).brief); }
  properties["Alert Reasons"] = fmt::format("[{}.]", fmt::join(reasons, ", "));
  if (!alert.targets.items.empty()) { properties["Target"] = listed(alert.targets.items, alert.targets.left_out); }

  // Ours.
  properties["Confidence"] = to_string(confidence(alert));
  properties["What Was Read"] = what_was_read(alert);
  properties["Caller"] = caller_in_words(alert);
  properties["Caller Kind"] = to_string(alert.caller.kind);
  return properties;
}

// User principal names split as Sentinel's account entity wants them.
void add_account_name(Json& entity, const std::string& user_name) {
  const std::size_t at = user_name.rfind('@');
  entity["Name"] = user_name.substr(0, at);
  if (at != std::string::npos) { entity["UPNSuffix"] = user_name.substr(at + 1); }
}

class DocumentIds {
 public:
  explicit DocumentIds(std::string_view location) : location_(location) {}
  std::string next() { return fmt::format("{}_{}", location_, next_++); }

 private:
  std::string location_;
  int next_ = 1;
};

Json entities(const Alert& alert, const SubscriptionRendering& place, DocumentIds& ids) {
  Json list = Json::array();
  Json vault;
  vault["$id"] = ids.next();
  vault["ResourceId"] = alert.vault_id;
  vault["ResourceType"] = "Key Vault";
  vault["ResourceName"] = alert.vault_name;
  vault["Metadata"]["IsGraphCenter"] = true;
  vault["Asset"] = true;
  vault["Type"] = "azure-resource";
  list.push_back(std::move(vault));

  if (!alert.caller.key.empty()) {
    Json account;
    account["$id"] = ids.next();
    if (!alert.caller.user_name.empty()) { add_account_name(account, alert.caller.user_name); }
    if (!alert.caller.object_id.empty()) { account["AadUserId"] = alert.caller.object_id; }
    if (alert.caller.user_name.empty() && alert.caller.object_id.empty()) { account["Name"] = alert.caller.key; }
    if (!place.tenant_id.empty()) { account["AadTenantId"] = place.tenant_id; }
    account["IsDomainJoined"] = false;
    account["IsValid"] = false;
    account["Asset"] = true;
    account["Type"] = "account";
    list.push_back(std::move(account));
  }
  for (std::size_t i = 0; i < std::min(kAddressEntityLimit, alert.addresses.items.size()); ++i) {
    Json address;
    address["$id"] = ids.next();
    address["Address"] = alert.addresses.items[i];
    address["Asset"] = false;
    address["Type"] = "ip";
    list.push_back(std::move(address));
  }
  return list;
}

Json resource_identifiers(const Alert& alert, const SubscriptionRendering& place, DocumentIds& ids) {
  Json list = Json::array();
  Json vault;
  vault["$id"] = ids.next();
  vault["AzureResourceId"] = alert.vault_id;
  vault["Type"] = "AzureResource";
  if (!place.tenant_id.empty()) { vault["AzureResourceTenantId"] = place.tenant_id; }
  list.push_back(std::move(vault));
  for (const std::string& further : alert.vaults.items) {
    if (further == alert.vault_id) { continue; }
    list.push_back({{"$id", ids.next()}, {"AzureResourceId", further}, {"Type", "AzureResource"}});
  }
  if (!place.tenant_id.empty()) {
    list.push_back({{"$id", ids.next()}, {"AadTenantId", place.tenant_id}, {"Type", "AAD"}});
  }
  return list;
}

Json outcome_counts(const OutcomeCounts& outcomes) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] > 0) { counts[std::string(kOutcomeKeys[i])] = outcomes[i]; }
  }
  return counts;
}

Json record_evidence(const RecordReference& record) {
  Json json;
  json["Time"] = to_iso_milliseconds(record.time);
  json["CorrelationId"] = record.correlation_id;
  json["Operation"] = record.operation;
  json["Outcome"] = to_string(record.outcome);
  if (record.http_status > 0) { json["HttpStatus"] = record.http_status; }
  json["Address"] = record.address;
  json["Target"] = record.target;
  json["Part"] = to_string(record.part);
  json["Suspicious"] = record.suspicious();
  json["Vault"] = record.vault;
  if (!record.object.empty()) { json["Object"] = record.object; }
  if (!record.version.empty()) { json["Version"] = record.version; }
  if (!record.caller.empty()) { json["Caller"] = record.caller; }
  if (!record.for_whom.empty()) { json["ForWhom"] = record.for_whom; }
  if (!record.file.empty()) {
    json["File"] = record.file;
    json["Line"] = record.line;
  }
  return json;
}

Json list_evidence(const ListEvidence& list) {
  Json json;
  json["Role"] = list.role == ListRole::kTor ? "tor" : "suspicious";
  json["List"] = list.list_name;
  json["File"] = list.file;
  if (list.line > 0) { json["Line"] = list.line; }
  json["Entry"] = list.prefix;
  if (!list.label.empty()) { json["Label"] = list.label; }
  if (list.confidence >= 0) { json["Confidence"] = list.confidence; }
  if (!list.list_date.empty()) { json["Date"] = list.list_date; }
  json["Digest"] = list.list_digest;
  return json;
}

// "usualPerDay" as this shape spells its keys.
std::string upper_first(std::string_view name) {
  std::string key(name);
  key.front() = upper_case(key.front());
  return key;
}

Json reason_evidence(const Alert& alert, const Reason& reason) {
  Json json{{"Code", reason_row(reason.code).name}, {"Sentence", reason_sentence(alert, reason)}};
  if (!reason.vault.empty()) { json["VaultId"] = reason.vault; }
  if (reason.since.ticks != 0) { json["Since"] = to_iso_milliseconds(reason.since); }
  for (const Number& number : reason.numbers) { json[upper_first(quantity_name(number.quantity))] = number.value; }
  return json;
}

Json verdict_evidence(const Verdict& verdict) {
  Json json;
  json["ModelP"] = verdict.model_p;
  json["CalibratedP"] = verdict.calibrated_p;
  json["Threshold"] = verdict.threshold;
  json["TestsPerDay"] = verdict.tests_per_day;
  json["AlertsPerDay"] = verdict.alerts_per_day;
  return json;
}

Json objects_of(const std::set<ObjectRead>& reads) {
  Json objects = Json::array();
  for (const ObjectRead& read : reads) {
    Json object{{"Vault", read.vault}, {"Object", read.object}};
    if (!read.version.empty()) { object["Version"] = read.version; }
    objects.push_back(std::move(object));
  }
  return objects;
}

// What to rotate is what suspicious requests read; what the caller read besides stands apart.
Json rotation_list(const Alert& alert) {
  return {{"Objects", objects_of(alert.objects_read)},
          {"Complete", !alert.objects_cut && !alert.evidence_cut},
          {"AlsoRead", objects_of(alert.also_read)},
          {"AlsoReadComplete", !alert.also_read_cut && !alert.evidence_cut}};
}

Json contributors(const Alert& alert) {
  constexpr std::size_t kShown = 20;
  Json list = Json::array();
  for (const Contributor* contributor : contributors_by_share(alert)) {
    if (list.size() == kShown) { break; }
    list.push_back({{"Caller", in_words(contributor->who)},
                    {"Key", contributor->who.key},
                    {"Kind", to_string(contributor->who.kind)},
                    {"Events", contributor->events},
                    {"SharePercent", share_percent(alert, *contributor)}});
  }
  return list;
}

// The part that Defender's consumers know: a table.
void add_table(Json& evidence, const Alert& alert) {
  evidence["Type"] = "tabularEvidences";
  evidence["Title"] = "Requests behind the alert";
  evidence["Columns"] = {"Time", "Operation", "Outcome", "Address", "Target", "CorrelationId"};
  evidence["Rows"] = Json::array();
  for (const RecordReference& record : alert.records) {
    if (!record.suspicious()) { continue; }
    evidence["Rows"].push_back({to_iso_milliseconds(record.time), record.operation, to_string(record.outcome),
                                record.address, record.target, record.correlation_id});
  }
}

Json supporting_evidence(const Alert& alert) {
  Json evidence;
  add_table(evidence, alert);
  evidence["Revision"] = alert.revision;
  evidence["Continued"] = alert.continued;
  evidence["ClosedEarly"] = alert.closed_early;
  evidence["Reasons"] = Json::array();
  for (const Reason& reason : alert.reasons) { evidence["Reasons"].push_back(reason_evidence(alert, reason)); }
  if (catalogue_row(alert.type).learned()) { evidence["Verdict"] = verdict_evidence(alert.verdict); }
  evidence["NearestExplanation"] = nearest_explanation(alert);
  evidence["Counterfactual"] = counterfactual(alert);
  evidence["Lists"] = Json::array();
  for (const ListEvidence& list : alert.lists) { evidence["Lists"].push_back(list_evidence(list)); }
  evidence["ListsLeftOut"] = alert.lists_left_out;
  evidence["ListVersion"] = alert.list_version;
  Json observed;
  observed["FirstEvent"] = to_iso_milliseconds(alert.first_event);
  observed["LastSuspiciousEvent"] = to_iso_milliseconds(alert.last_suspicious);
  observed["LastEvent"] = to_iso_milliseconds(alert.last_event);
  observed["CauseEvents"] = alert.cause_events;
  observed["SuspiciousEvents"] = alert.suspicious_events;
  observed["SuspiciousOutcomes"] = outcome_counts(alert.suspicious_outcomes);
  observed["RelatedEvents"] = alert.related_events;
  observed["RelatedOutcomes"] = outcome_counts(alert.related_outcomes);
  observed["RelatedFromUnlistedAddresses"] = alert.related_unlisted;
  observed["LateEvents"] = alert.late_events;
  observed["CredentialReads"] = alert.credential_reads;
  observed["RelatedCredentialReads"] = alert.related_reads;
  observed["EarlierEventsMissing"] = alert.evidence_cut;
  evidence["Observed"] = std::move(observed);
  evidence["Addresses"] = alert.addresses.items;
  evidence["AddressesLeftOut"] = alert.addresses.left_out;
  if (alert.subject == SubjectKind::kVault) {
    evidence["Contributors"] = contributors(alert);
    evidence["ContributorsTotal"] = alert.contributors.size();
    evidence["ContributorsLeftOut"] = alert.contributors_left_out;
  }
  evidence["RotationList"] = rotation_list(alert);
  evidence["Records"] = Json::array();
  for (const RecordReference& record : alert.records) { evidence["Records"].push_back(record_evidence(record)); }
  evidence["RecordsTotal"] = alert.records_total;
  return evidence;
}

// "T1555.006, T1098": techniques are what stands before the dot, sub-techniques the whole.
void add_techniques(Json& document, std::string_view techniques) {
  Json parents = Json::array();
  Json children = Json::array();
  while (!techniques.empty()) {
    const std::size_t comma = techniques.find(", ");
    const std::string_view id = techniques.substr(0, comma);
    techniques.remove_prefix(comma == std::string_view::npos ? techniques.size() : comma + 2);
    const std::string parent(id.substr(0, id.find('.')));
    if (std::find(parents.begin(), parents.end(), parent) == parents.end()) { parents.push_back(parent); }
    if (id.size() > parent.size()) { children.push_back(id); }
  }
  document["Techniques"] = std::move(parents);
  document["SubTechniques"] = std::move(children);
}

// Line ends of Unicode, as UTF-8, and their escapes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWideLineEnds = {
    {{"\xC2\x85", "\\u0085"}, {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}}};

}  // namespace

std::string alert_resource_id(const Alert& alert, const AlertRendering& rendering) {
  return fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Security/locations/{}/alerts/{}",
                     alert.subscription_id, alert.resource_group, rendering.of(alert.subscription_id).location,
                     alert_name(alert));
}

std::string alert_uri(const Alert& alert, const AlertRendering& rendering) {
  return fmt::format("{}/alertId/{}/subscriptionId/{}/resourceGroup/{}/referencedFrom/alertDeepLink/location/{}",
                     rendering.portal, alert_name(alert), alert.subscription_id, alert.resource_group,
                     rendering.of(alert.subscription_id).location);
}

std::string alert_code(const Alert& alert, const AlertStanding& standing) {
  return fmt::format("{}{}", standing.simulated ? "SIMULATED_" : "", catalogue_row(alert.type).code);
}

std::string alert_title(const Alert& alert, const AlertStanding& standing) {
  return fmt::format("{}{}", standing.simulated ? "[SAMPLE ALERT] " : "", catalogue_row(alert.type).display_name);
}

Json alert_document(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const CatalogueRow& row = catalogue_row(alert.type);
  const SubscriptionRendering& place = rendering.of(alert.subscription_id);
  DocumentIds ids(place.location);
  Json document;
  document["VendorName"] = kVendorName;
  document["AlertType"] = alert_code(alert, standing);
  document["ProductName"] = kProductName;
  document["ProductComponentName"] = "KeyVault";
  document["StartTimeUtc"] = to_iso_milliseconds(alert.start);
  document["EndTimeUtc"] = to_iso_milliseconds(alert.last_suspicious);
  document["TimeGenerated"] = to_iso_milliseconds(alert.generated);
  if (standing.processed) { document["ProcessingEndTime"] = to_iso_milliseconds(*standing.processed); }
  document["Status"] = to_string(standing.status);
  document["Severity"] = to_string(severity_of(alert));
  document["IsIncident"] = false;
  document["SystemAlertId"] = alert_name(alert);
  document["Intent"] = standing.simulated ? "Unknown" : row.intent;  // as Defender's samples have it
  document["AzureResourceId"] = alert.vault_id;
  document["CompromisedEntity"] = alert.vault_name;
  document["AlertDisplayName"] = alert_title(alert, standing);
  document["Description"] = (standing.simulated ? "THIS IS A SAMPLE ALERT: " : "") + description(alert);
  add_techniques(document, row.techniques);
  document["ResourceIdentifiers"] = resource_identifiers(alert, place, ids);
  document["Entities"] = entities(alert, place, ids);
  document["RemediationSteps"] = remediation_steps(alert);
  document["ExtendedProperties"] = extended_properties(alert);
  document["AlertUri"] = alert_uri(alert, rendering);
  document["Open"] = alert.open;
  document["Backfilled"] = standing.backfilled;
  document["SupportingEvidence"] = supporting_evidence(alert);
  return document;
}

std::string to_json_line(const Json& json) {
  const std::string dumped = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string line;
  line.reserve(dumped.size());
  std::string_view rest = dumped;
  while (!rest.empty()) {
    // They can stand in strings only, so they may be written as escapes wherever they are.
    const auto* const found =
        std::ranges::find_if(kWideLineEnds, [&](const auto& end) { return rest.starts_with(end.first); });
    if (found != kWideLineEnds.end()) {
      line += found->second;
      rest.remove_prefix(found->first.size());
      continue;
    }
    const auto next = std::find_if(rest.begin() + 1, rest.end(), [](char c) { return c == '\xC2' || c == '\xE2'; });
    line.append(rest.begin(), next);
    rest.remove_prefix(static_cast<std::size_t>(next - rest.begin()));
  }
  return line;
}

}  // namespace keyvigil
