#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "alert/sample_alerts.h"
#include "api/arm_rows.h"
#include "api/open_alerts.h"
#include "base/percent_coding.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 5> kVersions = {"2019-01-01", "2020-01-01", "2021-01-01", "2021-11-01",
                                                       "2022-01-01"};
// From this one on, simulate is a long-running operation: its clients take nothing but 202, those before nothing but
// 204.
constexpr std::string_view kLongRunningSince = "2022-01-01";
constexpr std::size_t kPageSize = 100;
constexpr std::string_view kSkipToken = "$skiptoken";

std::string subscription_of(const HttpRequest& request) {
  return lower_case(request.parameter("subscription"));
}

const std::string& location_of(const ArmRoutes& needs, const HttpRequest& request) {
  return needs.rendering.of(subscription_of(request)).location;
}

bool is_at_home(const ArmRoutes& needs, const HttpRequest& request) {
  const std::string_view asked = request.parameter("location");
  return asked.empty() || equal_without_case(asked, location_of(needs, request));
}

HttpResponse list(const ArmRoutes& needs, const HttpRequest& request) {
  Json body;
  body["value"] = Json::array();
  if (!is_at_home(needs, request)) { return json_answer(200, body); }
  AlertFilter filter;
  filter.subscriptions = {subscription_of(request)};
  filter.resource_group = lower_case(request.parameter("group"));
  filter.limit = kPageSize;
  filter.after = request.query_value(kSkipToken).value_or("");
  auto page = needs.store.alerts(filter);
  if (!page) { return store_failure(page.error(), needs.report); }
  if (needs.live != nullptr) { bring_up_to_date(page->alerts, *needs.live); }
  for (const StoredAlert& stored : page->alerts) {
    body["value"].push_back(arm_json(stored.alert, needs.rendering, stored.standing()));
  }
  if (!page->next.empty()) {
    const std::string version(request.query_value("api-version").value_or(""));
    body["nextLink"] = same_path(request, {{"api-version", version}, {std::string(kSkipToken), page->next}});
  }
  return json_answer(200, body);
}

HttpResponse unknown_alert(const ArmRoutes& needs, const HttpRequest& request) {
  const std::string_view name = request.parameter("alert");
  if (is_at_home(needs, request)) {
    return arm_error(404, "ResourceNotFound", fmt::format("The alert '{}' was not found.", name));
  }
  return arm_error(404, "ResourceNotFound",
                   fmt::format("The alert '{}' was not found in the location '{}'; alerts of this subscription are in "
                               "'{}'.",
                               name, request.parameter("location"), location_of(needs, request)));
}

// The alert that the path names, nothing where there is none under that path.
Result<std::optional<StoredAlert>> find(const ArmRoutes& needs, const HttpRequest& request) {
  const std::string name = lower_case(request.parameter("alert"));
  if (!is_at_home(needs, request)) { return std::nullopt; }
  auto found = needs.store.alert(name.substr(name.find('_') + 1));
  if (!found || !*found) { return found; }
  const Alert& alert = (*found)->alert;
  const std::string_view group = request.parameter("group");
  const bool named = equal_without_case(alert_name(alert), name) &&
                     equal_without_case(alert.subscription_id, request.parameter("subscription")) &&
                     (group.empty() || equal_without_case(group, alert.resource_group));
  if (!named) { return std::nullopt; }
  return found;
}

HttpResponse get(const ArmRoutes& needs, const HttpRequest& request) {
  auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(needs, request); }
  if (needs.live != nullptr) { bring_up_to_date({&**found, 1}, *needs.live); }
  return json_answer(200, arm_json((*found)->alert, needs.rendering, (*found)->standing()));
}

template <AlertStatus status>
HttpResponse set_status(const ArmRoutes& needs, const HttpRequest& request) {
  constexpr std::array<std::string_view, 4> kActions = {"alert.activate", "alert.inProgress", "alert.resolve",
                                                        "alert.dismiss"};
  const auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(needs, request); }
  const Alert& alert = (*found)->alert;
  const auto set = needs.store.set_status(
      alert.id, status,
      audit_line(request, kActions[static_cast<std::size_t>(status)], alert_resource_id(alert, needs.rendering)));
  if (!set) { return store_failure(set.error(), needs.report); }
  return *set ? no_content() : unknown_alert(needs, request);
}

// Why the body cannot be simulated; empty: it can.
std::string refuse_simulation(const Json& body) {
  const Json properties = body.value("properties", Json::object());
  if (!properties.is_object() || !properties.contains("kind") || !properties.at("kind").is_string() ||
      !equal_without_case(properties.at("kind").get<std::string>(), "Bundles")) {
    return "Expected properties.kind to be 'Bundles'.";
  }
  const Json bundles = properties.value("bundles", Json::array());
  const auto is_ours = [](const Json& bundle) {
    return bundle.is_string() && equal_without_case(bundle.get<std::string>(), "KeyVaults");
  };
  if (!bundles.is_array() || std::none_of(bundles.begin(), bundles.end(), is_ours)) {
    return "Expected 'KeyVaults' among properties.bundles: this service simulates alerts about key vaults only.";
  }
  return {};
}

HttpResponse long_running(const HttpRequest& request, const std::string& location, const std::string& operation) {
  HttpResponse response;
  response.status = 202;
  response.headers = {
      {"Location",
       fmt::format("{}/subscriptions/{}/providers/Microsoft.Security/locations/{}/operationResults/"
                   "{}?api-version={}",
                   request.host, subscription_of(request), percent_encoded(location), operation, kLongRunningSince)},
      {"Retry-After", "1"}};
  return response;
}

HttpResponse unknown_location(const ArmRoutes& needs, const HttpRequest& request) {
  return arm_error(404, "LocationNotFound",
                   fmt::format("Alerts of this subscription are in the location '{}', not in '{}'.",
                               location_of(needs, request), request.parameter("location")));
}

HttpResponse simulate(const ArmRoutes& needs, const HttpRequest& request) {
  if (!is_at_home(needs, request)) { return unknown_location(needs, request); }
  const auto body = object_in_body(request);
  const std::string refusal = body ? refuse_simulation(*body) : body.error().message;
  if (!refusal.empty()) { return arm_error(400, "InvalidRequestContent", refusal); }
  const std::vector<Alert> alerts = sample_alerts(subscription_of(request), request.now);
  const auto added = needs.store.add_simulated(
      alerts, needs.sample_outputs(),
      audit_line(request, "alert.simulate", fmt::format("/subscriptions/{}", subscription_of(request))));
  if (!added) { return store_failure(added.error(), needs.report); }
  const bool waits = request.query_value("api-version").value_or("") >= kLongRunningSince;
  return waits ? long_running(request, location_of(needs, request), alerts.front().id) : no_content();
}

// The operation is done when its 202 is sent; it is named by the first alert that it made.
HttpResponse operation_result(const ArmRoutes& needs, const HttpRequest& request) {
  const auto found = needs.store.alert(lower_case(request.parameter("operation")));
  if (!found) { return store_failure(found.error(), needs.report); }
  const bool known = *found && (*found)->simulated &&
                     equal_without_case((*found)->alert.subscription_id, request.parameter("subscription"));
  if (!known || !is_at_home(needs, request)) {
    return arm_error(404, "OperationNotFound",
                     fmt::format("The operation '{}' was not found.", request.parameter("operation")));
  }
  return no_content();
}

// Clients that follow an operation by its status ask the route itself for the final answer.
HttpResponse simulated(const ArmRoutes& needs, const HttpRequest& request) {
  return is_at_home(needs, request) ? json_answer(200, Json::object()) : unknown_location(needs, request);
}

constexpr ArmScope kEither = ArmScope::kSubscriptionOrGroup;
constexpr ArmScope kWhole = ArmScope::kSubscription;
constexpr std::array<ArmRow, 10> kRows = {{
    {"GET", kEither, "alerts", Role::kReader, kVersions, list},
    {"GET", kEither, "locations/{location}/alerts", Role::kReader, kVersions, list},
    {"GET", kEither, "locations/{location}/alerts/{alert}", Role::kReader, kVersions, get},
    {"POST", kEither, "locations/{location}/alerts/{alert}/dismiss", Role::kOperator, kVersions,
     set_status<AlertStatus::kDismissed>},
    {"POST", kEither, "locations/{location}/alerts/{alert}/resolve", Role::kOperator, kVersions,
     set_status<AlertStatus::kResolved>},
    {"POST", kEither, "locations/{location}/alerts/{alert}/activate", Role::kOperator, kVersions,
     set_status<AlertStatus::kActive>},
    {"POST", kEither, "locations/{location}/alerts/{alert}/inProgress", Role::kOperator, kVersions,
     set_status<AlertStatus::kInProgress>},
    {"POST", kWhole, "locations/{location}/alerts/default/simulate", Role::kOperator, kVersions, simulate},
    {"GET", kWhole, "locations/{location}/alerts/default/simulate", Role::kReader, kVersions, simulated},
    {"GET", kWhole, "locations/{location}/operationResults/{operation}", Role::kReader, kVersions, operation_result},
}};

}  // namespace

std::span<const ArmRow> arm_alert_rows() {
  return kRows;
}

}  // namespace keyvigil
