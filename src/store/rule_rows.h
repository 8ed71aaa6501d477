// RuleRows: the table of suppression rules. Functions of a connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alert/suppression_rule.h"
#include "base/format_versions.h"
#include "base/result.h"
#include "store/database.h"

namespace keyvigil {

// Of the snapshot's bytes.
inline constexpr FormatVersions kRuleFormats = {"suppression-rule", 1, 1};

// Of one subscription, or of all; by subscription and name.
[[nodiscard]] Result<std::vector<SuppressionRule>> read_rules(Database& reader,
                                                              const std::optional<std::string>& subscription_id);
[[nodiscard]] Result<void> write_rule(Database& writer, const SuppressionRule& rule);
// false: there was none.
[[nodiscard]] Result<bool> remove_rule(Database& writer, const std::string& subscription_id, const std::string& name);

}  // namespace keyvigil
