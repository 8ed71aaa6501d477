#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/known_subscriptions.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 1> kEntityQuery = {"key"};
constexpr std::array<std::string_view, 6> kTimelineQuery = {"alert", "caller", "vault", "from", "until", "limit"};
constexpr std::array<std::string_view, 4> kKinds = {"caller", "app", "vault", "address"};
constexpr std::size_t kAlertsOfEntity = 100;

bool sees_resource(const Principal& principal, std::string_view resource_id) {
  return principal.sees(subscription_in(resource_id));
}

// What a bound principal may know of a profile: vaults of its own, and numbers only where all of them are.
void narrow(EntityProfile& profile, const Principal& principal) {
  if (!principal.subscriptions || profile.kind == "vault") { return; }
  std::erase_if(profile.related, [&](const std::string& vault) { return !sees_resource(principal, vault); });
  if (profile.related.size() == profile.related_total) { return; }
  profile.related_total = profile.related.size();
  profile.usual.clear();
  profile.days_seen = 0;
  profile.first_seen = {};
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
  json["related"] = profile.related;
  json["relatedTotal"] = profile.related_total;
  return json;
}

// Nothing where the principal may not know of the entity, or nobody knows it.
Result<std::optional<EntityProfile>> find_profile(const V1Routes& needs, const HttpRequest& request,
                                                  const std::string& kind, const std::string& key) {
  if (!needs.live.entity || kind == "address") { return std::nullopt; }
  if (kind == "vault" && !sees_resource(request.principal, key)) { return std::nullopt; }
  auto profile = needs.live.entity(kind, key);
  if (!profile || !*profile) { return profile; }
  narrow(**profile, request.principal);
  if (request.principal.subscriptions && kind != "vault" && (*profile)->related.empty()) { return std::nullopt; }
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
    if (kind == "app") { return alert.app_id != key; }
    return kind == "address" && std::find(addresses.begin(), addresses.end(), key) == addresses.end();
  });
  return page;
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
  body["alerts"] = Json::array();
  for (const StoredAlert& stored : alerts->alerts) { body["alerts"].push_back(alert_summary(stored, needs.rendering)); }
  body["alertsComplete"] = alerts->next.empty();
  return json_answer(200, body);
}

struct TimelineEntry {
  RecordReference record;
  std::string vault_id;
  std::string alert_id;
};

Json entry_json(const TimelineEntry& entry) {
  const RecordReference& record = entry.record;
  Json json;
  json["time"] = to_iso_milliseconds(record.time);
  json["operation"] = record.operation;
  json["outcome"] = to_string(record.outcome);
  if (record.http_status > 0) { json["httpStatus"] = record.http_status; }
  json["address"] = record.address;
  json["target"] = record.target;
  json["correlationId"] = record.correlation_id;
  json["vaultId"] = entry.vault_id;
  json["alertId"] = entry.alert_id;
  json["suspicious"] = record.suspicious;
  return json;
}

// The alerts whose records make the timeline: one, or those of a caller or a vault.
Result<std::vector<StoredAlert>> timeline_alerts(const V1Routes& needs, const HttpRequest& request) {
  if (const auto id = request.query_value("alert")) {
    auto found = needs.store.alert(lower_case(*id));
    if (!found) { return tl::unexpected(found.error()); }
    std::vector<StoredAlert> one;
    const bool seen = *found && request.principal.sees(lower_case((*found)->alert.subscription_id));
    if (seen) { one.push_back(std::move(**found)); }
    return one;
  }
  AlertFilter filter;
  filter.subscriptions = request.principal.subscriptions;
  filter.caller_key = lower_case(request.query_value("caller").value_or(""));
  filter.vault_id = lower_case(request.query_value("vault").value_or(""));
  filter.limit = kAlertsOfEntity;
  auto page = needs.store.alerts(filter);
  if (!page) { return tl::unexpected(page.error()); }
  return std::move(page->alerts);
}

HttpResponse timeline(const V1Routes& needs, const HttpRequest& request) {
  const auto from = time_in_query(request, "from");
  const auto until = time_in_query(request, "until");
  const auto limit = number_in_query(request, "limit", 1, 10'000, 1000);
  for (const Error* error :
       {from ? nullptr : &from.error(), until ? nullptr : &until.error(), limit ? nullptr : &limit.error()}) {
    if (error != nullptr) { return bad_request(*error); }
  }
  if (!request.query_value("alert") && !request.query_value("caller") && !request.query_value("vault")) {
    return bad_request({ErrorKind::kInput, "Expected one of the query parameters alert, caller, vault."});
  }
  const auto alerts = timeline_alerts(needs, request);
  if (!alerts) { return store_failure(alerts.error(), needs.report); }
  std::vector<TimelineEntry> entries;
  for (const StoredAlert& stored : *alerts) {
    for (const RecordReference& record : stored.alert.records) {
      const bool within = (!*from || record.time >= **from) && (!*until || record.time < **until);
      if (within) { entries.push_back({record, stored.alert.vault_id, stored.alert.id}); }
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const TimelineEntry& left, const TimelineEntry& right) {
    return left.record.time < right.record.time;
  });
  const std::size_t shown = std::min(entries.size(), static_cast<std::size_t>(*limit));
  Json body;
  body["value"] = Json::array();
  for (std::size_t i = 0; i < shown; ++i) { body["value"].push_back(entry_json(entries[i])); }
  body["complete"] = shown == entries.size();
  return json_answer(200, body);
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
