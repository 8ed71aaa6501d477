// SuppressionRule: Microsoft.Security/alertsSuppressionRules, api-version 2019-01-01-preview.
//
// A rule changes the status of new alerts to Dismissed, and nothing else: not learning, calibrators or budget. Its
// expiry is compared with the alert's event time. Fields and values are compared without regard to case.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "base/event_time.h"

namespace keyvigil {

enum class RuleState : std::uint8_t { kEnabled = 0, kDisabled = 1, kExpired = 2 };

struct RuleCondition {
  enum class Operator : std::uint8_t { kIn = 0, kContains = 1, kEquals = 2 };
  std::string field;  // as rule_field() spells it
  Operator op = Operator::kIn;
  std::vector<std::string> values;
};

struct SuppressionRule {
  std::string subscription_id;  // lower case
  std::string name;             // unique in the subscription, without regard to case
  std::string alert_type;       // a KV_ code, or "*"
  std::string reason;
  std::string comment;
  RuleState state = RuleState::kEnabled;
  std::optional<EventTime> expires;
  EventTime last_modified;
  std::vector<RuleCondition> all_of;  // empty: every alert of the type
};

// How the field is spelled here: entities.ip.address, entities.azure-resource.resourceid. Nothing for fields that no
// alert of Defender has. Fields that only alerts of other services have (entities.process.commandline) are taken, and
// never match.
[[nodiscard]] std::optional<std::string> rule_field(std::string_view field);

// The fields that alerts about key vaults have.
[[nodiscard]] std::span<const std::string_view> rule_fields();

// Whether type and conditions fit the alert, of the same subscription; state and expiry do not count. A condition holds
// where any entity of the alert has such a value.
[[nodiscard]] bool covers(const SuppressionRule& rule, const Alert& alert, const AlertRendering& rendering);

// Whether the rule, enabled and not expired at the alert's event time, covers the alert.
[[nodiscard]] bool suppresses(const SuppressionRule& rule, const Alert& alert, const AlertRendering& rendering);

}  // namespace keyvigil
