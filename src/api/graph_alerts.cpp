#include "api/graph_alerts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "api/arm_rows.h"
#include "api/graph_filter.h"
#include "api/open_alerts.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::size_t kAddressLimit = 8;
constexpr std::int64_t kSkipLimit = 10'000;

using GraphHandler = HttpResponse (*)(const GraphRoutes& needs, const HttpRequest& request);

std::string_view graph_status(AlertStatus status) {
  constexpr std::array<std::string_view, 4> kNames = {"new", "inProgress", "resolved", "resolved"};
  return kNames[static_cast<std::size_t>(status)];
}

Json evidence_json(const StoredAlert& stored, std::string_view kind) {
  Json json;
  json["@odata.type"] = fmt::format("#microsoft.graph.security.{}Evidence", kind);
  json["createdDateTime"] = to_iso_milliseconds(stored.alert.generated);
  json["verdict"] = "suspicious";
  json["remediationStatus"] = "none";
  json["roles"] = Json::array();
  json["tags"] = Json::array();
  return json;
}

void add_caller(Json& list, const StoredAlert& stored) {
  const Alert& alert = stored.alert;
  if (alert.caller.kind == CallerKind::kAnonymous) { return; }
  if (alert.caller.kind == CallerKind::kUser) {
    Json user = evidence_json(stored, "user");
    user["userAccount"] = {{"accountName", alert.caller.user_name.substr(0, alert.caller.user_name.rfind('@'))},
                           {"azureAdUserId", alert.caller.object_id},
                           {"userPrincipalName", alert.caller.user_name}};
    list.push_back(std::move(user));
    return;
  }
  Json app = evidence_json(stored, "servicePrincipal");
  app["appId"] = alert.caller.app_id;
  app["servicePrincipalObjectId"] = alert.caller.object_id;
  app["servicePrincipalType"] = alert.caller.kind == CallerKind::kManagedIdentity ? "managedIdentity" : "application";
  list.push_back(std::move(app));
}

Json evidence(const StoredAlert& stored) {
  Json list = Json::array();
  Json vault = evidence_json(stored, "azureResource");
  vault["resourceId"] = stored.alert.vault_id;
  vault["resourceName"] = stored.alert.vault_name;
  vault["resourceType"] = "Microsoft.KeyVault/vaults";
  list.push_back(std::move(vault));
  add_caller(list, stored);
  const auto& addresses = stored.alert.addresses.items;
  for (std::size_t i = 0; i < std::min(kAddressLimit, addresses.size()); ++i) {
    Json address = evidence_json(stored, "ip");
    address["ipAddress"] = addresses[i];
    list.push_back(std::move(address));
  }
  return list;
}

Json techniques(const Json& arm_properties) {
  Json ids = arm_properties.at("techniques");
  for (const Json& id : arm_properties.at("subTechniques")) { ids.push_back(id); }
  return ids;
}

Json graph_json(const StoredAlert& stored, const AlertRendering& rendering) {
  const Alert& alert = stored.alert;
  const Json arm = arm_json(alert, rendering, stored.standing());
  const Json& properties = arm.at("properties");
  const std::string& tenant = rendering.of(alert.subscription_id).tenant_id;
  const std::string intent = properties.at("intent").get<std::string>();
  const bool dismissed = stored.status == AlertStatus::kDismissed;
  Json json;
  json["id"] = alert.id;
  json["providerAlertId"] = arm.at("name");
  json["status"] = graph_status(stored.status);
  json["severity"] = lower_case(to_string(severity_of(alert)));
  json["classification"] = dismissed ? "falsePositive" : "unknown";
  json["determination"] = "unknown";
  json["serviceSource"] = "microsoftDefenderForCloud";
  json["detectionSource"] = "microsoftDefenderForKeyVault";
  json["productName"] = properties.at("productName");
  json["detectorId"] = properties.at("alertType");
  if (!tenant.empty()) { json["tenantId"] = tenant; }
  json["title"] = properties.at("alertDisplayName");
  json["description"] = properties.at("description");
  json["recommendedActions"] =
      fmt::format("{}", fmt::join(properties.at("remediationSteps").get<std::vector<std::string>>(), "\n"));
  json["category"] = intent.substr(0, intent.find(','));
  json["alertWebUrl"] = properties.at("alertUri");
  json["mitreTechniques"] = techniques(properties);
  json["createdDateTime"] = to_iso_milliseconds(alert.generated);
  json["lastUpdateDateTime"] = to_iso_milliseconds(stored.processed);
  json["firstActivityDateTime"] = to_iso_milliseconds(alert.first_event);
  json["lastActivityDateTime"] = to_iso_milliseconds(alert.last_event);
  json["comments"] = Json::array();
  json["systemTags"] = Json::array();
  json["evidence"] = evidence(stored);
  return json;
}

// Leaves out the newest `skip` alerts: the page after them begins at the filter's `after`. false: there are no more.
Result<bool> skip_alerts(const Store& store, AlertFilter& filter, std::size_t skip) {
  const std::size_t page_size = filter.limit;
  while (skip > 0) {
    filter.limit = std::min<std::size_t>(skip, 1000);
    const auto page = store.alerts(filter);
    if (!page) { return tl::unexpected(page.error()); }
    if (page->next.empty()) { return false; }
    filter.after = page->next;
    skip -= filter.limit;
  }
  filter.limit = page_size;
  return true;
}

HttpResponse list(const GraphRoutes& needs, const HttpRequest& request) {
  GraphFilter filter;
  filter.alerts.subscriptions = request.principal.subscriptions;
  const auto narrowed = narrow_by_graph(request.query_value("$filter").value_or(""), filter);
  const auto top = number_in_query(request, "$top", 1, 1000, 100);
  const auto skip = number_in_query(request, "$skip", 0, kSkipLimit, 0);
  for (const Error* error :
       {narrowed ? nullptr : &narrowed.error(), top ? nullptr : &top.error(), skip ? nullptr : &skip.error()}) {
    if (error != nullptr) { return bad_request(*error); }
  }
  filter.alerts.limit = static_cast<std::size_t>(*top);
  filter.alerts.after = request.query_value("$skiptoken").value_or("");
  Json body;
  body["@odata.context"] = request.host + "/v1.0/$metadata#security/alerts_v2";
  body["value"] = Json::array();
  if (filter.nothing) { return json_answer(200, body); }
  const auto more = skip_alerts(needs.store, filter.alerts, static_cast<std::size_t>(*skip));
  if (!more) { return store_failure(more.error(), needs.report); }
  if (!*more) { return json_answer(200, body); }
  auto page = needs.store.alerts(filter.alerts);
  if (!page) { return store_failure(page.error(), needs.report); }
  if (needs.live != nullptr) { bring_up_to_date(page->alerts, *needs.live); }
  for (const StoredAlert& stored : page->alerts) { body["value"].push_back(graph_json(stored, needs.rendering)); }
  if (!page->next.empty()) {
    HttpFields query = request.query;
    std::erase_if(query, [](const auto& field) { return field.first == "$skip" || field.first == "$skiptoken"; });
    query.emplace_back("$skiptoken", page->next);
    body["@odata.nextLink"] = same_path(request, query);
  }
  return json_answer(200, body);
}

Result<std::optional<StoredAlert>> find(const GraphRoutes& needs, const HttpRequest& request) {
  auto found = needs.store.alert(lower_case(request.parameter("alert")));
  if (!found || !*found) { return found; }
  if (!request.principal.sees(lower_case((*found)->alert.subscription_id))) { return std::nullopt; }
  return found;
}

HttpResponse unknown_alert(const HttpRequest& request) {
  return not_found(fmt::format("The alert '{}'", request.parameter("alert")));
}

HttpResponse get(const GraphRoutes& needs, const HttpRequest& request) {
  auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(request); }
  if (needs.live != nullptr) { bring_up_to_date({&**found, 1}, *needs.live); }
  return json_answer(200, graph_json(**found, needs.rendering));
}

Result<AlertStatus> status_in(const Json& body) {
  for (const auto& [key, value] : body.items()) {
    if (key != "status" && key != "classification") {
      return fail(ErrorKind::kInput, fmt::format("'{}' is not kept here: expected status, and classification.", key));
    }
    if (!value.is_string()) { return fail(ErrorKind::kInput, fmt::format("{}: expected a text.", key)); }
  }
  const std::string status = body.value("status", "");
  const std::string classification = body.value("classification", "unknown");
  const bool false_positive = equal_without_case(classification, "falsePositive");
  if (!false_positive && !equal_without_case(classification, "unknown")) {
    return fail(ErrorKind::kInput, "classification: expected unknown or falsePositive; others are not kept here.");
  }
  if (equal_without_case(status, "resolved")) {
    return false_positive ? AlertStatus::kDismissed : AlertStatus::kResolved;
  }
  if (!false_positive && equal_without_case(status, "new")) { return AlertStatus::kActive; }
  if (!false_positive && equal_without_case(status, "inProgress")) { return AlertStatus::kInProgress; }
  return fail(ErrorKind::kInput,
              "status: expected new, inProgress or resolved; with classification falsePositive, resolved.");
}

HttpResponse patch(const GraphRoutes& needs, const HttpRequest& request) {
  constexpr std::array<std::string_view, 4> kActions = {"alert.activate", "alert.inProgress", "alert.resolve",
                                                        "alert.dismiss"};
  const auto body = object_in_body(request);
  if (!body) { return bad_request(body.error()); }
  const auto status = status_in(*body);
  if (!status) { return bad_request(status.error()); }
  const auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(request); }
  const Alert& alert = (*found)->alert;
  const auto set = needs.store.set_status(
      alert.id, *status,
      audit_line(request, kActions[static_cast<std::size_t>(*status)], alert_resource_id(alert, needs.rendering)));
  if (!set) { return store_failure(set.error(), needs.report); }
  return get(needs, request);
}

}  // namespace

void add_graph_routes(Router& router, const GraphRoutes& needs) {
  const auto add = [&](std::string_view method, std::string_view path, Role role, GraphHandler handler) {
    router.add(method, path, role, [needs, handler](const HttpRequest& request) { return handler(needs, request); });
  };
  add("GET", "/v1.0/security/alerts_v2", Role::kReader, list);
  add("GET", "/v1.0/security/alerts_v2/{alert}", Role::kReader, get);
  add("PATCH", "/v1.0/security/alerts_v2/{alert}", Role::kOperator, patch);
}

}  // namespace keyvigil
