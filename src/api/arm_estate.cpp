#include <array>
#include <set>

#include <fmt/format.h>

#include "api/arm_rows.h"
#include "api/known_subscriptions.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 1> kLocationVersions = {"2015-06-01-preview"};
constexpr std::array<std::string_view, 10> kSubscriptionVersions = {
    "2016-06-01", "2018-06-01", "2019-03-01", "2019-05-01", "2019-06-01",
    "2019-10-01", "2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01"};
constexpr std::array<std::string_view, 4> kPricingVersions = {"2018-06-01", "2022-03-01", "2023-01-01", "2024-01-01"};
constexpr std::array<std::string_view, 4> kSettingVersions = {"2019-01-01", "2021-06-01", "2021-07-01", "2022-05-01"};
constexpr std::string_view kNoTenant = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view kPlan = "KeyVaults";

std::string subscription_of(const HttpRequest& request) {
  return lower_case(request.parameter("subscription"));
}

Json list_of(Json items) {
  Json body;
  body["value"] = std::move(items);
  return body;
}

Json location_json(const ArmRoutes& needs, const std::string& subscription_id) {
  const std::string& location = needs.rendering.of(subscription_id).location;
  Json object;
  object["id"] = fmt::format("/subscriptions/{}/providers/Microsoft.Security/locations/{}", subscription_id, location);
  object["name"] = location;
  object["type"] = "Microsoft.Security/locations";
  object["properties"]["homeRegionName"] = location;
  return object;
}

HttpResponse locations(const ArmRoutes& needs, const HttpRequest& request) {
  return json_answer(200, list_of(Json::array({location_json(needs, subscription_of(request))})));
}

HttpResponse location(const ArmRoutes& needs, const HttpRequest& request) {
  const Json found = location_json(needs, subscription_of(request));
  if (equal_without_case(found.at("name").get<std::string>(), request.parameter("location"))) {
    return json_answer(200, found);
  }
  return arm_error(404, "LocationNotFound",
                   fmt::format("Alerts of this subscription are in the location '{}', not in '{}'.",
                               found.at("name").get<std::string>(), request.parameter("location")));
}

std::string tenant_of(const ArmRoutes& needs, const std::string& subscription_id) {
  const std::string& tenant = needs.rendering.of(subscription_id).tenant_id;
  return tenant.empty() ? std::string(kNoTenant) : tenant;
}

Json subscription_json(const ArmRoutes& needs, const std::string& id) {
  Json object;
  object["id"] = "/subscriptions/" + id;
  object["subscriptionId"] = id;
  object["tenantId"] = tenant_of(needs, id);
  object["displayName"] = id;
  object["state"] = "Enabled";
  return object;
}

HttpResponse subscriptions(const ArmRoutes& needs, const HttpRequest& request) {
  const auto known = known_subscriptions(needs.rendering, needs.store, request.principal);
  if (!known) { return store_failure(known.error(), needs.report); }
  Json items = Json::array();
  for (const std::string& id : *known) { items.push_back(subscription_json(needs, id)); }
  return json_answer(200, list_of(std::move(items)));
}

HttpResponse subscription(const ArmRoutes& needs, const HttpRequest& request) {
  const std::string id = subscription_of(request);
  const auto known = known_subscriptions(needs.rendering, needs.store, request.principal);
  if (!known) { return store_failure(known.error(), needs.report); }
  return known->contains(id) ? json_answer(200, subscription_json(needs, id)) : unknown_subscription(id);
}

HttpResponse tenants(const ArmRoutes& needs, const HttpRequest& request) {
  const auto known = known_subscriptions(needs.rendering, needs.store, request.principal);
  if (!known) { return store_failure(known.error(), needs.report); }
  std::set<std::string> ids;
  for (const std::string& id : *known) { ids.insert(tenant_of(needs, id)); }
  Json items = Json::array();
  for (const std::string& id : ids) { items.push_back({{"id", "/tenants/" + id}, {"tenantId", id}}); }
  return json_answer(200, list_of(std::move(items)));
}

// The one plan that this service is.
Json plan_json(const std::string& subscription_id) {
  Json object;
  object["id"] = fmt::format("/subscriptions/{}/providers/Microsoft.Security/pricings/{}", subscription_id, kPlan);
  object["name"] = kPlan;
  object["type"] = "Microsoft.Security/pricings";
  object["properties"] = {{"pricingTier", "Standard"}, {"freeTrialRemainingTime", "PT0S"}, {"deprecated", false}};
  return object;
}

HttpResponse unknown_plan(const HttpRequest& request) {
  return arm_error(
      404, "ResourceNotFound",
      fmt::format("The plan '{}' was not found; this service is the plan '{}'.", request.parameter("plan"), kPlan));
}

HttpResponse plans(const ArmRoutes&, const HttpRequest& request) {
  return json_answer(200, list_of(Json::array({plan_json(subscription_of(request))})));
}

HttpResponse plan(const ArmRoutes&, const HttpRequest& request) {
  if (!equal_without_case(request.parameter("plan"), kPlan)) { return unknown_plan(request); }
  return json_answer(200, plan_json(subscription_of(request)));
}

// Can be set to what it is.
HttpResponse put_plan(const ArmRoutes& needs, const HttpRequest& request) {
  if (!equal_without_case(request.parameter("plan"), kPlan)) { return unknown_plan(request); }
  const auto body = object_in_body(request);
  if (!body) { return arm_error(400, "InvalidRequestContent", body.error().message); }
  const Json properties = body->value("properties", Json::object());
  const Json tier = properties.is_object() ? properties.value("pricingTier", Json()) : Json();
  if (!tier.is_string() || !equal_without_case(tier.get<std::string>(), "Standard")) {
    return arm_error(400, "InvalidRequestContent",
                     "properties.pricingTier: expected 'Standard'; to switch the service off, stop its inputs.");
  }
  const Json answer = plan_json(subscription_of(request));
  const auto audited = needs.store.audit(audit_line(request, "plan.put", answer.at("id").get<std::string>()));
  if (!audited) { return store_failure(audited.error(), needs.report); }
  return json_answer(200, answer);
}

struct SettingRow {
  std::string_view name;
  std::string_view kind;
};

// Connections to other products of Microsoft; this service has none of them.
constexpr std::array<SettingRow, 3> kSettings = {
    {{"MCAS", "DataExportSettings"}, {"WDATP", "DataExportSettings"}, {"Sentinel", "AlertSyncSettings"}}};

Json setting_json(const std::string& subscription_id, const SettingRow& row) {
  Json object;
  object["id"] = fmt::format("/subscriptions/{}/providers/Microsoft.Security/settings/{}", subscription_id, row.name);
  object["name"] = row.name;
  object["type"] = "Microsoft.Security/settings";
  object["kind"] = row.kind;
  object["properties"]["enabled"] = false;
  return object;
}

HttpResponse settings(const ArmRoutes&, const HttpRequest& request) {
  Json items = Json::array();
  for (const SettingRow& row : kSettings) { items.push_back(setting_json(subscription_of(request), row)); }
  return json_answer(200, list_of(std::move(items)));
}

HttpResponse setting(const ArmRoutes&, const HttpRequest& request) {
  for (const SettingRow& row : kSettings) {
    if (equal_without_case(row.name, request.parameter("setting"))) {
      return json_answer(200, setting_json(subscription_of(request), row));
    }
  }
  return arm_error(404, "ResourceNotFound",
                   fmt::format("The setting '{}' was not found.", request.parameter("setting")));
}

constexpr ArmScope kScope = ArmScope::kSubscription;
constexpr std::array<ArmRow, 10> kRows = {{
    {"GET", ArmScope::kTenant, "/subscriptions", Role::kReader, kSubscriptionVersions, subscriptions},
    {"GET", ArmScope::kTenant, "/subscriptions/{subscription}", Role::kReader, kSubscriptionVersions, subscription},
    {"GET", ArmScope::kTenant, "/tenants", Role::kReader, kSubscriptionVersions, tenants},
    {"GET", kScope, "locations", Role::kReader, kLocationVersions, locations},
    {"GET", kScope, "locations/{location}", Role::kReader, kLocationVersions, location},
    {"GET", kScope, "pricings", Role::kReader, kPricingVersions, plans},
    {"GET", kScope, "pricings/{plan}", Role::kReader, kPricingVersions, plan},
    {"PUT", kScope, "pricings/{plan}", Role::kOperator, kPricingVersions, put_plan},
    {"GET", kScope, "settings", Role::kReader, kSettingVersions, settings},
    {"GET", kScope, "settings/{setting}", Role::kReader, kSettingVersions, setting},
}};

}  // namespace

std::span<const ArmRow> arm_estate_rows() {
  return kRows;
}

}  // namespace keyvigil
