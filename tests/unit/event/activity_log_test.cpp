// The Activity Log in its three forms, changes of access policies under every name, and what a vault says of itself.
#include "event/activity_log.h"

#include <gtest/gtest.h>

#include "event/access_scope.h"
#include "event/decode.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

constexpr const char* kSubscription = "/subscriptions/5b0c2c1a-0000-4000-8000-00000000000a";
constexpr const char* kVault =
    "/subscriptions/5b0c2c1a-0000-4000-8000-00000000000a/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-pay";
constexpr const char* kAssigner = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kPrincipal = "bbbbbbbb-0000-4000-8000-000000000002";
constexpr const char* kSecretsUser = "4633458b-17de-408a-b874-0445c86b69e6";
constexpr const char* kBlobReader = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";

TwinAnswer decode(const json& record) {
  Decoder decoder;
  TwinAnswer answer = decode_exactly(decoder, record.dump());
  EXPECT_EQ(difference(decode_by_twin(record), answer), "") << record.dump();
  return answer;
}

std::string role_id(const char* role) {
  return std::string(kSubscription) + "/providers/Microsoft.Authorization/roleDefinitions/" + role;
}

json claims() {
  return {{"appid", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"},
          {"http://schemas.microsoft.com/identity/claims/objectidentifier", kAssigner},
          {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "ann@contoso.example"}};
}

// As a storage account or Event Hubs have it.
json assignment(const std::string& scope, const char* role = kSecretsUser) {
  const std::string id =
      scope + "/providers/Microsoft.Authorization/roleAssignments/cccccccc-0000-4000-8000-00000000000c";
  const json answer = {
      {"properties", {{"roleDefinitionId", role_id(role)}, {"principalId", kPrincipal}, {"scope", scope}}}};
  return {{"time", "2026-03-02T09:15:30.1234567Z"},
          {"resourceId", id},
          {"operationName", "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE"},
          {"category", "Administrative"},
          {"resultType", "Success"},
          {"resultSignature", "Succeeded.Created"},
          {"callerIpAddress", "203.0.113.9"},
          {"correlationId", "c0000000-0000-4000-8000-000000000001"},
          {"identity", {{"authorization", {{"scope", id}}}, {"claims", claims()}}},
          {"properties", {{"statusCode", "Created"}, {"responseBody", answer.dump()}}}};
}

// The same, as Log Analytics has it.
json activity_row(const json& record) {
  return {{"TimeGenerated", record["time"]},
          {"OperationName", "Create role assignment"},
          {"OperationNameValue", "Microsoft.Authorization/roleAssignments/write"},
          {"CategoryValue", "Administrative"},
          {"Category", "Administrative"},
          {"ActivityStatusValue", "Success"},
          {"ActivitySubstatusValue", "Created"},
          {"Caller", "ann@contoso.example"},
          {"CallerIpAddress", record["callerIpAddress"]},
          {"CorrelationId", record["correlationId"]},
          {"Claims", record["identity"]["claims"].dump()},
          {"Authorization", record["identity"]["authorization"].dump()},
          {"Properties", record["properties"].dump()},
          {"_ResourceId", record["resourceId"]},
          {"Type", "AzureActivity"}};
}

TEST(ActivityLog, ARoleOnAVaultIsAChangeByTheAssignerForThePrincipal) {
  const AccessEvent event = decode(assignment(kVault)).event;
  EXPECT_TRUE(is_of_activity_log(event));
  EXPECT_EQ(event.vault_id(), kVault);
  EXPECT_EQ(event.operation_name(), "Microsoft.Authorization/roleAssignments/write");
  EXPECT_EQ(event.operation_kind, OperationKind::kPolicy);
  EXPECT_EQ(event.policy_marks, kPolicyMarkAdded);
  EXPECT_EQ(event.outcome, Outcome::kSuccess);
  EXPECT_EQ(event.caller_key(), kAssigner);
  EXPECT_EQ(event.caller_kind, CallerKind::kUser);
  EXPECT_EQ(event.get(TextField::kPolicyPrincipal), kPrincipal);
}

TEST(ActivityLog, FormsOfOneChangeAreOneEvent) {
  const json record = assignment(kVault);
  EXPECT_EQ(describe(decode(activity_row(record))), describe(decode(record)));
}

TEST(ActivityLog, TheFormOfItsOwnApiIsTheSameEvent) {
  const json record = assignment(kVault);
  const json listed = {
      {"eventTimestamp", record["time"]},
      {"operationName",
       {{"localizedValue", "Create role assignment"}, {"value", "Microsoft.Authorization/roleAssignments/write"}}},
      {"category", {{"value", "Administrative"}}},
      {"status", {{"value", "Succeeded"}, {"localizedValue", "Succeeded"}}},
      {"caller", "ann@contoso.example"},
      {"claims", record["identity"]["claims"]},
      {"authorization", record["identity"]["authorization"]},
      {"httpRequest", {{"clientIpAddress", "203.0.113.9"}, {"method", "PUT"}}},
      {"correlationId", record["correlationId"]},
      {"resourceId", record["resourceId"]},
      {"properties", record["properties"]}};
  EXPECT_EQ(describe(decode(listed)), describe(decode(record)));
  json other = listed;
  other["operationName"]["value"] = "Microsoft.Compute/virtualMachines/start/action";
  EXPECT_EQ(decode(other).skip, SkipCause::kActivity);
}

TEST(ActivityLog, ScopesAreThoseThatVaultsLieIn) {
  EXPECT_EQ(decode(assignment(std::string(kVault) + "/secrets/db")).event.vault_id(), kVault);
  EXPECT_EQ(decode(assignment(kSubscription)).event.vault_id(), kSubscription);
  EXPECT_EQ(decode(assignment(std::string(kSubscription) + "/resourceGroups/RG")).event.vault_id(),
            std::string(kSubscription) + "/resourcegroups/rg");
  EXPECT_EQ(decode(assignment("/providers/Microsoft.Management/managementGroups/contoso")).event.vault_id(),
            "/providers/microsoft.management/managementgroups/contoso");
  const std::string storage =
      std::string(kSubscription) + "/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st";
  EXPECT_EQ(decode(assignment(storage)).skip, SkipCause::kActivity);
}

TEST(ActivityLog, WiderScopesCountWithRolesThatReachVaults) {
  EXPECT_EQ(decode(assignment(kSubscription, kBlobReader)).kind, DecodeKind::kSkipped);
  EXPECT_EQ(decode(assignment(kVault, kBlobReader)).kind, DecodeKind::kEvent);
}

TEST(ActivityLog, ABegunRequestOnlyTellsWhomItLetsIn) {
  json record = assignment(kVault);
  record["resultType"] = "Start";
  record["properties"] = {{"requestbody", R"({"Id":"x","Properties":{"PrincipalId":")" + std::string(kPrincipal) +
                                              R"(","Scope":")" + kVault + R"("}})"}};
  EXPECT_EQ(decode(record).event.outcome, Outcome::kOther);
  EXPECT_EQ(decode(record).event.get(TextField::kPolicyPrincipal), kPrincipal);
  record["properties"] = json::object();
  EXPECT_EQ(decode(record).skip, SkipCause::kActivity);
  record["resultType"] = "Failure";
  EXPECT_EQ(decode(record).skip, SkipCause::kActivity);
}

TEST(ActivityLog, EverythingElseIsPassedOverAndCounted) {
  json record = assignment(kVault);
  for (const char* operation : {"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", "Microsoft.KeyVault/vaults/delete", "x"}) {
    record["operationName"] = operation;
    EXPECT_EQ(decode(record).skip, SkipCause::kActivity) << operation;
  }
  for (const char* category : {"ServiceHealth", "Policy", "Recommendation", "Autoscale", "Alert"}) {
    record["category"] = category;
    EXPECT_EQ(decode(record).skip, SkipCause::kActivity) << category;
  }
}

TEST(ActivityLog, CallerNamesWhoActedWhereThereAreNoClaims) {
  json row = activity_row(assignment(kVault));
  row.erase("Claims");
  EXPECT_EQ(decode(row).event.caller_key(), "ann@contoso.example");
  row["Caller"] = kAssigner;
  EXPECT_EQ(decode(row).event.caller_key(), kAssigner);
  EXPECT_EQ(decode(row).event.caller_kind, CallerKind::kApp);
}

TEST(ActivityLog, AVaultThatIsWrittenTellsItsSettings) {
  json record = assignment(kVault);
  record["operationName"] = "MICROSOFT.KEYVAULT/VAULTS/WRITE";
  record["resourceId"] = kVault;
  record["identity"]["authorization"]["scope"] = kVault;
  record["properties"] = {{"responseBody", R"({"properties":{"enableRbacAuthorization":false,"networkAcls":{)"
                                           R"("bypass":"AzureServices","defaultAction":"Allow"}}})"}};
  const AccessEvent event = decode(record).event;
  EXPECT_EQ(event.rbac_authorization, TriState::kFalse);
  EXPECT_EQ(event.get(TextField::kNetworkAcls), "bypass=azureservices;defaultaction=allow");
  EXPECT_EQ(event.policy_marks, 0);
}

TEST(ActivityLog, PoliciesOfAVaultAreWrittenThereToo) {
  json record = assignment(kVault);
  record["operationName"] = "MICROSOFT.KEYVAULT/VAULTS/ACCESSPOLICIES/WRITE";
  record["resourceId"] = std::string(kVault) + "/ACCESSPOLICIES/ADD";
  record["identity"]["authorization"]["scope"] = std::string(kVault) + "/accessPolicies/add";
  record["properties"] = {
      {"requestbody", R"({"properties":{"accessPolicies":[{"objectId":")" + std::string(kPrincipal) + R"("}]}})"}};
  EXPECT_EQ(decode(record).event.vault_id(), kVault);
  EXPECT_EQ(decode(record).event.policy_marks, kPolicyMarkAdded);
  EXPECT_EQ(decode(record).event.get(TextField::kPolicyPrincipal), kPrincipal);
  record["resourceId"] = std::string(kVault) + "/accessPolicies/remove";
  EXPECT_EQ(decode(record).event.policy_marks, kPolicyMarkRemoved);
}

// ---- what a vault's own log says of changes ----

json vault_record(const std::string& operation, const std::string& path) {
  return {{"time", "2026-03-02T09:15:30.1234567Z"},
          {"category", "AuditEvent"},
          {"operationName", operation},
          {"identity", {{"claim", claims()}}},
          {"properties",
           {{"id", "https://kv-pay.vault.azure.net/"},
            {"requestUri", std::string("https://management.azure.com") + kVault + path + "?api-version=2023-07-01"},
            {"httpStatusCode", 200}}},
          {"resourceId", kVault}};
}

TEST(AccessPolicies, AreChangedUnderEveryNameOfTheOperation) {
  for (const char* name : {"AccessPolicyMerge", "AccessPolicyAdd", "AccessPolicyReplace", "AccessPolicyUpdated",
                           "Microsoft.KeyVault/vaults/accessPolicies/write"}) {
    const AccessEvent event = decode(vault_record(name, "/accessPolicies/add")).event;
    EXPECT_EQ(event.operation_kind, OperationKind::kPolicy) << name;
    EXPECT_EQ(event.policy_marks, kPolicyMarkAdded) << name;
    EXPECT_EQ(event.object(), "") << name;
  }
  EXPECT_EQ(decode(vault_record("AccessPolicyMerge", "/accessPolicies/remove")).event.policy_marks, kPolicyMarkRemoved);
  EXPECT_EQ(decode(vault_record("AccessPolicyRemove", "")).event.policy_marks, kPolicyMarkRemoved);
  EXPECT_EQ(decode(vault_record("VaultPatch", "/accessPolicies/replace")).event.policy_marks, kPolicyMarkAdded);
  EXPECT_EQ(decode(vault_record("VaultPatch", "")).event.policy_marks, 0);
}

TEST(AccessPolicies, NameWhomTheyLetIn) {
  json record = vault_record("AccessPolicyMerge", "/accessPolicies/add");
  record["properties"]["properties"]["accessPolicies"] = {{{"objectId", kPrincipal}}};
  EXPECT_EQ(decode(record).event.get(TextField::kPolicyPrincipal), kPrincipal);
  // A vault that is put lists all of its policies.
  record["operationName"] = "VaultPut";
  record["properties"]["requestUri"] = std::string("https://management.azure.com") + kVault;
  EXPECT_EQ(decode(record).event.get(TextField::kPolicyPrincipal), "");
}

std::string acls_of(const json& acls) {
  json record = vault_record("VaultGet", "");
  record["properties"]["properties"]["networkAcls"] = acls;
  return std::string(decode(record).event.get(TextField::kNetworkAcls));
}

TEST(NetworkRules, AreToldApartButForTheirOrder) {
  const json one = {{"bypass", "None"}, {"defaultAction", "Deny"}, {"ipRules", {{{"value", "203.0.113.0/24"}}}}};
  const json other = {{"bypass", "None"}, {"defaultAction", "Deny"}, {"ipRules", {{{"value", "0.0.0.0/0"}}}}};
  json two = one;
  two["ipRules"] = {{{"value", "198.51.100.7"}}, {{"value", "203.0.113.0/24"}}};
  json turned = one;
  turned["ipRules"] = {{{"value", "203.0.113.0/24"}}, {{"value", "198.51.100.7"}}};
  EXPECT_NE(acls_of(one), acls_of(other));
  EXPECT_NE(acls_of(one), acls_of(two));
  EXPECT_EQ(acls_of(two), acls_of(turned));
  json subnets = one;
  subnets["virtualNetworkRules"] = {
      {{"id", "/subscriptions/s/subnets/a"}, {"ignoreMissingVnetServiceEndpoint", false}}};
  EXPECT_NE(acls_of(one), acls_of(subnets));
  EXPECT_EQ(acls_of({{"bypass", "AzureServices"}, {"defaultAction", "Deny"}}),
            "bypass=azureservices;defaultaction=deny");
}

TEST(NetworkRules, AreTheSameInColumns) {
  const json rules = {{{"value", "203.0.113.0/24"}}};
  json row = {{"TimeGenerated", "2026-03-02T09:15:30Z"},
              {"ResourceId", kVault},
              {"OperationName", "VaultGet"},
              {"properties_networkAcls_bypass_s", "None"},
              {"properties_networkAcls_defaultAction_s", "Deny"},
              {"properties_networkAcls_ipRules_s", rules.dump()},
              {"properties_publicNetworkAccess_s", "Enabled"}};
  EXPECT_EQ(decode(row).event.get(TextField::kNetworkAcls),
            acls_of({{"bypass", "None"}, {"defaultAction", "Deny"}, {"ipRules", rules}}) + ";publicaccess=enabled");
}

// ---- scopes ----

TEST(Scopes, CoverWhatLiesInThem) {
  EXPECT_TRUE(covers(kVault, kVault));
  EXPECT_TRUE(covers(kSubscription, kVault));
  EXPECT_TRUE(covers("/", kVault));
  EXPECT_TRUE(covers("/providers/microsoft.management/managementgroups/contoso", kVault));
  EXPECT_FALSE(covers(std::string(kVault).substr(0, std::string(kVault).size() - 1), kVault));
  EXPECT_FALSE(covers(std::string(kSubscription) + "/resourcegroups/r", kVault));
  EXPECT_FALSE(covers(kVault, kSubscription));
}

}  // namespace
}  // namespace keyvigil
