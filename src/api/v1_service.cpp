#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "api/known_subscriptions.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 0> kNoQuery = {};
constexpr std::array<std::string_view, 1> kDaysQuery = {"days"};
constexpr std::array<std::string_view, 2> kReadinessQuery = {"vault", "limit"};
constexpr std::array<std::string_view, 1> kLimitQuery = {"limit"};
constexpr std::array<Severity, 4> kSeverities = {Severity::kInformational, Severity::kLow, Severity::kMedium,
                                                 Severity::kHigh};
constexpr std::array<AlertStatus, 4> kStatuses = {AlertStatus::kActive, AlertStatus::kInProgress,
                                                  AlertStatus::kResolved, AlertStatus::kDismissed};
constexpr std::size_t kNewest = 5;
constexpr std::size_t kVaultLimit = 100'000;

void put_time(Json& json, const char* key, const std::optional<EventTime>& time) {
  if (time) { json[key] = to_iso_milliseconds(*time); }
}

Result<std::uint64_t> count(const V1Routes& needs, const AlertFilter& filter) {
  const auto by_type = needs.store.count_by_type(filter);
  if (!by_type) { return tl::unexpected(by_type.error()); }
  std::uint64_t total = 0;
  for (const auto& [type, alerts] : *by_type) { total += alerts; }
  return total;
}

Result<Json> alert_counts(const V1Routes& needs, const AlertFilter& filter) {
  Json counts;
  const auto by_type = needs.store.count_by_type(filter);
  if (!by_type) { return tl::unexpected(by_type.error()); }
  std::uint64_t total = 0;
  counts["byType"] = Json::object();
  for (const auto& [type, alerts] : *by_type) {
    counts["byType"][std::string(catalogue_row(type).code)] = alerts;
    total += alerts;
  }
  counts["total"] = total;
  for (const Severity severity : kSeverities) {
    AlertFilter one = filter;
    one.severities = {severity};
    const auto alerts = count(needs, one);
    if (!alerts) { return tl::unexpected(alerts.error()); }
    counts["bySeverity"][std::string(to_string(severity))] = *alerts;
  }
  for (const AlertStatus status : kStatuses) {
    AlertFilter one = filter;
    one.statuses = {status};
    const auto alerts = count(needs, one);
    if (!alerts) { return tl::unexpected(alerts.error()); }
    counts["byStatus"][std::string(to_string(status))] = *alerts;
  }
  return counts;
}

Json bounds_json(const std::vector<BoundMet>& bounds) {
  Json json = Json::array();
  for (const BoundMet& bound : bounds) {
    if (bound.count > 0) { json.push_back({{"name", bound.name}, {"count", bound.count}, {"text", bound.what}}); }
  }
  return json;
}

Json service_json(const LiveFigures& figures) {
  Json json;
  json["eventsDecided"] = figures.events_decided;
  json["duplicates"] = figures.duplicates;
  json["decidedBefore"] = figures.decided_before;
  json["tooOld"] = figures.too_old;
  put_time(json, "decidedKnownFromUtc", figures.decided_known_from);
  json["late"] = figures.late;
  json["futureRefused"] = figures.future_refused;
  json["held"] = figures.held;
  json["evictedCallers"] = figures.evicted_callers;
  json["evictedVaults"] = figures.evicted_vaults;
  json["evictedEdges"] = figures.evicted_edges;
  json["forgottenObjects"] = figures.forgotten_objects;
  json["bounds"] = bounds_json(figures.bounds);
  json["silentVaults"] = figures.silent_vaults_total;
  put_time(json, "decidedToUtc", figures.decided_to);
  put_time(json, "learnedAtUtc", figures.learned_at);
  json["journalWaiting"] = figures.journal_waiting;
  json["checkpoints"] = figures.checkpoints;
  json["checkpointSeconds"] = figures.checkpoint_seconds;
  json["listVersion"] = figures.list_version;
  json["problems"] = Json::array();
  for (const ServiceProblem& problem : figures.problems) {
    json["problems"].push_back({{"kind", problem.kind}, {"about", problem.about}, {"text", problem.text}});
  }
  return json;
}

HttpResponse overview(const V1Routes& needs, const HttpRequest& request) {
  const auto days = number_in_query(request, "days", 1, 3650, 7);
  if (!days) { return bad_request(days.error()); }
  AlertFilter filter;
  filter.subscriptions = request.principal.subscriptions;
  filter.from = EventTime{request.now.ticks - *days * EventTime::kTicksPerDay};
  filter.simulated = false;
  filter.limit = kNewest;
  auto counts = alert_counts(needs, filter);
  if (!counts) { return store_failure(counts.error(), needs.report); }
  const auto newest = needs.store.alerts(filter);
  if (!newest) { return store_failure(newest.error(), needs.report); }
  Json body;
  body["fromUtc"] = to_iso_milliseconds(*filter.from);
  body["untilUtc"] = to_iso_milliseconds(request.now);
  body["alerts"] = std::move(*counts);
  body["newest"] = Json::array();
  for (const StoredAlert& stored : newest->alerts) { body["newest"].push_back(alert_summary(stored, needs.rendering)); }
  if (!request.principal.subscriptions && needs.live.figures) {
    const auto figures = needs.live.figures();
    if (!figures) { return store_failure(figures.error(), needs.report); }
    body["service"] = service_json(*figures);
  }
  return json_answer(200, body);
}

Json vault_json(const VaultReadiness& vault) {
  Json json{{"vaultId", vault.vault_id}, {"detectors", Json::array()}};
  for (const VaultReadiness::Detector& detector : vault.detectors) {
    Json one{{"alertType", catalogue_row(detector.type).code}, {"ready", detector.ready}};
    if (!detector.because.empty()) { one["because"] = detector.because; }
    put_time(one, "untilUtc", detector.until);
    json["detectors"].push_back(std::move(one));
  }
  return json;
}

HttpResponse readiness(const V1Routes& needs, const HttpRequest& request) {
  const auto limit = number_in_query(request, "limit", 1, 10'000, 1000);
  if (!limit) { return bad_request(limit.error()); }
  const std::string asked = lower_case(request.query_value("vault").value_or(""));
  Json body;
  body["value"] = Json::array();
  body["complete"] = true;
  if (!needs.live.readiness) { return json_answer(200, body); }
  // The limit is of what is shown; what is not the principal's does not count.
  const auto vaults = needs.live.readiness(kVaultLimit);
  if (!vaults) { return store_failure(vaults.error(), needs.report); }
  for (const VaultReadiness& vault : *vaults) {
    const bool wanted = asked.empty() || lower_case(vault.vault_id) == asked;
    if (!wanted || !request.principal.sees(subscription_in(vault.vault_id))) { continue; }
    if (body["value"].size() == static_cast<std::size_t>(*limit)) {
      body["complete"] = false;
      break;
    }
    body["value"].push_back(vault_json(vault));
  }
  return json_answer(200, body);
}

Json input_json(const InputHealth& input) {
  Json json;
  json["name"] = input.name;
  json["records"] = input.records;
  json["refused"] = input.refused;
  json["refusedByCause"] = Json::object();
  for (const auto& [cause, records] : input.refused_by_cause) { json["refusedByCause"][cause] = records; }
  json["skipped"] = input.skipped;
  json["unreadableAddresses"] = input.unreadable_addresses;
  put_time(json, "newestEventUtc", input.newest_event);
  put_time(json, "lastReceivedUtc", input.last_received);
  json["idle"] = input.idle;
  json["removed"] = input.removed;
  json["failure"] = input.report.failure;
  json["itemsFailing"] = input.report.items_failing;
  json["itemsPassedOver"] = input.report.items_passed_over;
  json["itemsLeftOut"] = input.report.items_left_out;
  return json;
}

Json list_json(const ListHealth& list) {
  Json json;
  json["name"] = list.name;
  json["role"] = list.role;
  put_time(json, "confirmedUtc", list.confirmed);
  json["intervalMinutes"] = list.interval_minutes;
  json["failure"] = list.failure;
  return json;
}

Json list_json(const ListInForce& list) {
  return {{"name", list.name},
          {"role", list.role},
          {"entries", list.entries},
          {"refused", list.refused},
          {"losses", list.losses}};
}

// Inputs belong to no subscription: who is bound to some is shown none.
HttpResponse sources(const V1Routes& needs, const HttpRequest& request) {
  Json body;
  body["value"] = Json::array();
  body["lists"] = Json::array();
  body["listsInForce"] = Json::array();
  if (request.principal.subscriptions || !needs.live.figures) { return json_answer(200, body); }
  const auto figures = needs.live.figures();
  if (!figures) { return store_failure(figures.error(), needs.report); }
  for (const InputHealth& input : figures->inputs) { body["value"].push_back(input_json(input)); }
  for (const ListHealth& list : figures->lists) { body["lists"].push_back(list_json(list)); }
  for (const ListInForce& list : figures->lists_in_force) { body["listsInForce"].push_back(list_json(list)); }
  return json_answer(200, body);
}

// Who is bound to subscriptions sees the lines about their resources, and what it did itself elsewhere.
HttpResponse audit(const V1Routes& needs, const HttpRequest& request) {
  const auto limit = number_in_query(request, "limit", 1, 10'000, 100);
  if (!limit) { return bad_request(limit.error()); }
  const auto lines = needs.store.audit_lines(static_cast<std::size_t>(*limit));
  if (!lines) { return store_failure(lines.error(), needs.report); }
  Json body;
  body["value"] = Json::array();
  for (const AuditLine& line : *lines) {
    const std::string subscription = subscription_in(line.target);
    const bool own = subscription.empty() ? line.who == request.principal.name : request.principal.sees(subscription);
    if (request.principal.subscriptions && !own) { continue; }
    body["value"].push_back({{"at", to_iso_milliseconds(line.at)},
                             {"who", line.who},
                             {"from", line.from_address},
                             {"action", line.action},
                             {"target", line.target},
                             {"outcome", line.outcome}});
  }
  return json_answer(200, body);
}

HttpResponse types(const V1Routes&, const HttpRequest&) {
  Json body;
  body["value"] = Json::array();
  for (const CatalogueRow& row : catalogue()) {
    body["value"].push_back({{"alertType", row.code},
                             {"displayName", row.display_name},
                             {"severity", to_string(row.severity)},
                             {"intent", row.intent},
                             {"techniques", row.techniques},
                             {"description", row.description},
                             {"remediation", row.remediation},
                             {"learned", row.learned()}});
  }
  return json_answer(200, body);
}

constexpr std::array<V1Row, 5> kRows = {{
    {"GET", "overview", Role::kReader, kDaysQuery, overview},
    {"GET", "readiness", Role::kReader, kReadinessQuery, readiness},
    {"GET", "sources", Role::kReader, kNoQuery, sources},
    {"GET", "audit", Role::kOperator, kLimitQuery, audit},
    {"GET", "catalogue", Role::kReader, kNoQuery, types},
}};

}  // namespace

std::span<const V1Row> v1_service_rows() {
  return kRows;
}

}  // namespace keyvigil
