#include "api/v1_routes.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "alert/alert_words.h"
#include "api/openapi_document.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

std::optional<HttpResponse> refuse_query(const V1Row& row, const HttpRequest& request) {
  for (const auto& [name, value] : request.query) {
    if (std::find(row.query.begin(), row.query.end(), name) != row.query.end()) { continue; }
    const std::string known = row.query.empty() ? "none" : fmt::format("{}", fmt::join(row.query, ", "));
    return bad_request(
        {ErrorKind::kInput, fmt::format("The query parameter '{}' is not known here; known: {}.", name, known)});
  }
  return std::nullopt;
}

HttpResponse answer_row(const V1Row& row, const V1Routes& needs, const HttpRequest& request) {
  if (auto refusal = refuse_query(row, request)) { return std::move(*refusal); }
  return row.handler(needs, request);
}

HttpResponse document(const HttpRequest&) {
  HttpResponse response;
  response.headers = {{"Content-Type", "application/yaml; charset=utf-8"}};
  response.body = openapi_document();
  return response;
}

}  // namespace

HttpResponse bad_request(const Error& error) {
  return arm_error(400, "InvalidRequest", error.message);
}

HttpResponse not_found(std::string_view what) {
  return arm_error(404, "ResourceNotFound", fmt::format("{} was not found.", what));
}

Result<std::int64_t> number_in_query(const HttpRequest& request, std::string_view name, std::int64_t least,
                                     std::int64_t most, std::int64_t otherwise) {
  const auto text = request.query_value(name);
  if (!text) { return otherwise; }
  std::int64_t number = 0;
  const char* const last = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data(), last, number);
  if (error != std::errc() || end != last || number < least || number > most) {
    return fail(ErrorKind::kInput,
                fmt::format("{}: expected a whole number from {} to {}, found '{}'.", name, least, most, *text));
  }
  return number;
}

Result<std::optional<EventTime>> time_in_query(const HttpRequest& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) { return std::nullopt; }
  const auto time = parse_iso_time(*text);
  if (!time) {
    return fail(ErrorKind::kInput,
                fmt::format("{}: expected a time such as 2026-09-28T10:00:00Z, found '{}'.", name, *text));
  }
  return time;
}

Json alert_summary(const StoredAlert& stored, const AlertRendering& rendering) {
  const Alert& alert = stored.alert;
  Json json;
  json["id"] = alert.id;
  json["name"] = alert_name(alert);
  json["resourceId"] = alert_resource_id(alert, rendering);
  json["alertType"] = alert_code(alert, stored.standing());
  json["displayName"] = alert_title(alert, stored.standing());
  json["severity"] = to_string(severity_of(alert));
  json["confidence"] = to_string(confidence(alert));
  json["status"] = to_string(stored.status);
  json["startTimeUtc"] = to_iso_milliseconds(alert.start);
  json["endTimeUtc"] = to_iso_milliseconds(alert.last_suspicious);
  json["timeGeneratedUtc"] = to_iso_milliseconds(alert.generated);
  json["processedUtc"] = to_iso_milliseconds(stored.processed);
  json["subscriptionId"] = lower_case(alert.subscription_id);
  json["resourceGroup"] = alert.resource_group;
  json["vault"] = {{"id", alert.vault_id}, {"name", alert.vault_name}};
  json["caller"] = {
      {"kind", to_string(alert.caller.kind)}, {"key", alert.caller.key}, {"name", caller_in_words(alert)}};
  json["addresses"] = alert.addresses.items;
  json["whatWasRead"] = what_was_read(alert);
  json["revision"] = alert.revision;
  json["open"] = alert.open;
  json["learning"] = alert.learning;
  json["simulated"] = stored.simulated;
  json["backfilled"] = stored.backfilled;
  if (!stored.dismissed_by_rule.empty()) { json["dismissedByRule"] = stored.dismissed_by_rule; }
  return json;
}

void add_v1_routes(Router& router, const V1Routes& needs) {
  for (const auto rows : {v1_alert_rows(), v1_entity_rows(), v1_service_rows(), v1_output_rows()}) {
    for (const V1Row& row : rows) {
      router.add(row.method, fmt::format("/v1/{}", row.path), row.role,
                 [needs, &row](const HttpRequest& request) { return answer_row(row, needs, request); });
    }
  }
  router.add("GET", "/openapi.yaml", std::nullopt, document);
}

}  // namespace keyvigil
