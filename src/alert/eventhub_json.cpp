#include "alert/eventhub_json.h"

#include <array>
#include <utility>

namespace keyvigil {
namespace {

// In the order of a captured message. A name that alert_document() does not have is written as null.
constexpr std::array<std::string_view, 31> kFields = {"VendorName",
                                                      "AlertType",
                                                      "ProductName",
                                                      "StartTimeUtc",
                                                      "EndTimeUtc",
                                                      "TimeGenerated",
                                                      "ProcessingEndTime",
                                                      "Severity",
                                                      "Status",
                                                      "ProviderAlertStatus",
                                                      "ConfidenceLevel",
                                                      "ConfidenceScore",
                                                      "ConfidenceReasons",
                                                      "IsIncident",
                                                      "SystemAlertId",
                                                      "CorrelationKey",
                                                      "Intent",
                                                      "AzureResourceId",
                                                      "WorkspaceId",
                                                      "WorkspaceSubscriptionId",
                                                      "WorkspaceResourceGroup",
                                                      "AgentId",
                                                      "CompromisedEntity",
                                                      "AlertDisplayName",
                                                      "Description",
                                                      "Entities",
                                                      "ExtendedLinks",
                                                      "RemediationSteps",
                                                      "ExtendedProperties",
                                                      "ResourceIdentifiers",
                                                      "AlertUri"};

// "global_3" -> "3": only ARM prefixes them.
void drop_location(Json& items) {
  for (Json& item : items) {
    const std::string id = item.at("$id").get<std::string>();
    item["$id"] = id.substr(id.rfind('_') + 1);
  }
}

}  // namespace

Json eventhub_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  Json document = alert_document(alert, rendering, standing);
  if (standing.status == AlertStatus::kActive) { document["Status"] = "New"; }  // as the export spells it
  drop_location(document["Entities"]);
  drop_location(document["ResourceIdentifiers"]);
  Json& properties = document["ExtendedProperties"];
  properties["EffectiveAzureResourceId"] = alert.vault_id;
  properties["CompromisedEntity"] = alert.vault_name;
  properties["ProductComponentName"] = document["ProductComponentName"];
  properties["EffectiveSubscriptionId"] = alert.subscription_id;

  Json message;
  for (const std::string_view name : kFields) {
    const std::string key(name);
    message[key] = document.contains(key) ? std::move(document[key]) : Json(nullptr);
  }
  // Ours, after Defender's.
  message["SupportingEvidence"] = std::move(document["SupportingEvidence"]);
  if (alert.open) { message["Open"] = true; }
  if (standing.backfilled) { message["Backfilled"] = true; }
  return message;
}

}  // namespace keyvigil
