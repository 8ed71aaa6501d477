// The rows that arm_routes.cpp puts together: one for each route of ARM, in groups.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "api/arm_routes.h"

namespace keyvigil {

using ArmHandler = HttpResponse (*)(const ArmRoutes& needs, const HttpRequest& request);

// What stands before the path of a row.
enum class ArmScope : std::uint8_t {
  kTenant,               // nothing
  kSubscription,         // /subscriptions/{subscription}/providers/Microsoft.Security/
  kSubscriptionOrGroup,  // the same, and with /resourceGroups/{group} between
};

struct ArmRow {
  std::string_view method;
  ArmScope scope;
  std::string_view path;
  Role role;
  std::span<const std::string_view> versions;
  ArmHandler handler;
};

[[nodiscard]] std::span<const ArmRow> arm_alert_rows();
[[nodiscard]] std::span<const ArmRow> arm_rule_rows();
[[nodiscard]] std::span<const ArmRow> arm_estate_rows();

// An audit line about what the request did.
[[nodiscard]] AuditLine audit_line(const HttpRequest& request, std::string_view action, std::string target);

}  // namespace keyvigil
