#include "api/arm_routes.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/arm_rows.h"

namespace keyvigil {
namespace {

bool is_resource_group(std::string_view name) {
  constexpr std::string_view kPunctuation = "-_.()";
  const auto fits = [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    return letter || (c >= '0' && c <= '9') || kPunctuation.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 90 && std::all_of(name.begin(), name.end(), fits);
}

std::optional<HttpResponse> refuse_parameters(const HttpRequest& request) {
  for (const auto& [name, value] : request.path_parameters) {
    if (name == "subscription" && !is_guid(value)) {
      return arm_error(400, "InvalidSubscriptionId",
                       fmt::format("The provided subscription identifier '{}' is malformed or invalid.", value));
    }
    if (name == "group" && !is_resource_group(value)) {
      return arm_error(400, "InvalidResourceGroup",
                       "Expected a resource group of 1 to 90 letters, digits and -_.() in the path.");
    }
  }
  return std::nullopt;
}

HttpResponse answer_row(const ArmRow& row, const ArmRoutes& needs, const HttpRequest& request) {
  if (auto refusal = refuse_api_version(request, row.versions)) { return std::move(*refusal); }
  if (auto refusal = refuse_parameters(request)) { return std::move(*refusal); }
  return row.handler(needs, request);
}

std::vector<std::string> patterns(const ArmRow& row) {
  constexpr std::string_view kSubscription = "/subscriptions/{subscription}";
  constexpr std::string_view kProvider = "/providers/Microsoft.Security/";
  if (row.scope == ArmScope::kTenant) { return {std::string(row.path)}; }
  std::vector<std::string> made = {fmt::format("{}{}{}", kSubscription, kProvider, row.path)};
  if (row.scope == ArmScope::kSubscriptionOrGroup) {
    made.push_back(fmt::format("{}/resourceGroups/{{group}}{}{}", kSubscription, kProvider, row.path));
  }
  return made;
}

}  // namespace

AuditLine audit_line(const HttpRequest& request, std::string_view action, std::string target) {
  return {request.now, request.principal.name, request.peer_address, std::string(action), std::move(target), "done"};
}

void add_arm_routes(Router& router, const ArmRoutes& needs) {
  for (const auto rows : {arm_alert_rows(), arm_rule_rows(), arm_estate_rows()}) {
    for (const ArmRow& row : rows) {
      for (const std::string& pattern : patterns(row)) {
        router.add(row.method, pattern, row.role,
                   [needs, &row](const HttpRequest& request) { return answer_row(row, needs, request); });
      }
    }
  }
}

}  // namespace keyvigil
