#include "event/activity_log.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "event/access_event.h"
#include "event/vault_id.h"

namespace keyvigil {
namespace {

constexpr auto kCategories =
    std::to_array<std::string_view>({"Administrative", "Write", "Delete", "Action", "Security", "ServiceHealth",
                                     "ResourceHealth", "Alert", "Autoscale", "Recommendation", "Policy"});

struct ChangeRow {
  std::string_view operation;
  std::uint8_t policy_marks;
};
constexpr auto kChanges = std::to_array<ChangeRow>({
    {"Microsoft.Authorization/roleAssignments/write", kPolicyMarkAdded},
    {"Microsoft.Authorization/roleAssignments/delete", kPolicyMarkRemoved},
    {"Microsoft.Authorization/elevateAccess/action", kPolicyMarkAdded},
    {"Microsoft.KeyVault/vaults/accessPolicies/write", kPolicyMarkAdded},
    {"Microsoft.KeyVault/vaults/write", 0},  // what differs is the change
});

// Built-in roles with which somebody reaches what is in a vault, or lets others in (Microsoft Learn, "Azure built-in
// roles"). Ids are the same in every tenant.
constexpr auto kVaultRoles = std::to_array<std::string_view>({
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  // Owner
    "b24988ac-6180-42a0-ab88-20f7382dd24c",  // Contributor
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",  // User Access Administrator
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",  // Role Based Access Control Administrator
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",  // Key Vault Administrator
    "f25e0fa2-a7c8-4377-a976-54943a77a395",  // Key Vault Contributor
    "8b54135c-b56d-4d72-a534-26097cfdc8d8",  // Key Vault Data Access Administrator
    "21090545-7ca7-4776-b22c-e363652d74d2",  // Key Vault Reader
    "4633458b-17de-408a-b874-0445c86b69e6",  // Key Vault Secrets User
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",  // Key Vault Secrets Officer
    "12338af0-0e69-4776-bea7-57ae8d297424",  // Key Vault Crypto User
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",  // Key Vault Crypto Officer
    "e147488a-f6f5-4113-8e2d-b22465e65bf6",  // Key Vault Crypto Service Encryption User
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",  // Key Vault Certificate User
    "a4417e6f-fecd-4de8-b567-7b0420556985",  // Key Vault Certificates Officer
});

bool is_one_of(std::string_view text, std::string_view first, std::string_view second) {
  return equal_without_case(text, first) || equal_without_case(text, second);
}

std::string_view operation_of(const RecordFields& fields) {
  return fields.first_of(Field::kActivityOperation, Field::kOperation);
}

bool starts_without_case(std::string_view text, std::string_view start) {
  return equal_without_case(text.substr(0, start.size()), start);
}

// Where the assignment's own name begins: "<scope>/providers/Microsoft.Authorization/roleAssignments/<guid>".
std::string_view without_assignment(std::string_view scope) {
  constexpr std::string_view kAssignment = "/providers/microsoft.authorization";
  const auto at = std::search(scope.begin(), scope.end(), kAssignment.begin(), kAssignment.end(),
                              [](char a, char b) { return lower_case(a) == b; });
  scope = scope.substr(0, static_cast<std::size_t>(at - scope.begin()));
  while (!scope.empty() && scope.back() == '/') { scope.remove_suffix(1); }
  return scope;
}

// Empty: no vault lies in it.
std::string_view scope_of(const RecordFields& fields) {
  std::string_view scope = fields.get(Field::kAssignmentScope);
  if (scope.empty()) { scope = fields.get(Field::kAuthorizationScope); }
  if (scope.empty()) { scope = fields.first_of(Field::kResourceId, Field::kResourceIdLower); }
  if (scope.empty()) { return {}; }
  scope = without_assignment(scope);
  if (const std::string_view vault = vault_part(scope); !vault.empty()) { return vault; }
  if (scope.empty()) { return "/"; }
  const bool management_group = starts_without_case(scope, "/providers/microsoft.management/managementgroups/");
  const bool subscription = starts_without_case(scope, "/subscriptions/") && !is_of_other_service(scope);
  return management_group || subscription ? scope : std::string_view{};
}

// An assignment on a wider scope is about vaults where its role is; a record that does not name the role may be.
bool is_role_for_vaults(std::string_view role) {
  const std::string_view id = role.substr(role.rfind('/') + 1);
  return id.empty() || std::ranges::any_of(kVaultRoles, [&](auto known) { return equal_without_case(known, id); });
}

}  // namespace

bool is_activity_log(const RecordFields& fields) {
  if (fields.get(Field::kCategory) == "AuditEvent") { return false; }
  if (fields.has(Field::kActivityOperation) || equal_without_case(fields.get(Field::kTableType), "AzureActivity") ||
      equal_without_case(fields.get(Field::kOriginalType), "AzureActivity")) {
    return true;
  }
  const std::string_view category = fields.get(Field::kCategory);
  if (category.empty()) { return starts_without_case(fields.get(Field::kOperation), "Microsoft."); }
  return std::ranges::any_of(kCategories, [&](auto known) { return equal_without_case(known, category); });
}

std::optional<AccessChange> access_change_of(const RecordFields& fields) {
  const std::string_view operation = operation_of(fields);
  const auto* row = std::ranges::find_if(
      kChanges, [&](const ChangeRow& candidate) { return equal_without_case(candidate.operation, operation); });
  if (row == kChanges.end()) { return std::nullopt; }
  const std::string_view result = fields.get(Field::kResultType);
  AccessChange change{row->operation, scope_of(fields), fields.get(Field::kAssignedPrincipal), row->policy_marks,
                      is_one_of(result, "Start", "Started")};
  // A whole vault lists all of its policies, not the one that is new.
  if (change.principal.empty() && row->policy_marks != 0) {
    change.principal = fields.get(Field::kListedPolicyPrincipal);
  }
  if (change.scope.empty() || !(change.begun || is_one_of(result, "Success", "Succeeded"))) { return std::nullopt; }
  // Only the begun request names whom it lets in, where the answer does not.
  if (change.begun && change.principal.empty()) { return std::nullopt; }
  const bool on_vault = !vault_part(change.scope).empty();
  const bool assigns = starts_without_case(row->operation, "Microsoft.Authorization/roleAssignments");
  if (assigns && !on_vault && !is_role_for_vaults(fields.get(Field::kAssignedRole))) { return std::nullopt; }
  const bool of_vault = starts_without_case(row->operation, "Microsoft.KeyVault/");
  return of_vault && !on_vault ? std::nullopt : std::optional(change);
}

}  // namespace keyvigil
