#include "alert/suppression_rule.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/ip_address.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

using Values = std::vector<std::string>;

Values unless_empty(std::string value) {
  return value.empty() ? Values{} : Values{std::move(value)};
}

// What the entities of the alert say, as alert_document.cpp writes them: an account only where a caller is the subject.
Values account_name(const Alert& alert, const AlertRendering&) {
  if (alert.subject != SubjectKind::kCaller) { return {}; }
  if (!alert.caller.user_name.empty()) { return {alert.caller.user_name.substr(0, alert.caller.user_name.rfind('@'))}; }
  return alert.caller.object_id.empty() ? unless_empty(alert.caller.key) : Values{};
}

Values account_suffix(const Alert& alert, const AlertRendering&) {
  const std::size_t at = alert.caller.user_name.rfind('@');
  if (alert.subject != SubjectKind::kCaller || at == std::string::npos) { return {}; }
  return {alert.caller.user_name.substr(at + 1)};
}

Values account_object(const Alert& alert, const AlertRendering&) {
  return alert.subject == SubjectKind::kCaller ? unless_empty(alert.caller.object_id) : Values{};
}

Values account_tenant(const Alert& alert, const AlertRendering& rendering) {
  return alert.subject == SubjectKind::kCaller ? unless_empty(rendering.of(alert.subscription_id).tenant_id) : Values{};
}

Values addresses(const Alert& alert, const AlertRendering&) {
  return alert.addresses.items;
}

Values resource_id(const Alert& alert, const AlertRendering&) {
  return unless_empty(alert.vault_id);
}

Values resource_name(const Alert& alert, const AlertRendering&) {
  return unless_empty(alert.vault_name);
}

constexpr std::string_view kAddressField = "entities.ip.address";
constexpr std::array<std::string_view, 7> kFields = {"entities.account.aadtenantid",
                                                     "entities.account.aaduserid",
                                                     "entities.account.name",
                                                     "entities.account.upnsuffix",
                                                     "entities.azure-resource.resourceid",
                                                     "entities.azure-resource.resourcename",
                                                     kAddressField};
constexpr std::array<Values (*)(const Alert&, const AlertRendering&), kFields.size()> kValues = {
    account_tenant, account_object, account_name, account_suffix, resource_id, resource_name, addresses};

// Seen in rules for other services (az help, the examples of the API).
constexpr std::array<std::string_view, 6> kFieldsOfOthers = {
    "entities.file.name",     "entities.file.directory",      "entities.host.dnsdomain",
    "entities.host.hostname", "entities.process.commandline", "entities.process.processname"};

// Addresses are compared as such, so that two spellings of one are equal.
bool equal_value(std::string_view field, std::string_view expected, std::string_view found) {
  if (lower_case(expected) == lower_case(found)) { return true; }
  if (field != kAddressField) { return false; }
  const auto address = parse_ip_address(expected);
  return address.has_value() && address == parse_ip_address(found);
}

bool fits(const RuleCondition& condition, std::string_view found) {
  return std::any_of(condition.values.begin(), condition.values.end(), [&](const std::string& expected) {
    return condition.op == RuleCondition::Operator::kContains
               ? lower_case(found).find(lower_case(expected)) != std::string::npos
               : equal_value(condition.field, expected, found);
  });
}

bool holds(const RuleCondition& condition, const Alert& alert, const AlertRendering& rendering) {
  const auto field = std::find(kFields.begin(), kFields.end(), condition.field);
  if (field == kFields.end()) { return false; }
  const Values found = kValues[static_cast<std::size_t>(field - kFields.begin())](alert, rendering);
  return std::any_of(found.begin(), found.end(), [&](const std::string& value) { return fits(condition, value); });
}

}  // namespace

std::span<const std::string_view> rule_fields() {
  return kFields;
}

std::optional<std::string> rule_field(std::string_view field) {
  constexpr std::string_view kOtherSpelling = "entities.azureresource.";
  std::string spelled = lower_case(field);
  if (spelled.starts_with(kOtherSpelling)) {
    spelled = "entities.azure-resource." + spelled.substr(kOtherSpelling.size());
  }
  const auto is_it = [&](std::string_view known) { return known == spelled; };
  const bool known = std::any_of(kFields.begin(), kFields.end(), is_it) ||
                     std::any_of(kFieldsOfOthers.begin(), kFieldsOfOthers.end(), is_it);
  if (!known) { return std::nullopt; }
  return spelled;
}

bool covers(const SuppressionRule& rule, const Alert& alert, const AlertRendering& rendering) {
  if (lower_case(rule.subscription_id) != lower_case(alert.subscription_id)) { return false; }
  if (rule.alert_type != "*" && lower_case(rule.alert_type) != lower_case(catalogue_row(alert.type).code)) {
    return false;
  }
  return std::all_of(rule.all_of.begin(), rule.all_of.end(),
                     [&](const RuleCondition& condition) { return holds(condition, alert, rendering); });
}

bool suppresses(const SuppressionRule& rule, const Alert& alert, const AlertRendering& rendering) {
  if (rule.state != RuleState::kEnabled) { return false; }
  if (rule.expires && *rule.expires <= alert.generated) { return false; }
  return covers(rule, alert, rendering);
}

}  // namespace keyvigil
