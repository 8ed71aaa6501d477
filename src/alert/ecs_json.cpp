#include "alert/ecs_json.h"

#include <array>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/product.h"
#include "catalogue/attack_knowledge.h"

namespace keyvigil {
namespace {

// By Severity: the steps of Elastic's own rules, and nearly nothing for Informational.
constexpr std::array<int, 4> kRiskScores = {1, 21, 47, 73};

Json event_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing,
                const AccessSummary& summary) {
  const int risk = kRiskScores[static_cast<std::size_t>(severity_of(alert))];
  Json event;
  event["kind"] = "alert";
  event["category"] = {"intrusion_detection"};
  event["type"] = {"info"};
  if (summary.outcome == "success") { event["type"].push_back("allowed"); }
  if (summary.outcome == "failure") { event["type"].push_back("denied"); }
  event["action"] = alert_code(alert, standing);
  event["code"] = alert_code(alert, standing);
  event["id"] = alert_name(alert);
  event["provider"] = kProductShortName;
  event["module"] = kProductShortName;
  event["dataset"] = "keyvigil.alert";
  event["severity"] = risk;
  event["risk_score"] = risk;
  event["outcome"] = summary.outcome;
  if (standing.processed) { event["created"] = to_iso_milliseconds(*standing.processed); }
  event["start"] = to_iso_milliseconds(alert.first_event);
  event["end"] = to_iso_milliseconds(alert.last_suspicious);
  event["reason"] = summary.reason;
  event["url"] = alert_uri(alert, rendering);
  return event;
}

Json threat_json(const CatalogueRow& row) {
  Json threat{{"framework", "MITRE ATT&CK"}};
  for (const AttackTactic& tactic : tactics_of(row)) {
    threat["tactic"]["id"].push_back(tactic.id);
    threat["tactic"]["name"].push_back(tactic.name);
  }
  for (const AttackTechnique& technique : techniques_of(row)) {
    threat["technique"]["id"].push_back(technique.parent_id());
    threat["technique"]["name"].push_back(technique.name);
    if (!technique.is_sub_technique()) { continue; }
    threat["technique"]["subtechnique"]["id"].push_back(technique.id);
    threat["technique"]["subtechnique"]["name"].push_back(technique.sub_name);
  }
  return threat;
}

Json cloud_json(const Alert& alert, const AlertRendering& rendering) {
  Json cloud{{"provider", "azure"}, {"region", rendering.of(alert.subscription_id).location}};
  cloud["account"]["id"] = alert.subscription_id;
  cloud["service"]["name"] = "keyvault";
  return cloud;
}

void add_caller(Json& document, const AccessSummary& summary) {
  Json names = Json::array();
  if (!summary.caller_id.empty()) {
    document["user"]["id"] = summary.caller_id;
    names.push_back(summary.caller_id);
  }
  if (!summary.user_name.empty()) {
    document["user"]["name"] = summary.user_name;
    if (summary.user_name.find('@') != std::string::npos) { document["user"]["email"] = summary.user_name; }
    names.push_back(summary.user_name);
  }
  if (!names.empty()) { document["related"]["user"] = std::move(names); }
}

void add_addresses(Json& document, const AccessSummary& summary) {
  if (summary.addresses.empty()) { return; }
  document["source"] = {{"ip", summary.addresses.front()}, {"address", summary.addresses.front()}};
  document["related"]["ip"] = summary.addresses;
}

}  // namespace

Json ecs_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const CatalogueRow& row = catalogue_row(alert.type);
  const AccessSummary summary = access_summary(alert);
  Json document;
  document["@timestamp"] = to_iso_milliseconds(alert.generated);
  document["ecs"]["version"] = "9.4.0";
  document["message"] = fmt::format("{}: {}", alert_title(alert, standing), summary.vault_name);
  document["event"] = event_json(alert, rendering, standing, summary);
  document["rule"] = {{"id", row.code},
                      {"name", row.display_name},
                      {"category", row.intent},
                      {"description", row.description},
                      {"ruleset", kProductShortName}};
  document["observer"] = {
      {"vendor", kVendorName}, {"product", kProductName}, {"version", product_version()}, {"type", "ids"}};
  document["threat"] = threat_json(row);
  document["cloud"] = cloud_json(alert, rendering);
  add_addresses(document, summary);
  add_caller(document, summary);
  if (!summary.user_agent.empty()) { document["user_agent"]["original"] = summary.user_agent; }
  if (!summary.target.empty()) { document["url"]["original"] = summary.target; }
  Json ours = evidence_json(alert, standing);
  ours["alert_id"] = alert.id;
  ours["vault"] = {{"name", summary.vault_name}, {"resource_id", summary.vault_id}};
  if (!summary.app_id.empty()) { ours["application_id"] = summary.app_id; }
  document["keyvigil"] = std::move(ours);
  return document;
}

}  // namespace keyvigil
