#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "api/arm_rows.h"
#include "api/open_alerts.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 0> kNoQuery = {};
constexpr std::array<std::string_view, 13> kListQuery = {"alertType",    "severity",      "status", "from",  "until",
                                                         "subscription", "resourceGroup", "caller", "vault", "text",
                                                         "simulated",    "limit",         "after"};
constexpr std::array<std::string_view, 4> kStatuses = {"Active", "InProgress", "Resolved", "Dismissed"};

std::optional<AlertStatus> parse_status(std::string_view text) {
  for (std::size_t i = 0; i < kStatuses.size(); ++i) {
    if (equal_without_case(text, kStatuses[i])) { return static_cast<AlertStatus>(i); }
  }
  return std::nullopt;
}

// "High,Medium": each piece through `parse`.
template <typename T, typename Parse>
Result<std::vector<T>> listed(const HttpRequest& request, std::string_view name, std::string_view expected,
                              const Parse& parse) {
  std::vector<T> values;
  std::string_view rest = request.query_value(name).value_or("");
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
    const auto value = parse(piece);
    if (!value) { return fail(ErrorKind::kInput, fmt::format("{}: expected {}, found '{}'.", name, expected, piece)); }
    values.push_back(*value);
  }
  return values;
}

Result<std::optional<bool>> truth(const HttpRequest& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) { return std::nullopt; }
  if (*text == "true" || *text == "false") { return *text == "true"; }
  return fail(ErrorKind::kInput, fmt::format("{}: expected true or false, found '{}'.", name, *text));
}

std::optional<std::set<std::string>> visible(const HttpRequest& request) {
  const auto asked = request.query_value("subscription");
  if (!asked) { return request.principal.subscriptions; }
  std::set<std::string> one;
  const std::string id = lower_case(*asked);
  if (request.principal.sees(id)) { one.insert(id); }
  return one;
}

// The first error of those, or nothing.
template <typename... Results>
std::optional<Error> first_error(const Results&... results) {
  std::optional<Error> error;
  const auto look = [&](const auto& result) {
    if (!error && !result) { error = result.error(); }
  };
  (look(results), ...);
  return error;
}

Result<AlertFilter> filter_of(const HttpRequest& request) {
  const auto types = listed<AlertType>(request, "alertType", "codes such as KV_TORAccess",
                                       [](std::string_view text) { return find_alert_type(text); });
  const auto severities = listed<Severity>(request, "severity", "Informational, Low, Medium or High",
                                           [](std::string_view text) { return parse_severity(text); });
  const auto statuses = listed<AlertStatus>(request, "status", "Active, InProgress, Resolved or Dismissed",
                                            [](std::string_view text) { return parse_status(text); });
  const auto from = time_in_query(request, "from");
  const auto until = time_in_query(request, "until");
  const auto simulated = truth(request, "simulated");
  const auto limit = number_in_query(request, "limit", 1, 1000, 100);
  if (auto error = first_error(types, severities, statuses, from, until, simulated, limit)) {
    return tl::unexpected(std::move(*error));
  }
  AlertFilter filter;
  filter.subscriptions = visible(request);
  filter.resource_group = lower_case(request.query_value("resourceGroup").value_or(""));
  filter.types = *types;
  filter.severities = *severities;
  filter.statuses = *statuses;
  filter.from = *from;
  filter.until = *until;
  filter.caller_key = lower_case(request.query_value("caller").value_or(""));
  filter.vault_id = lower_case(request.query_value("vault").value_or(""));
  filter.text = request.query_value("text").value_or("");
  filter.simulated = *simulated;
  filter.limit = static_cast<std::size_t>(*limit);
  filter.after = request.query_value("after").value_or("");
  return filter;
}

HttpResponse list(const V1Routes& needs, const HttpRequest& request) {
  const auto filter = filter_of(request);
  if (!filter) { return bad_request(filter.error()); }
  const auto page = needs.store.alerts(*filter);
  if (!page) { return store_failure(page.error(), needs.report); }
  Json body;
  body["value"] = Json::array();
  for (const StoredAlert& stored : page->alerts) { body["value"].push_back(alert_summary(stored, needs.rendering)); }
  if (!page->next.empty()) {
    HttpFields query = request.query;
    std::erase_if(query, [](const auto& field) { return field.first == "after"; });
    query.emplace_back("after", page->next);
    body["nextLink"] = same_path(request, query);
  }
  return json_answer(200, body);
}

// By its id or its name; nothing where there is none that the principal sees.
Result<std::optional<StoredAlert>> find(const V1Routes& needs, const HttpRequest& request) {
  const std::string asked = lower_case(request.parameter("alert"));
  const std::size_t mark = asked.find('_');
  auto found = needs.store.alert(mark == std::string::npos ? asked : asked.substr(mark + 1));
  if (!found || !*found) { return found; }
  const Alert& alert = (*found)->alert;
  const bool named = mark == std::string::npos || equal_without_case(alert_name(alert), asked);
  if (!named || !request.principal.sees(lower_case(alert.subscription_id))) { return std::nullopt; }
  return found;
}

Json history_json(const std::vector<AlertChange>& changes) {
  Json history = Json::array();
  for (const AlertChange& change : changes) {
    history.push_back({{"at", to_iso_milliseconds(change.at)},
                       {"by", change.by},
                       {"revision", change.revision},
                       {"status", to_string(change.status)},
                       {"note", change.note}});
  }
  return history;
}

HttpResponse unknown_alert(const HttpRequest& request) {
  return not_found(fmt::format("The alert '{}'", request.parameter("alert")));
}

HttpResponse get(const V1Routes& needs, const HttpRequest& request) {
  auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(request); }
  StoredAlert& stored = **found;
  bring_up_to_date({&stored, 1}, needs.live);
  const auto history = needs.store.history(stored.alert.id);
  if (!history) { return store_failure(history.error(), needs.report); }
  Json body = alert_summary(stored, needs.rendering);
  body["arm"] = arm_json(stored.alert, needs.rendering, stored.standing());
  body["history"] = history_json(*history);
  return json_answer(200, body);
}

HttpResponse put_status(const V1Routes& needs, const HttpRequest& request) {
  constexpr std::array<std::string_view, 4> kActions = {"alert.activate", "alert.inProgress", "alert.resolve",
                                                        "alert.dismiss"};
  const auto body = object_in_body(request);
  if (!body) { return bad_request(body.error()); }
  const Json asked = body->value("status", Json());
  const auto status = asked.is_string() ? parse_status(asked.get<std::string>()) : std::nullopt;
  if (!status) {
    return bad_request({ErrorKind::kInput, fmt::format("status: expected one of {}.", fmt::join(kStatuses, ", "))});
  }
  const auto found = find(needs, request);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return unknown_alert(request); }
  const Alert& alert = (*found)->alert;
  const auto set = needs.store.set_status(
      alert.id, *status,
      audit_line(request, kActions[static_cast<std::size_t>(*status)], alert_resource_id(alert, needs.rendering)));
  if (!set) { return store_failure(set.error(), needs.report); }
  return *set ? no_content() : unknown_alert(request);
}

// A server-sent event for each alert that was raised, revised or changed; its id is where to go on from.
struct NewsFeed {
  V1Routes needs;
  Principal principal;
  std::uint64_t cursor = 0;
  int asked = 0;

  std::optional<std::string> operator()() {
    constexpr int kMostAsked = 900;  // then the client comes again, and is asked who it is
    constexpr std::size_t kChangesAtOnce = 100;
    if (++asked > kMostAsked) { return std::nullopt; }
    const auto news = needs.store.news(cursor, principal.subscriptions, kChangesAtOnce);
    if (!news) {
      if (needs.report) { needs.report(news.error().message); }
      return std::nullopt;
    }
    cursor = news->cursor;
    std::string events;
    for (std::size_t i = 0; i < news->alerts.size(); ++i) {
      events += fmt::format("id: {}\nevent: alert\ndata: {}\n\n", news->cursors[i],
                            to_json_line(alert_summary(news->alerts[i], needs.rendering)));
    }
    return events;
  }
};

HttpResponse stream(const V1Routes& needs, const HttpRequest& request) {
  const auto newest = needs.store.newest_cursor();
  if (!newest) { return store_failure(newest.error(), needs.report); }
  std::uint64_t cursor = *newest;
  const std::string_view last = request.header("last-event-id");
  std::uint64_t asked = 0;
  const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), asked);
  if (error == std::errc() && end == last.data() + last.size()) { cursor = std::min(cursor, asked); }
  HttpResponse response;
  response.headers = {{"Content-Type", "text/event-stream; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.body = "retry: 2000\n\n";
  response.feed = NewsFeed{needs, request.principal, cursor};
  return response;
}

constexpr std::array<V1Row, 4> kRows = {{
    {"GET", "alerts", Role::kReader, kListQuery, list},
    {"GET", "alerts/stream", Role::kReader, kNoQuery, stream},
    {"GET", "alerts/{alert}", Role::kReader, kNoQuery, get},
    {"PUT", "alerts/{alert}/status", Role::kOperator, kNoQuery, put_status},
}};

}  // namespace

std::span<const V1Row> v1_alert_rows() {
  return kRows;
}

}  // namespace keyvigil
