#include "api/arm_rule_json.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/http_message.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 3> kStates = {"Enabled", "Disabled", "Expired"};  // by RuleState
constexpr std::array<std::string_view, 3> kOperators = {"in", "contains", "equals"};     // by Operator
constexpr std::size_t kConditionLimit = 100;

tl::unexpected<Error> refuse(std::string_view key, std::string_view expected) {
  return fail(ErrorKind::kInput, fmt::format("{}: expected {}.", key, expected));
}

// The value of a key without regard to case; null where it is absent.
Json member(const Json& object, std::string_view name) {
  for (const auto& [key, value] : object.items()) {
    if (equal_without_case(key, name)) { return value; }
  }
  return nullptr;
}

Result<std::string> text(const Json& properties, std::string_view name, bool required) {
  const Json value = member(properties, name);
  const std::string key = fmt::format("properties.{}", name);
  if (value.is_null()) {
    if (required) { return refuse(key, "a text"); }
    return std::string();
  }
  if (!value.is_string()) { return refuse(key, fmt::format("a text, found {}", value.type_name())); }
  std::string found = value.get<std::string>();
  if (required && found.empty()) { return refuse(key, "a text that is not empty"); }
  return found;
}

Result<std::string> alert_type(const Json& properties) {
  auto type = text(properties, "alertType", true);
  if (!type || *type == "*") { return type; }
  if (const auto known = find_alert_type(*type)) { return std::string(catalogue_row(*known).code); }
  // Types of other services are kept: they match nothing here.
  if (!lower_case(*type).starts_with("kv_")) { return type; }
  std::vector<std::string_view> codes;
  for (const CatalogueRow& row : catalogue()) { codes.push_back(row.code); }
  return refuse("properties.alertType", fmt::format("'*' or one of {}; found '{}'", fmt::join(codes, ", "), *type));
}

Result<RuleState> state(const Json& properties) {
  const auto found = text(properties, "state", true);
  if (!found) { return tl::unexpected(found.error()); }
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (equal_without_case(*found, kStates[i])) { return static_cast<RuleState>(i); }
  }
  return refuse("properties.state", fmt::format("one of {}; found '{}'", fmt::join(kStates, ", "), *found));
}

Result<std::optional<EventTime>> expiry(const Json& properties) {
  const auto found = text(properties, "expirationDateUtc", false);
  if (!found) { return tl::unexpected(found.error()); }
  if (found->empty()) { return std::nullopt; }
  const auto time = parse_iso_time(*found);
  if (!time) {
    return refuse("properties.expirationDateUtc",
                  fmt::format("a time such as 2030-01-01T00:00:00Z; found '{}'", *found));
  }
  return time;
}

Result<std::vector<std::string>> condition_values(const std::string& key, const Json& value) {
  std::vector<std::string> values;
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& item : list) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
      return refuse(key, "a text, or an array of texts, none of them empty");
    }
    values.push_back(item.get<std::string>());
  }
  if (values.empty()) { return refuse(key, "at least one value"); }
  return values;
}

Result<RuleCondition> condition(const std::string& place, const Json& element) {
  if (!element.is_object()) { return refuse(place, "an object with 'field' and one of in, contains, equals"); }
  RuleCondition made;
  std::size_t operators = 0;
  for (const auto& [key, value] : element.items()) {
    if (equal_without_case(key, "field")) {
      const auto field = value.is_string() ? rule_field(value.get<std::string>()) : std::nullopt;
      if (!field) {
        return refuse(place + ".field",
                      fmt::format("one of {}; found {}", fmt::join(rule_fields(), ", "), to_json_line(value)));
      }
      made.field = *field;
      continue;
    }
    const std::string& name = key;  // clang 14 lets no lambda capture a structured binding
    const auto* const known = std::find_if(kOperators.begin(), kOperators.end(),
                                           [&](std::string_view one) { return equal_without_case(one, name); });
    if (known == kOperators.end()) {
      return refuse(place, fmt::format("'field' and one of {}; found '{}'", fmt::join(kOperators, ", "), key));
    }
    made.op = static_cast<RuleCondition::Operator>(known - kOperators.begin());
    auto values = condition_values(fmt::format("{}.{}", place, key), value);
    if (!values) { return tl::unexpected(values.error()); }
    made.values = std::move(*values);
    ++operators;
  }
  if (made.field.empty() || operators != 1) {
    return refuse(place, fmt::format("'field' and exactly one of {}", fmt::join(kOperators, ", ")));
  }
  return made;
}

Result<std::vector<RuleCondition>> conditions(const Json& properties) {
  constexpr std::string_view kPlace = "properties.suppressionAlertsScope";
  const Json scope = member(properties, "suppressionAlertsScope");
  std::vector<RuleCondition> made;
  if (scope.is_null()) { return made; }
  if (!scope.is_object()) { return refuse(kPlace, "an object with 'allOf'"); }
  const Json elements = member(scope, "allOf");
  if (elements.is_null() && scope.empty()) { return made; }
  if (!elements.is_array() || elements.size() > kConditionLimit) {
    return refuse(kPlace, fmt::format("'allOf' with an array of at most {} conditions", kConditionLimit));
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto one = condition(fmt::format("{}.allOf[{}]", kPlace, i), elements[i]);
    if (!one) { return tl::unexpected(one.error()); }
    made.push_back(std::move(*one));
  }
  return made;
}

bool is_rule_name(std::string_view name) {
  constexpr std::string_view kPunctuation = "-_.() ";
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= 260 && is_letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter_or_digit(c) || kPunctuation.find(c) != std::string_view::npos; });
}

Json condition_json(const RuleCondition& condition) {
  Json element{{"field", condition.field}};
  const std::string key(kOperators[static_cast<std::size_t>(condition.op)]);
  if (condition.op == RuleCondition::Operator::kIn || condition.values.size() != 1) {
    element[key] = condition.values;
  } else {
    element[key] = condition.values.front();
  }
  return element;
}

}  // namespace

Result<SuppressionRule> rule_from_json(const Json& body, const std::string& subscription_id, const std::string& name,
                                       EventTime now) {
  if (!is_rule_name(name)) {
    return refuse("name", "1 to 260 letters, digits, blanks and -_.(), of which the first is a letter or a digit");
  }
  const Json properties = member(body, "properties");
  if (!properties.is_object()) { return refuse("properties", "an object"); }
  SuppressionRule rule;
  rule.subscription_id = subscription_id;
  rule.name = name;
  rule.last_modified = now;
  const auto take = [](auto found, auto& into) -> std::optional<Error> {
    if (!found) { return found.error(); }
    into = std::move(*found);
    return std::nullopt;
  };
  for (const auto& error :
       {take(alert_type(properties), rule.alert_type), take(text(properties, "reason", true), rule.reason),
        take(state(properties), rule.state), take(text(properties, "comment", false), rule.comment),
        take(expiry(properties), rule.expires), take(conditions(properties), rule.all_of)}) {
    if (error) { return tl::unexpected(*error); }
  }
  return rule;
}

Json rule_json(const SuppressionRule& rule, EventTime now) {
  const bool over = rule.state == RuleState::kEnabled && rule.expires && *rule.expires <= now;
  const RuleState shown = over ? RuleState::kExpired : rule.state;
  Json properties;
  properties["alertType"] = rule.alert_type;
  properties["lastModifiedUtc"] = to_iso_milliseconds(rule.last_modified);
  if (rule.expires) { properties["expirationDateUtc"] = to_iso_milliseconds(*rule.expires); }
  properties["reason"] = rule.reason;
  properties["state"] = kStates[static_cast<std::size_t>(shown)];
  properties["comment"] = rule.comment;
  if (!rule.all_of.empty()) {
    Json elements = Json::array();
    for (const RuleCondition& condition : rule.all_of) { elements.push_back(condition_json(condition)); }
    properties["suppressionAlertsScope"]["allOf"] = std::move(elements);
  }
  Json object;
  object["id"] = fmt::format("/subscriptions/{}/providers/Microsoft.Security/alertsSuppressionRules/{}",
                             rule.subscription_id, rule.name);
  object["name"] = rule.name;
  object["type"] = "Microsoft.Security/alertsSuppressionRules";
  object["properties"] = std::move(properties);
  return object;
}

}  // namespace keyvigil
