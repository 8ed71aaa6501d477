#include "alert/ocsf_json.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_words.h"
#include "alert/printable.h"
#include "alert/product.h"
#include "catalogue/attack_knowledge.h"

namespace keyvigil {
namespace {

constexpr int kFindings = 2;
constexpr int kDetectionFinding = 2004;
constexpr std::size_t kRecordsShown = 20;

struct Choice {
  int id;
  std::string_view caption;
};

constexpr Choice kCreate = {1, "Create"};
constexpr Choice kUpdate = {2, "Update"};
constexpr Choice kClose = {3, "Close"};
constexpr std::array<Choice, 4> kSeverities = {{{1, "Informational"}, {2, "Low"}, {3, "Medium"}, {4, "High"}}};
// Low, medium and high; nothing is less sure than low.
constexpr std::array<Choice, 4> kConfidences = {{{1, "Low"}, {1, "Low"}, {2, "Medium"}, {3, "High"}}};
// By AlertStatus. Dismissed alerts were found to be no matter: Suppressed.
constexpr std::array<Choice, 4> kStatuses = {{{1, "New"}, {2, "In Progress"}, {4, "Resolved"}, {3, "Suppressed"}}};

Choice activity_of(const AlertStanding& standing) {
  if (standing.status == AlertStatus::kResolved || standing.status == AlertStatus::kDismissed) { return kClose; }
  return standing.earlier_revision_sent ? kUpdate : kCreate;
}

void set_choice(Json& json, const std::string& name, const Choice& choice) {
  json[name + "_id"] = choice.id;
  json[name] = choice.caption;
}

Json metadata_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  Json metadata;
  metadata["version"] = "1.8.0";
  metadata["profiles"] = {"cloud"};
  metadata["uid"] = delivery_key(alert);
  metadata["event_code"] = alert_code(alert, standing);
  const std::string& tenant = rendering.of(alert.subscription_id).tenant_id;
  if (!tenant.empty()) { metadata["tenant_uid"] = tenant; }
  metadata["product"] = {{"name", kProductName}, {"vendor_name", kVendorName}, {"version", product_version()}};
  if (standing.processed) { metadata["logged_time"] = standing.processed->milliseconds(); }
  return metadata;
}

Json tactic_json(const AttackTactic& tactic) {
  return {{"uid", tactic.id}, {"name", tactic.name}};
}

// One entry for each technique, with its tactic where the alert has it; then the tactics that have none.
Json attacks_json(const CatalogueRow& row) {
  Json attacks = Json::array();
  std::vector<AttackTactic> tactics = tactics_of(row);
  std::vector<std::string_view> used;
  for (const AttackTechnique& technique : techniques_of(row)) {
    Json attack;
    const auto tactic = std::ranges::find(tactics, technique.tactic_id, &AttackTactic::id);
    if (tactic != tactics.end()) {
      attack["tactic"] = tactic_json(*tactic);
      used.push_back(tactic->id);
    }
    attack["technique"] = {{"uid", technique.parent_id()}, {"name", technique.name}};
    if (technique.is_sub_technique()) {
      attack["sub_technique"] = {{"uid", technique.id}, {"name", technique.sub_name}};
    }
    attacks.push_back(std::move(attack));
  }
  for (const AttackTactic& tactic : tactics) {
    if (std::ranges::find(used, tactic.id) == used.end()) { attacks.push_back({{"tactic", tactic_json(tactic)}}); }
  }
  return attacks;
}

Json finding_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const CatalogueRow& row = catalogue_row(alert.type);
  Json finding;
  finding["uid"] = alert_name(alert);
  finding["title"] = alert_title(alert, standing);
  finding["desc"] = bounded_utf8(description(alert), 4 * kTextLimitBytes);
  finding["types"] = {alert_code(alert, standing)};
  finding["created_time"] = alert.generated.milliseconds();
  finding["first_seen_time"] = alert.first_event.milliseconds();
  finding["last_seen_time"] = alert.last_suspicious.milliseconds();
  finding["analytic"] = {{"uid", row.code},
                         {"name", row.display_name},
                         {"type_id", row.learned() ? 3 : 1},
                         {"type", row.learned() ? "Statistical" : "Rule"}};
  finding["attacks"] = attacks_json(row);
  finding["src_url"] = alert_uri(alert, rendering);
  return finding;
}

Json resources_json(const Alert& alert, const AlertRendering& rendering) {
  std::vector<std::string> ids = {alert.vault_id};
  for (const std::string& id : alert.vaults.items) {
    if (id != alert.vault_id) { ids.push_back(id); }
  }
  Json resources = Json::array();
  for (const std::string& id : ids) {
    const std::string uid = bounded_utf8(id, kTextLimitBytes);
    resources.push_back({{"uid", uid},
                         {"name", uid.substr(uid.rfind('/') + 1)},
                         {"type", "Microsoft.KeyVault/vaults"},
                         {"region", rendering.of(alert.subscription_id).location},
                         {"role_id", 1},
                         {"role", "Target"}});
  }
  return resources;
}

Json actor_json(const Alert& alert, const AccessSummary& summary) {
  Json actor = Json::object();
  if (!summary.caller_id.empty() || !summary.user_name.empty()) {
    Json user;
    if (!summary.caller_id.empty()) { user["uid"] = summary.caller_id; }
    if (!summary.user_name.empty()) { user["name"] = summary.user_name; }
    const bool person = alert.caller.kind == CallerKind::kUser;
    user["type_id"] = person ? 1 : 4;
    user["type"] = person ? "User" : "Service";
    actor["user"] = std::move(user);
  }
  if (!summary.app_id.empty()) { actor["app_uid"] = summary.app_id; }
  return actor;
}

Json api_json(std::string_view operation) {
  return {{"operation", operation}, {"service", {{"name", "Azure Key Vault"}}}};
}

// One access of the caller; then each suspicious record.
Json evidences_json(const Alert& alert, const AccessSummary& summary) {
  Json evidences = Json::array();
  Json raising;
  if (!summary.addresses.empty()) { raising["src_endpoint"]["ip"] = summary.addresses.front(); }
  if (Json actor = actor_json(alert, summary); !actor.empty()) { raising["actor"] = std::move(actor); }
  raising["api"] = api_json(summary.operation.empty() ? "unknown" : summary.operation);
  if (!summary.user_agent.empty()) { raising["http_request"]["user_agent"] = summary.user_agent; }
  evidences.push_back(std::move(raising));
  for (const RecordReference& record : alert.records) {
    if (evidences.size() > kRecordsShown) { break; }
    if (!record.suspicious()) { continue; }
    Json evidence;
    if (!record.correlation_id.empty()) { evidence["uid"] = bounded_utf8(record.correlation_id, kTextLimitBytes); }
    if (parse_ip_address(record.address)) { evidence["src_endpoint"]["ip"] = record.address; }
    evidence["api"] = api_json(bounded_utf8(record.operation, kTextLimitBytes));
    evidence["api"]["response"]["message"] = to_string(record.outcome);
    if (record.http_status > 0) { evidence["api"]["response"]["code"] = record.http_status; }
    evidence["data"] = {{"time", record.time.milliseconds()}, {"target", bounded_utf8(record.target, kTextLimitBytes)}};
    evidences.push_back(std::move(evidence));
  }
  return evidences;
}

void add_observable(Json& list, std::string_view name, const Choice& type, const std::string& value) {
  if (value.empty()) { return; }
  list.push_back({{"name", name}, {"type_id", type.id}, {"type", type.caption}, {"value", value}});
}

Json observables_json(const AccessSummary& summary) {
  Json list = Json::array();
  for (const std::string& address : summary.addresses) {
    add_observable(list, "evidences[].src_endpoint.ip", {2, "IP Address"}, address);
  }
  add_observable(list, "evidences[].actor.user.name", {4, "User Name"}, summary.user_name);
  add_observable(list, "resources[].uid", {10, "Resource UID"}, summary.vault_id);
  add_observable(list, "evidences[].http_request.user_agent", {16, "HTTP User-Agent"}, summary.user_agent);
  return list;
}

}  // namespace

Json ocsf_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const AccessSummary summary = access_summary(alert);
  const Choice activity = activity_of(standing);
  Json finding;
  finding["activity_id"] = activity.id;
  finding["activity_name"] = activity.caption;
  finding["category_uid"] = kFindings;
  finding["category_name"] = "Findings";
  finding["class_uid"] = kDetectionFinding;
  finding["class_name"] = "Detection Finding";
  finding["type_uid"] = kDetectionFinding * 100 + activity.id;
  finding["type_name"] = fmt::format("Detection Finding: {}", activity.caption);
  set_choice(finding, "severity", kSeverities[static_cast<std::size_t>(severity_of(alert))]);
  set_choice(finding, "status", kStatuses[static_cast<std::size_t>(standing.status)]);
  set_choice(finding, "confidence", kConfidences[static_cast<std::size_t>(confidence(alert))]);
  finding["is_alert"] = activity.id != kClose.id;
  finding["time"] = alert.generated.milliseconds();
  finding["start_time"] = alert.first_event.milliseconds();
  finding["end_time"] = alert.last_suspicious.milliseconds();
  finding["timezone_offset"] = 0;
  finding["message"] = alert_title(alert, standing);
  finding["metadata"] = metadata_json(alert, rendering, standing);
  finding["cloud"] = {{"provider", "Azure"},
                      {"region", rendering.of(alert.subscription_id).location},
                      {"account", {{"uid", alert.subscription_id}, {"type_id", 13}, {"type", "Azure Subscription"}}}};
  finding["finding_info"] = finding_json(alert, rendering, standing);
  finding["resources"] = resources_json(alert, rendering);
  finding["evidences"] = evidences_json(alert, summary);
  finding["observables"] = observables_json(summary);
  finding["remediation"]["desc"] = bounded_utf8(fmt::format("{}", fmt::join(remediation_steps(alert), " ")), 8192);
  finding["unmapped"]["keyvigil"] = evidence_json(alert, standing);
  return finding;
}

}  // namespace keyvigil
