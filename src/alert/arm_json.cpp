#include "alert/arm_json.h"

#include <algorithm>
#include <array>

namespace keyvigil {
namespace {

// Only in the Event Hub form, on entities (reference: a captured alert of each form).
constexpr std::array<std::string_view, 5> kExportOnly = {"ResourceType", "ResourceName", "Metadata", "Asset",
                                                         "IsDomainJoined"};

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

// Json.NET's camel case: a leading run of capitals goes down but for the one that starts the next word, so UPNSuffix
// is upnSuffix and "End Time UTC" is "end Time UTC".
std::string camel_case(std::string key) {
  for (std::size_t i = 0; i < key.size() && is_upper(key[i]); ++i) {
    if (i > 0 && i + 1 < key.size() && !is_upper(key[i + 1])) { break; }
    key[i] = static_cast<char>(key[i] - 'A' + 'a');
  }
  return key;
}

Json lower_keys(const Json& from) {
  if (from.is_object()) {
    Json to = Json::object();
    for (const auto& [key, value] : from.items()) { to[camel_case(key)] = lower_keys(value); }
    return to;
  }
  if (from.is_array()) {
    Json to = Json::array();
    for (const Json& item : from) { to.push_back(lower_keys(item)); }
    return to;
  }
  return from;
}

Json entities(const Json& exported) {
  Json list = Json::array();
  for (Json entity : exported) {
    for (const std::string_view key : kExportOnly) { entity.erase(std::string(key)); }
    list.push_back(lower_keys(entity));
  }
  return list;
}

// The AAD identifier has no mapping in the SDKs, which warn about it.
Json resource_identifiers(const Json& exported) {
  Json list = Json::array();
  for (const Json& identifier : exported) {
    if (identifier.at("Type") != "AAD") { list.push_back(lower_keys(identifier)); }
  }
  return list;
}

}  // namespace

Json arm_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const Json document = alert_document(alert, rendering, standing);
  Json properties;
  properties["version"] = "2022-01-01.0";
  for (const std::string_view key : {"AlertType", "SystemAlertId", "ProductComponentName", "AlertDisplayName",
                                     "Description", "Severity", "Intent", "StartTimeUtc", "EndTimeUtc"}) {
    properties[camel_case(std::string(key))] = document.at(std::string(key));
  }
  properties["resourceIdentifiers"] = resource_identifiers(document.at("ResourceIdentifiers"));
  properties["remediationSteps"] = document.at("RemediationSteps");
  properties["vendorName"] = document.at("VendorName");
  properties["status"] = document.at("Status");
  properties["extendedLinks"] = Json::array();
  properties["alertUri"] = document.at("AlertUri");
  properties["timeGeneratedUtc"] = document.at("TimeGenerated");
  properties["productName"] = document.at("ProductName");
  if (standing.processed) { properties["processingEndTimeUtc"] = document.at("ProcessingEndTime"); }
  properties["entities"] = entities(document.at("Entities"));
  properties["isIncident"] = document.at("IsIncident");
  properties["extendedProperties"] = lower_keys(document.at("ExtendedProperties"));
  properties["compromisedEntity"] = document.at("CompromisedEntity");
  properties["techniques"] = document.at("Techniques");
  properties["subTechniques"] = document.at("SubTechniques");
  properties["supportingEvidence"] = lower_keys(document.at("SupportingEvidence"));
  if (alert.open) { properties["open"] = true; }
  if (standing.backfilled) { properties["backfilled"] = true; }

  Json object;
  object["id"] = alert_resource_id(alert, rendering);
  object["name"] = alert_name(alert);
  object["type"] = "Microsoft.Security/Locations/alerts";
  object["properties"] = std::move(properties);
  return object;
}

}  // namespace keyvigil
