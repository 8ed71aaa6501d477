#include <array>
#include <charconv>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "api/arm_rows.h"
#include "api/arm_rule_json.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 1> kVersions = {"2019-01-01-preview"};
constexpr std::size_t kRuleLimit = 1000;  // in a subscription
constexpr std::int64_t kTrialDays = 90;
constexpr std::size_t kTrialAlerts = 20'000;  // looked at
constexpr std::size_t kTrialNamed = 100;

std::string subscription_of(const HttpRequest& request) {
  return lower_case(request.parameter("subscription"));
}

std::string resource_id(const HttpRequest& request) {
  return fmt::format("/subscriptions/{}/providers/Microsoft.Security/alertsSuppressionRules/{}",
                     subscription_of(request), request.parameter("rule"));
}

HttpResponse unknown_rule(const HttpRequest& request) {
  return arm_error(404, "ResourceNotFound",
                   fmt::format("The suppression rule '{}' was not found.", request.parameter("rule")));
}

Result<std::optional<SuppressionRule>> find(const ArmRoutes& needs, const HttpRequest& request) {
  auto rules = needs.store.rules(subscription_of(request));
  if (!rules) { return tl::unexpected(rules.error()); }
  for (SuppressionRule& rule : *rules) {
    if (equal_without_case(rule.name, request.parameter("rule"))) { return std::move(rule); }
  }
  return std::nullopt;
}

HttpResponse list(const ArmRoutes& needs, const HttpRequest& request) {
  const auto rules = needs.store.rules(subscription_of(request));
  if (!rules) { return store_failure(rules.error(), needs.report); }
  const auto type = request.query_value("AlertType");
  Json body;
  body["value"] = Json::array();
  for (const SuppressionRule& rule : *rules) {
    if (!type || equal_without_case(*type, rule.alert_type)) { body["value"].push_back(rule_json(rule, request.now)); }
  }
  return json_answer(200, body);
}

HttpResponse get(const ArmRoutes& needs, const HttpRequest& request) {
  const auto rule = find(needs, request);
  if (!rule) { return store_failure(rule.error(), needs.report); }
  return *rule ? json_answer(200, rule_json(**rule, request.now)) : unknown_rule(request);
}

Result<SuppressionRule> rule_in_body(const HttpRequest& request) {
  const auto body = object_in_body(request);
  if (!body) { return tl::unexpected(body.error()); }
  return rule_from_json(*body, subscription_of(request), std::string(request.parameter("rule")), request.now);
}

HttpResponse put(const ArmRoutes& needs, const HttpRequest& request) {
  const auto rule = rule_in_body(request);
  if (!rule) { return arm_error(400, "InvalidRequestContent", rule.error().message); }
  const auto rules = needs.store.rules(subscription_of(request));
  if (!rules) { return store_failure(rules.error(), needs.report); }
  if (rules->size() >= kRuleLimit) {
    const auto known = find(needs, request);
    if (!known) { return store_failure(known.error(), needs.report); }
    if (!*known) {
      return arm_error(409, "QuotaExceeded",
                       fmt::format("The subscription has {} suppression rules, and may have no more: delete one first.",
                                   rules->size()));
    }
  }
  const auto stored = needs.store.put_rule(*rule, audit_line(request, "rule.put", resource_id(request)));
  if (!stored) { return store_failure(stored.error(), needs.report); }
  return json_answer(200, rule_json(*rule, request.now));
}

HttpResponse remove(const ArmRoutes& needs, const HttpRequest& request) {
  const auto removed = needs.store.delete_rule(subscription_of(request), std::string(request.parameter("rule")),
                                               audit_line(request, "rule.delete", resource_id(request)));
  if (!removed) { return store_failure(removed.error(), needs.report); }
  return no_content();  // also where there was none, as ARM has it
}

struct Trial {
  std::uint64_t examined = 0;
  std::uint64_t covered = 0;
  bool complete = true;
  Json named = Json::array();
};

Json named_alert(const ArmRoutes& needs, const StoredAlert& stored) {
  const Json arm = arm_json(stored.alert, needs.rendering, stored.standing());
  const Json& properties = arm.at("properties");
  Json named{{"id", arm.at("id")}, {"name", arm.at("name")}};
  for (const char* key : {"alertType", "severity", "startTimeUtc", "compromisedEntity", "status"}) {
    named[key] = properties.at(key);
  }
  return named;
}

// The rule held against the alerts of its subscription since `from`, newest first; samples are none.
Result<Trial> try_rule(const ArmRoutes& needs, const SuppressionRule& rule, EventTime from) {
  AlertFilter filter;
  filter.subscriptions = {rule.subscription_id};
  filter.from = from;
  filter.simulated = false;
  filter.limit = 1000;
  Trial trial;
  do {
    const auto page = needs.store.alerts(filter);
    if (!page) { return tl::unexpected(page.error()); }
    for (const StoredAlert& stored : page->alerts) {
      ++trial.examined;
      if (!covers(rule, stored.alert, needs.rendering)) { continue; }
      ++trial.covered;
      if (trial.named.size() < kTrialNamed) { trial.named.push_back(named_alert(needs, stored)); }
    }
    filter.after = page->next;
    trial.complete = filter.after.empty();
  } while (!trial.complete && trial.examined < kTrialAlerts);
  return trial;
}

// Nothing where the query asks for something else than 1 to 3650 days.
std::optional<std::int64_t> trial_days(const HttpRequest& request) {
  const std::string_view text = request.query_value("days").value_or("");
  if (text.empty()) { return kTrialDays; }
  std::int64_t days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size() || days < 1 || days > 3650) { return std::nullopt; }
  return days;
}

// What the rule of the body, or without a body the stored one, would have dismissed: whatever its state and expiry.
HttpResponse simulate(const ArmRoutes& needs, const HttpRequest& request) {
  const auto days = trial_days(request);
  if (!days) { return arm_error(400, "InvalidRequest", "days: expected a number from 1 to 3650."); }
  SuppressionRule rule;
  if (request.body.empty()) {
    const auto stored = find(needs, request);
    if (!stored) { return store_failure(stored.error(), needs.report); }
    if (!*stored) { return unknown_rule(request); }
    rule = **stored;
  } else {
    auto given = rule_in_body(request);
    if (!given) { return arm_error(400, "InvalidRequestContent", given.error().message); }
    rule = std::move(*given);
  }
  const EventTime from{request.now.ticks - *days * EventTime::kTicksPerDay};
  auto trial = try_rule(needs, rule, from);
  if (!trial) { return store_failure(trial.error(), needs.report); }
  Json body;
  body["days"] = *days;
  body["examined"] = trial->examined;
  body["matched"] = trial->covered;
  body["complete"] = trial->complete;
  body["alerts"] = std::move(trial->named);
  return json_answer(200, body);
}

constexpr ArmScope kScope = ArmScope::kSubscription;
constexpr std::array<ArmRow, 5> kRows = {{
    {"GET", kScope, "alertsSuppressionRules", Role::kReader, kVersions, list},
    {"GET", kScope, "alertsSuppressionRules/{rule}", Role::kReader, kVersions, get},
    {"PUT", kScope, "alertsSuppressionRules/{rule}", Role::kOperator, kVersions, put},
    {"DELETE", kScope, "alertsSuppressionRules/{rule}", Role::kOperator, kVersions, remove},
    {"POST", kScope, "alertsSuppressionRules/{rule}/simulate", Role::kReader, kVersions, simulate},
}};

}  // namespace

std::span<const ArmRow> arm_rule_rows() {
  return kRows;
}

}  // namespace keyvigil
