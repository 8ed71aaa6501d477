// The fifteen pitfalls of a naive reader of this log, one test each: what of them is decided by decoding.
#include <gtest/gtest.h>

#include "event/decode.h"
#include "event/first_party.h"
#include "event/operation.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

constexpr const char* kVault =
    "/SUBSCRIPTIONS/5B0C2C1A-0000-4000-8000-00000000000A/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-PAY";
constexpr const char* kCommandLine = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
constexpr const char* kResourceGraph = "509e4652-da8d-478d-a730-e9d4a1996ca4";

json user_claim() {
  return {{"oid", "aaaaaaaa-0000-4000-8000-000000000001"},
          {"appid", kCommandLine},
          {"scp", "user_impersonation"},
          {"upn", "ann@contoso.example"}};
}

json record_of(const std::string& operation, int status, const std::string& id = "") {
  json record = {{"time", "2026-03-02T09:15:30.1234567Z"},
                 {"category", "AuditEvent"},
                 {"operationName", operation},
                 {"resultType", "Success"},
                 {"correlationId", "c0000000-0000-4000-8000-000000000001"},
                 {"callerIpAddress", "203.0.113.9"},
                 {"identity", {{"claim", user_claim()}}},
                 {"properties", {{"httpStatusCode", status}}},
                 {"resourceId", kVault}};
  if (!id.empty()) {
    record["properties"]["id"] = id;
    record["properties"]["requestUri"] = id + "?api-version=7.4";
  }
  return record;
}

// The decoder's event; the twin must agree.
AccessEvent decode(const json& record) {
  Decoder decoder;
  TwinAnswer answer = decode_exactly(decoder, record.dump());
  EXPECT_EQ(answer.kind, DecodeKind::kEvent) << describe(answer);
  EXPECT_EQ(difference(decode_by_twin(record), answer), "") << record.dump();
  return answer.event;
}

TEST(Pitfalls, ResultTypeSaysSuccessOn403) {
  json record = record_of("SecretGet", 403);
  record["resultDescription"] = "Caller is not authorized to perform action on resource.";
  EXPECT_EQ(decode(record).outcome, Outcome::kDenied);
  record["properties"].erase("httpStatusCode");
  record["resultSignature"] = "Not Found";
  EXPECT_EQ(decode(record).outcome, Outcome::kNotFound);
}

TEST(Pitfalls, AChallengeIsNeitherDeniedNorAnybodys) {
  json record = record_of("Authentication", 401);
  record["identity"] = json::object();
  const AccessEvent challenge = decode(record);
  EXPECT_EQ(challenge.outcome, Outcome::kChallenge);
  EXPECT_EQ(challenge.caller_kind, CallerKind::kAnonymous);
  EXPECT_EQ(challenge.caller_key(), "");
  EXPECT_EQ(challenge.operation_kind, OperationKind::kAuthentication);
  const AccessEvent bad_token = decode(record_of("SecretGet", 401));
  EXPECT_EQ(bad_token.outcome, Outcome::kDenied);
  EXPECT_EQ(bad_token.denial_kind, DenialKind::kToken);
}

TEST(Pitfalls, BothIdentityDialectsAreOneCaller) {
  json put = record_of("VaultPut", 200);
  put["identity"]["claim"] = {
      {"http://schemas.microsoft.com/identity/claims/objectidentifier", "AAAAAAAA-0000-4000-8000-000000000001"},
      {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "Ann@contoso.example"},
      {"appid", kCommandLine}};
  const AccessEvent policy = decode(put);
  const AccessEvent read = decode(record_of("SecretGet", 200));
  EXPECT_EQ(policy.caller_key(), read.caller_key());
  EXPECT_EQ(policy.caller_kind, read.caller_kind);
  EXPECT_EQ(policy.user_name(), read.user_name());
}

TEST(Pitfalls, PoliciesAreChangedByPatchTooAndNotByTags) {
  json patch = record_of("VaultPatch", 200);
  patch["properties"]["addedAccessPolicy"] = {{"ObjectId", "BBBBBBBB-0000-4000-8000-000000000002"}};
  const AccessEvent changed = decode(patch);
  EXPECT_EQ(changed.policy_marks, kPolicyMarkAdded);
  EXPECT_EQ(changed.get(TextField::kPolicyPrincipal), "bbbbbbbb-0000-4000-8000-000000000002");
  EXPECT_EQ(decode(record_of("VaultPut", 200)).policy_marks, 0);
}

TEST(Pitfalls, TheCommandLineIsAClientOfAUserNotAnApplication) {
  const AccessEvent event = decode(record_of("SecretGet", 200));
  EXPECT_EQ(event.caller_kind, CallerKind::kUser);
  EXPECT_EQ(event.app_id(), kCommandLine);
  EXPECT_EQ(event.caller_key(), event.object_id());
}

TEST(Pitfalls, OnlyAppOnlyMicrosoftServicesAreFirstParty) {
  json scanner = record_of("VaultGet", 200);
  scanner["identity"]["claim"] = {{"appid", kResourceGraph}, {"oid", "cccccccc-0000-4000-8000-000000000003"}};
  ASSERT_TRUE(is_first_party_app(kResourceGraph));
  EXPECT_EQ(decode(scanner).caller_kind, CallerKind::kFirstParty);
  scanner["identity"]["claim"]["scp"] = "user_impersonation";
  EXPECT_EQ(decode(scanner).caller_kind, CallerKind::kUser);
}

TEST(Pitfalls, CaseNeverMakesTwoOfOne) {
  json lower = record_of("SecretGet", 200, "https://kv-pay.vault.azure.net/secrets/db-password");
  json upper = record_of("secretget", 200, "https://KV-PAY.vault.azure.net/Secrets/DB-Password");
  lower["resourceId"] =
      "/subscriptions/5b0c2c1a-0000-4000-8000-00000000000a/resourcegroups/rg/providers/"
      "microsoft.keyvault/vaults/kv-pay";
  upper["correlationId"] = "C0000000-0000-4000-8000-000000000001";
  EXPECT_EQ(describe(decode(lower)), describe(decode(upper)));
}

TEST(Pitfalls, AllShapesOfOneAccessAreOneEvent) {
  const json raw = record_of("SecretGet", 200, "https://kv-pay.vault.azure.net/secrets/db");
  const json flat = {{"TimeGenerated", raw["time"]},
                     {"ResourceId", kVault},
                     {"ResourceProvider", "MICROSOFT.KEYVAULT"},
                     {"Category", "AuditEvent"},
                     {"OperationName", "SecretGet"},
                     {"CorrelationId", raw["correlationId"]},
                     {"CallerIPAddress", "203.0.113.9"},
                     {"httpStatusCode_d", "200"},
                     {"identity_claim_oid_g", "None"},
                     {"identity_claim_oid_s", "aaaaaaaa-0000-4000-8000-000000000001"},
                     {"identity_claim_appid_g", kCommandLine},
                     {"identity_claim_upn_s", "ann@contoso.example"},
                     {"identity_claim_scp_s", "user_impersonation"},
                     {"isRbacAuthorized_b", "True"},
                     {"trustedService_s", "None"},
                     {"id_s", raw["properties"]["id"]},
                     {"requestUri_s", raw["properties"]["requestUri"]}};
  const json table = {{"TimeGenerated", raw["time"]},
                      {"_ResourceId", kVault},
                      {"OperationName", "SecretGet"},
                      {"CorrelationId", raw["correlationId"]},
                      {"CallerIpAddress", "203.0.113.9"},
                      {"HttpStatusCode", 200},
                      {"Identity", raw["identity"].dump()},
                      {"Id", raw["properties"]["id"]},
                      {"RequestUri", raw["properties"]["requestUri"]}};
  EXPECT_EQ(describe(decode(raw)), describe(decode(flat)));
  EXPECT_EQ(describe(decode(raw)), describe(decode(table)));
}

TEST(Pitfalls, TimeComesFromTheRecordToTheTick) {
  json record = record_of("SecretGet", 200);
  const AccessEvent first = decode(record);
  record["time"] = "2026-03-02T09:15:30.1234568Z";
  EXPECT_EQ(decode(record).time.ticks - first.time.ticks, 1);
  record["time"] = "2026-03-01T23:59:59Z";
  EXPECT_LT(decode(record).time, first.time);
}

TEST(Pitfalls, TheSameRecordTwiceIsADuplicateAndItsNeighbourIsNot) {
  json record = record_of("SecretGet", 200, "https://kv-pay.vault.azure.net/secrets/db");
  const AccessEvent first = decode(record);
  record["properties"]["requestUri"] = "https://kv-pay.vault.azure.net/secrets/db?api-version=7.4&_=1712126805801";
  record["time"] = "2026-03-02T09:15:30.123Z";
  record["correlationId"] = "";
  const AccessEvent again = decode(record);
  EXPECT_EQ(duplicate_hash(first), duplicate_hash(again));
  EXPECT_TRUE(is_duplicate(first, again));
  record["correlationId"] = "c0000000-0000-4000-8000-000000000002";
  EXPECT_FALSE(is_duplicate(first, decode(record)));
  record["correlationId"] = "";
  record["time"] = "2026-03-02T09:15:30.124Z";
  EXPECT_FALSE(is_duplicate(first, decode(record)));
}

TEST(Pitfalls, PrivateAddressesAreOnAPrivatePath) {
  json record = record_of("SecretGet", 200);
  EXPECT_EQ(decode(record).network_path, NetworkPath::kPublic);
  record["callerIpAddress"] = "10.10.1.5";
  EXPECT_EQ(decode(record).network_path, NetworkPath::kPrivateLink);
  record["properties"]["subnetId"] = "/subscriptions/s/virtualnetworks/v/subnets/n";
  EXPECT_EQ(decode(record).network_path, NetworkPath::kServiceEndpoint);
  record["properties"]["privateEndpointId"] = "/subscriptions/s/privateendpoints/p";
  EXPECT_EQ(decode(record).network_path, NetworkPath::kPrivateLink);
  record["properties"]["trustedService"] = "AzureBackup";
  EXPECT_EQ(decode(record).network_path, NetworkPath::kTrustedService);
}

TEST(Pitfalls, DenialsAreKeptApart) {
  struct Row {
    const char* text;
    DenialKind denial;
    Outcome outcome;
  };
  const std::vector<Row> rows = {
      {"The user, group or application 'appid=a' does not have secrets get permission on key vault 'v'.",
       DenialKind::kPolicy, Outcome::kDenied},
      {"Caller is not authorized to perform action on resource.\r\nAction: 'x'", DenialKind::kRbac, Outcome::kDenied},
      {"Client address is not authorized and caller is not a trusted service.", DenialKind::kFirewall,
       Outcome::kDenied},
      {"Public network access is disabled and request is not from a trusted service nor via an approved private link.",
       DenialKind::kConnection, Outcome::kDenied},
      {"Operation sign is not permitted on this key.", DenialKind::kObjectState, Outcome::kOther},
      {"Operation get is not allowed on a disabled secret: the secret is disabled.", DenialKind::kObjectState,
       Outcome::kOther},
      {"Operation get is not allowed on a disabled secret.", DenialKind::kObjectState, Outcome::kOther},
      {"Operation get is not allowed on an expired secret.", DenialKind::kObjectState, Outcome::kOther},
      {"Operation WrapKey is not allowed on a disabled key.", DenialKind::kObjectState, Outcome::kOther},
      {"The key is not yet valid or has expired.", DenialKind::kObjectState, Outcome::kOther},
      {"Secret is not valid before nbf 1790000000.", DenialKind::kObjectState, Outcome::kOther},
      {"SecretNotYetValid", DenialKind::kObjectState, Outcome::kOther},
      {"Caller is not authorized to perform action on resource 'expired'.", DenialKind::kRbac, Outcome::kDenied},
      {"Access denied to first party service.", DenialKind::kFirstParty, Outcome::kOther},
      {"", DenialKind::kUnspecified, Outcome::kDenied}};
  for (const Row& row : rows) {
    json record = record_of("SecretGet", 403);
    record["resultDescription"] = row.text;
    const AccessEvent event = decode(record);
    EXPECT_EQ(event.denial_kind, row.denial) << row.text;
    EXPECT_EQ(event.outcome, row.outcome) << row.text;
  }
}

TEST(Pitfalls, WhoeverHasTheRightIsRefusedByTheObject) {
  for (const char* flag : {"isRbacAuthorized", "isAccessPolicyMatch"}) {
    json record = record_of("SecretGet", 403);
    record["properties"][flag] = true;
    EXPECT_EQ(decode(record).outcome, Outcome::kOther) << flag;
    record["resultDescription"] = "The user does not have the permission that a name may speak of.";
    EXPECT_EQ(decode(record).denial_kind, DenialKind::kObjectState) << flag;
    record["resultDescription"] = "Client address is not authorized and caller is not a trusted service.";
    EXPECT_EQ(decode(record).outcome, Outcome::kDenied) << flag;
  }
}

TEST(Pitfalls, OneObjectUnderAllItsAddresses) {
  const std::string host = "https://kv-pay.vault.azure.net";
  const std::string version = "00112233445566778899aabbccddeeff";
  const std::vector<std::string> paths = {"/secrets/Db",        "/secrets/db/",
                                          "/deletedsecrets/db", "/secrets/db/" + version,
                                          "/secrets/db/backup", "/secrets/db/?_=17"};
  for (const std::string& path : paths) {
    json record = record_of("SecretGet", 200);
    record["properties"]["requestUri"] = host + path;
    const AccessEvent event = decode(record);
    EXPECT_EQ(event.object(), "secrets/db") << path;
    EXPECT_EQ(event.object_version(), path.find(version) == std::string::npos ? "" : version) << path;
  }
  json restore = record_of("SecretRestore", 200);
  restore["properties"]["requestUri"] = host + "/secrets/restore?api-version=7.0";
  EXPECT_EQ(decode(restore).object(), "");
  json list = record_of("SecretList", 200);
  list["properties"]["requestUri"] = host + "/secrets?maxresults=25&_=1";
  EXPECT_EQ(decode(list).object(), "");
}

TEST(Pitfalls, OnlySecretOperationsListAndReadCredentials) {
  const auto row = [](std::string_view name) { return operation_row(find_operation(name)); };
  EXPECT_TRUE(row("SecretList").credential_list);
  EXPECT_FALSE(row("KeyList").credential_list);
  EXPECT_FALSE(row("CertificateList").credential_list);
  EXPECT_TRUE(row("SecretGet").credential_read);
  EXPECT_FALSE(row("KeyGet").credential_read);
  EXPECT_FALSE(row("CertificateGet").credential_read);
}

TEST(Pitfalls, SystemRowsAndThrottledCallsAreMarkedAsWhatTheyAre) {
  json notice = record_of("SecretNearExpiryEventGridNotification", 200);
  notice.erase("identity");
  EXPECT_EQ(decode(notice).operation_kind, OperationKind::kSystem);
  EXPECT_EQ(decode(notice).caller_kind, CallerKind::kAnonymous);
  EXPECT_EQ(decode(record_of("SecretGet", 429)).outcome, Outcome::kThrottled);
}

}  // namespace
}  // namespace keyvigil
