// SuppressionRule from and to the JSON of alertsSuppressionRules, 2019-01-01-preview.
//
// `in` is a string or an array (az sends a string for one value). The specification spells times ...Utc and its
// examples
// ...UTC: both are read, the first is written. Without a scope a rule is for all alerts of its type.
#pragma once

#include <string>

#include "alert/alert_document.h"
#include "alert/suppression_rule.h"
#include "base/result.h"

namespace keyvigil {

// The rule as the body of a PUT says it. Errors name the key, what was expected and what was found.
[[nodiscard]] Result<SuppressionRule> rule_from_json(const Json& body, const std::string& subscription_id,
                                                     const std::string& name, EventTime now);

// An enabled rule whose time is over by `now` is shown as Expired.
[[nodiscard]] Json rule_json(const SuppressionRule& rule, EventTime now);

}  // namespace keyvigil
