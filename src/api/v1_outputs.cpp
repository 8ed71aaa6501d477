#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "api/arm_rows.h"
#include "api/v1_rows.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 0> kNoQuery = {};
constexpr std::array<std::string_view, 3> kListQuery = {"output", "limit", "after"};
constexpr std::size_t kMostAtOnce = 1000;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number > 0 && number <= INT64_MAX ? std::optional(number) : std::nullopt;
}

Json letter_json(const DeadLetter& letter) {
  return {{"id", letter.id},
          {"output", letter.output},
          {"alertId", letter.alert_id},
          {"revision", letter.revision},
          {"at", to_iso_milliseconds(letter.at)},
          {"attempts", letter.attempts},
          {"why", letter.why}};
}

HttpResponse list(const V1Routes& needs, const HttpRequest& request) {
  const auto limit = number_in_query(request, "limit", 1, kMostAtOnce, 100);
  if (!limit) { return bad_request(limit.error()); }
  const auto after = request.query_value("after");
  const auto before = after ? number_in(*after) : std::optional<std::uint64_t>(0);
  if (!before) {
    return bad_request({ErrorKind::kInput, fmt::format("after: expected what a nextLink says, found '{}'.", *after)});
  }
  DeadLetterFilter filter;
  filter.output = request.query_value("output").value_or("");
  filter.subscriptions = request.principal.subscriptions;
  filter.before = *before;
  filter.limit = static_cast<std::size_t>(*limit) + 1;
  auto letters = needs.store.dead_letters(filter);
  if (!letters) { return store_failure(letters.error(), needs.report); }
  const bool more = letters->size() == filter.limit;
  if (more) { letters->pop_back(); }
  Json body;
  body["value"] = Json::array();
  for (const DeadLetter& letter : *letters) { body["value"].push_back(letter_json(letter)); }
  if (more) {
    HttpFields query = request.query;
    std::erase_if(query, [](const auto& field) { return field.first == "after"; });
    query.emplace_back("after", fmt::format("{}", letters->back().id));
    body["nextLink"] = same_path(request, query);
  }
  return json_answer(200, body);
}

HttpResponse get(const V1Routes& needs, const HttpRequest& request) {
  const auto id = number_in(request.parameter("letter"));
  DeadLetterFilter filter;
  filter.ids = {id.value_or(0)};  // none has it
  filter.subscriptions = request.principal.subscriptions;
  const auto found = needs.store.dead_letter(filter);
  if (!found) { return store_failure(found.error(), needs.report); }
  if (!*found) { return not_found(fmt::format("The dead letter '{}'", request.parameter("letter"))); }
  Json body = letter_json((*found)->letter);
  body["alert"] = alert_summary((*found)->alert, needs.rendering);
  return json_answer(200, body);
}

// A whole number, also where it is written as 7.0 or 7e0.
std::optional<std::uint64_t> id_in(const Json& json) {
  constexpr double kBeyond = 9223372036854775808.0;
  if (json.is_number_float()) {
    const double number = json.get<double>();
    const bool whole = number >= 0 && number < kBeyond && number == std::trunc(number);
    return whole ? std::optional(static_cast<std::uint64_t>(number)) : std::nullopt;
  }
  const bool known = json.is_number_unsigned() && json.get<std::uint64_t>() <= INT64_MAX;
  return known ? std::optional(json.get<std::uint64_t>()) : std::nullopt;
}

// "ids" of the body; absent: of all.
Result<std::vector<std::uint64_t>> ids_in(const Json& body) {
  std::vector<std::uint64_t> ids;
  const auto found = body.find("ids");
  if (found == body.end()) { return ids; }
  const auto refuse = [] {
    return fail(ErrorKind::kInput,
                fmt::format("ids: expected a list of 1 to {} ids of dead letters, found something else.", kMostAtOnce));
  };
  if (!found->is_array() || found->empty() || found->size() > kMostAtOnce) { return refuse(); }
  for (const Json& item : *found) {
    const auto id = id_in(item);
    if (!id) { return refuse(); }
    ids.push_back(*id);
  }
  return ids;
}

HttpResponse revive(const V1Routes& needs, const HttpRequest& request) {
  const auto body = object_in_body(request);
  if (!body) { return bad_request(body.error()); }
  const Json output = body->value("output", Json());
  if (!output.is_string()) {
    return bad_request({ErrorKind::kInput, "output: expected the name of an output, found none."});
  }
  const auto ids = ids_in(*body);
  if (!ids) { return bad_request(ids.error()); }
  DeadLetterFilter filter;
  filter.output = output.get<std::string>();
  filter.ids = *ids;
  filter.subscriptions = request.principal.subscriptions;
  filter.limit = kMostAtOnce;
  // What is for an output that nobody serves would become a dead letter again.
  const std::vector<std::string> known = needs.outputs ? needs.outputs() : std::vector<std::string>();
  if (std::ranges::find(known, filter.output) == known.end()) {
    return not_found(fmt::format("The output '{}'", filter.output));
  }
  const auto revived = needs.store.revive(filter, audit_line(request, "output.revive", filter.output));
  if (!revived) { return store_failure(revived.error(), needs.report); }
  return json_answer(200, {{"revived", *revived}});
}

constexpr std::array<V1Row, 3> kRows = {{
    {"GET", "outputs/dead", Role::kOperator, kListQuery, list},
    {"GET", "outputs/dead/{letter}", Role::kOperator, kNoQuery, get},
    {"POST", "outputs/dead/revive", Role::kOperator, kNoQuery, revive},
}};

}  // namespace

std::span<const V1Row> v1_output_rows() {
  return kRows;
}

}  // namespace keyvigil
