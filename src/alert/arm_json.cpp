#include "alert/arm_json.h"

#include <algorithm>
#include <array>
#include <utility>

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

// Values move from the export's shape into this one: a page of alerts has megabytes of them.
Json lower_keys(Json&& from) {
  if (from.is_object()) {
    Json to = Json::object();
    auto& members = to.get_ref<Json::object_t&>();
    members.reserve(from.size());
    for (auto& [key, value] : from.get_ref<Json::object_t&>()) {
      members.emplace(camel_case(key), lower_keys(std::move(value)));
    }
    return to;
  }
  if (from.is_array()) {
    for (Json& item : from) { item = lower_keys(std::move(item)); }
  }
  return std::move(from);
}

Json entities(Json&& exported) {
  for (Json& entity : exported) {
    for (const std::string_view key : kExportOnly) { entity.erase(std::string(key)); }
  }
  return lower_keys(std::move(exported));
}

// The AAD identifier has no mapping in the SDKs, which warn about it.
Json resource_identifiers(Json&& exported) {
  Json list = Json::array();
  for (Json& identifier : exported) {
    if (identifier.at("Type") != "AAD") { list.push_back(lower_keys(std::move(identifier))); }
  }
  return list;
}

}  // namespace

Json arm_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  Json document = alert_document(alert, rendering, standing);
  Json properties;
  properties["version"] = "2022-01-01.0";
  const auto take = [&document](std::string_view key) { return std::move(document.at(std::string(key))); };
  for (const std::string_view key : {"AlertType", "SystemAlertId", "ProductComponentName", "AlertDisplayName",
                                     "Description", "Severity", "Intent", "StartTimeUtc", "EndTimeUtc"}) {
    properties[camel_case(std::string(key))] = take(key);
  }
  properties["resourceIdentifiers"] = resource_identifiers(take("ResourceIdentifiers"));
  properties["remediationSteps"] = take("RemediationSteps");
  properties["vendorName"] = take("VendorName");
  properties["status"] = take("Status");
  properties["extendedLinks"] = Json::array();
  properties["alertUri"] = take("AlertUri");
  properties["timeGeneratedUtc"] = take("TimeGenerated");
  properties["productName"] = take("ProductName");
  if (standing.processed) { properties["processingEndTimeUtc"] = take("ProcessingEndTime"); }
  properties["entities"] = entities(take("Entities"));
  properties["isIncident"] = take("IsIncident");
  properties["extendedProperties"] = lower_keys(take("ExtendedProperties"));
  properties["compromisedEntity"] = take("CompromisedEntity");
  properties["techniques"] = take("Techniques");
  properties["subTechniques"] = take("SubTechniques");
  properties["supportingEvidence"] = lower_keys(take("SupportingEvidence"));
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
