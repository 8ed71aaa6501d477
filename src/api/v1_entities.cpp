#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/known_subscriptions.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 1> kEntityQuery = {"key"};
constexpr std::array<std::string_view, 7> kTimelineQuery = {"alert", "caller", "vault", "from",
                                                            "until", "limit",  "after"};
constexpr std::array<std::string_view, 4> kKinds = {"caller", "app", "vault", "address"};
constexpr std::size_t kAlertsOfEntity = 100;
constexpr std::array<const char*, 2> kVaultGroups = {"vaults", "refusedVaults"};  // of a profile

bool sees_resource(const Principal& principal, std::string_view resource_id) {
  return principal.sees(subscription_in(resource_id));
}

// What a bound principal may know of a caller: vaults of its own, and the rest only where all of them are.
void narrow(EntityProfile& profile, const Principal& principal) {
  bool sees_all = true;
  for (const char* group : kVaultGroups) {
    const auto found = profile.related.find(group);
    if (found == profile.related.end()) { continue; }
    EntityLinks& vaults = found->second;
    std::erase_if(vaults.links, [&](const EntityLink& vault) { return !sees_resource(principal, vault.key); });
    sees_all = sees_all && vaults.links.size() == vaults.total;
    vaults.total = vaults.links.size();
  }
  if (sees_all) { return; }
  std::erase_if(profile.related, [](const auto& group) {
    return std::ranges::find(kVaultGroups, group.first) == kVaultGroups.end() || group.second.links.empty();
  });
  profile.usual.clear();
  profile.days_seen = 0;
  profile.first_seen = {};
}

// Vaults of the principal's subscriptions are what makes a caller known to it.
bool has_vaults(const EntityProfile& profile) {
  return std::ranges::any_of(kVaultGroups, [&](const char* group) { return profile.related.contains(group); });
}

Json link_json(const EntityLink& link) {
  return {{"key", link.key},
          {"firstSeenUtc", to_iso_milliseconds(link.first_seen)},
          {"lastSeenUtc", to_iso_milliseconds(link.last_seen)},
          {"daysSeen", link.days_seen},
          {"confirmed", link.confirmed}};
}

Json profile_json(const EntityProfile& profile) {
  Json json;
  json["kind"] = profile.kind;
  if (profile.days_seen > 0) {
    json["firstSeenUtc"] = to_iso_milliseconds(profile.first_seen);
    json["daysSeen"] = profile.days_seen;
    json["usual"] = Json::object();
    for (const auto& [fact, number] : profile.usual) { json["usual"][fact] = number; }
  }
  json["related"] = Json::object();
  for (const auto& [group, related] : profile.related) {
    Json links = Json::array();
    for (const EntityLink& link : related.links) { links.push_back(link_json(link)); }
    json["related"][group] = {{"value", std::move(links)}, {"total", related.total}};
  }
  return json;
}

// Nothing where the principal may not know of the entity, or nobody knows it.
Result<std::optional<EntityProfile>> find_profile(const V1Routes& needs, const HttpRequest& request,
                                                  const std::string& kind, const std::string& key) {
  const bool bound = request.principal.subscriptions.has_value();
  if (!needs.live.entity || (bound && kind == "address")) { return std::nullopt; }
  if (kind == "vault" && !sees_resource(request.principal, key)) { return std::nullopt; }
  auto profile = needs.live.entity(kind, key);
  if (!profile || !*profile || !bound || kind == "vault") { return profile; }
  // Who uses an address or a client application says nothing of the vaults that they use it for.
  (*profile)->related.erase("callers");
  narrow(**profile, request.principal);
  if (!has_vaults(**profile)) { return std::nullopt; }
  return profile;
}

// The alerts about the entity. An address is looked for as a text, and then compared.
Result<StoredAlertPage> alerts_of(const V1Routes& needs, const HttpRequest& request, const std::string& kind,
                                  const std::string& key) {
  AlertFilter filter;
  filter.subscriptions = request.principal.subscriptions;
  filter.limit = kAlertsOfEntity;
  if (kind == "vault") { filter.vault_id = key; }
  if (kind == "caller") { filter.caller_key = key; }
  if (kind == "app" || kind == "address") { filter.text = key; }
  auto page = needs.store.alerts(filter);
  if (!page) { return page; }
  std::erase_if(page->alerts, [&](const StoredAlert& stored) {
    const Alert& alert = stored.alert;
    const auto& addresses = alert.addresses.items;
    if (kind == "app") { return alert.caller.app_id != key; }
    return kind == "address" && std::find(addresses.begin(), addresses.end(), key) == addresses.end();
  });
  return page;
}

// On how many days it did something in each hour of the day, and in how many hours on each day of the week; UTC.
Json hours_json(const ActiveHours& active) {
  std::array<std::uint64_t, 24> days_by_hour{};
  std::array<std::uint64_t, 7> hours_by_weekday{};
  constexpr std::int64_t kWeekdayOfDayZero = 3;  // 1970-01-01 is a Thursday; Monday is 0
  for (const std::int64_t hour : active.hours) {
    const std::int64_t hour_of_day = (hour % 24 + 24) % 24;
    const std::int64_t day = (hour - hour_of_day) / 24;
    ++days_by_hour[static_cast<std::size_t>(hour_of_day)];
    ++hours_by_weekday[static_cast<std::size_t>(((day + kWeekdayOfDayZero) % 7 + 7) % 7)];
  }
  return {{"fromUtc", to_iso_milliseconds(active.from)},
          {"untilUtc", to_iso_milliseconds(active.until)},
          {"daysByHour", days_by_hour},
          {"hoursByWeekday", hours_by_weekday}};
}

// Of kept events that the principal may know of: what judges keeps no hours. Only what has events by its key has some.
Result<std::optional<ActiveHours>> active_hours(const V1Routes& needs, const HttpRequest& request,
                                                const std::string& kind, const std::string& key) {
  EventQuery who;
  if (kind == "caller") { who.caller_key = key; }
  if (kind == "vault") { who.vault_id = key; }
  if (who.caller_key.empty() && who.vault_id.empty()) { return std::nullopt; }
  if (kind == "vault" && !sees_resource(request.principal, key)) { return std::nullopt; }
  return needs.store.active_hours(
      who, [&](const AccessEvent& event) { return sees_resource(request.principal, event.vault_id()); });
}

HttpResponse entity(const V1Routes& needs, const HttpRequest& request) {
  const std::string kind = lower_case(request.parameter("kind"));
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
    return not_found(fmt::format("The kind '{}' (known: {})", kind, fmt::join(kKinds, ", ")));
  }
  std::string key = lower_case(request.query_value("key").value_or(""));
  if (key.empty()) { return bad_request({ErrorKind::kInput, "key: expected the id of the entity."}); }
  if (kind == "address") {
    const auto address = parse_ip_address(key);
    if (!address) { return bad_request({ErrorKind::kInput, "key: expected an IP address."}); }
    key = to_string(*address);
  }
  const auto profile = find_profile(needs, request, kind, key);
  if (!profile) { return store_failure(profile.error(), needs.report); }
  const auto alerts = alerts_of(needs, request, kind, key);
  if (!alerts) { return store_failure(alerts.error(), needs.report); }
  if (!*profile && alerts->alerts.empty()) { return not_found(fmt::format("The {} '{}'", kind, key)); }
  Json body;
  body["kind"] = kind;
  body["key"] = key;
  if (*profile) { body["profile"] = profile_json(**profile); }
  const auto hours = active_hours(needs, request, kind, key);
  if (!hours) { return store_failure(hours.error(), needs.report); }
  if (*hours && !(*hours)->hours.empty()) { body["activeHours"] = hours_json(**hours); }
  body["alerts"] = Json::array();
  for (const StoredAlert& stored : alerts->alerts) { body["alerts"].push_back(alert_summary(stored, needs.rendering)); }
  body["alertsComplete"] = alerts->next.empty();
  return json_answer(200, body);
}

Json record_json(const RecordReference& record, const Alert& alert) {
  Json json;
  json["time"] = to_iso_milliseconds(record.time);
  json["operation"] = record.operation;
  json["outcome"] = to_string(record.outcome);
  if (record.http_status > 0) { json["httpStatus"] = record.http_status; }
  json["address"] = record.address;
  json["target"] = record.target;
  json["correlationId"] = record.correlation_id;
  json["vaultId"] = alert.vault_id;
  json["alertId"] = alert.id;
  json["suspicious"] = record.suspicious();
  return json;
}

Json event_json(const AccessEvent& event) {
  Json json;
  json["time"] = to_iso_milliseconds(event.time);
  json["operation"] = event.operation_name();
  json["outcome"] = to_string(event.outcome);
  if (event.http_status > 0) { json["httpStatus"] = event.http_status; }
  json["address"] = to_string(event.address);
  json["target"] = event.uri();
  json["correlationId"] = event.correlation_id();
  json["vaultId"] = event.vault_id();
  json["callerKey"] = event.caller_key();
  json["callerKind"] = to_string(event.caller_kind);
  json["appId"] = event.app_id();
  json["clientInfo"] = event.client_info();
  return json;
}

// The records that an alert names, newest first; none where the principal may not know of the alert.
HttpResponse timeline_of_alert(const V1Routes& needs, const HttpRequest& request, std::string_view id) {
  const auto found = needs.store.alert(lower_case(id));
  if (!found) { return store_failure(found.error(), needs.report); }
  Json body;
  body["value"] = Json::array();
  if (!*found || !request.principal.sees(lower_case((*found)->alert.subscription_id))) {
    return json_answer(200, body);
  }
  const Alert& alert = (*found)->alert;
  std::vector<RecordReference> records = alert.records;
  std::stable_sort(records.begin(), records.end(),
                   [](const RecordReference& left, const RecordReference& right) { return left.time > right.time; });
  for (const RecordReference& record : records) { body["value"].push_back(record_json(record, alert)); }
  return json_answer(200, body);
}

Result<EventQuery> event_query(const HttpRequest& request) {
  const auto from = time_in_query(request, "from");
  if (!from) { return tl::unexpected(from.error()); }
  const auto until = time_in_query(request, "until");
  if (!until) { return tl::unexpected(until.error()); }
  const auto limit = number_in_query(request, "limit", 1, 1000, 100);
  if (!limit) { return tl::unexpected(limit.error()); }
  EventQuery query;
  query.caller_key = lower_case(request.query_value("caller").value_or(""));
  query.vault_id = lower_case(request.query_value("vault").value_or(""));
  query.from = *from;
  query.until = *until;
  query.limit = static_cast<std::size_t>(*limit);
  query.after = request.query_value("after").value_or("");
  return query;
}

// Kept events that the principal may know of. Where most are of others a page has few, and still leads to the next.
HttpResponse timeline_of_events(const V1Routes& needs, const HttpRequest& request, EventQuery query) {
  constexpr int kPagesAtOnce = 10;
  const std::size_t wanted = query.limit;
  Json body;
  body["value"] = Json::array();
  const bool foreign_vault = !query.vault_id.empty() && !sees_resource(request.principal, query.vault_id);
  if (foreign_vault) { return json_answer(200, body); }
  for (int pages = 0; pages < kPagesAtOnce; ++pages) {
    const auto page = needs.store.events(query);
    if (!page && page.error().kind == ErrorKind::kUsage) { return bad_request(page.error()); }
    if (!page) { return store_failure(page.error(), needs.report); }
    for (const AccessEvent& event : page->events) {
      if (sees_resource(request.principal, event.vault_id())) { body["value"].push_back(event_json(event)); }
    }
    query.after = page->next;
    if (query.after.empty() || body["value"].size() >= wanted) { break; }
    query.limit = wanted - body["value"].size();
  }
  if (!query.after.empty()) {
    HttpFields fields = request.query;
    std::erase_if(fields, [](const auto& field) { return field.first == "after"; });
    fields.emplace_back("after", query.after);
    body["nextLink"] = same_path(request, fields);
  }
  return json_answer(200, body);
}

HttpResponse timeline(const V1Routes& needs, const HttpRequest& request) {
  const auto query = event_query(request);  // an alert does not need it, but what cannot be understood is said
  if (!query) { return bad_request(query.error()); }
  if (const auto id = request.query_value("alert")) { return timeline_of_alert(needs, request, *id); }
  if (query->caller_key.empty() && query->vault_id.empty()) {
    return bad_request({ErrorKind::kInput, "Expected one of the query parameters alert, caller, vault."});
  }
  return timeline_of_events(needs, request, *query);
}

constexpr std::array<V1Row, 2> kRows = {{
    {"GET", "entities/{kind}", Role::kReader, kEntityQuery, entity},
    {"GET", "timeline", Role::kReader, kTimelineQuery, timeline},
}};

}  // namespace

std::span<const V1Row> v1_entity_rows() {
  return kRows;
}

}  // namespace keyvigil
