// What one record says, however it was exported: columns that found no place, rows that a search job copied, queries
// that leave the resource id out, addresses and times of other writers, and records of other services.
#include <gtest/gtest.h>

#include "event/decode.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

constexpr const char* kVault =
    "/subscriptions/5b0c2c1a-0000-4000-8000-00000000000a/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-pay";

TwinAnswer decode(const json& record) {
  Decoder decoder;
  TwinAnswer answer = decode_exactly(decoder, record.dump());
  EXPECT_EQ(difference(decode_by_twin(record), answer), "") << record.dump();
  return answer;
}

std::string refusal_of(const json& record) {
  Decoder decoder;
  std::string text = record.dump();
  const std::size_t size = text.size();
  text.append(kRecordPadding, '\0');
  AccessEvent event;
  return decoder.decode_json(std::string_view(text).substr(0, size), event).message;
}

bool has_unreadable_address(const json& record) {
  Decoder decoder;
  std::string text = record.dump();
  const std::size_t size = text.size();
  text.append(kRecordPadding, '\0');
  AccessEvent event;
  return decoder.decode_json(std::string_view(text).substr(0, size), event).address_unreadable;
}

json raw() {
  return {{"time", "2026-03-02T09:15:30.1234567Z"},
          {"category", "AuditEvent"},
          {"operationName", "SecretGet"},
          {"callerIpAddress", "203.0.113.9"},
          {"identity", {{"claim", {{"oid", "aaaaaaaa-0000-4000-8000-000000000001"}, {"upn", "ann@contoso.example"}}}}},
          {"properties",
           {{"id", "https://kv-pay.vault.azure.net/secrets/db"},
            {"requestUri", "https://kv-pay.vault.azure.net/secrets/db?api-version=7.4"},
            {"httpStatusCode", 200}}},
          {"resourceId", kVault}};
}

json diagnostics() {
  return {{"TimeGenerated", "2026-03-02T09:15:30.1234567Z"},
          {"Category", "AuditEvent"},
          {"ResourceProvider", "MICROSOFT.KEYVAULT"},
          {"ResourceId", kVault},
          {"OperationName", "SecretGet"},
          {"CallerIPAddress", "203.0.113.9"}};
}

const json& added_columns() {
  static const json kColumns = {{"identity_claim_oid_g", "aaaaaaaa-0000-4000-8000-000000000001"},
                                {"identity_claim_upn_s", "ann@contoso.example"},
                                {"id_s", "https://kv-pay.vault.azure.net/secrets/db"},
                                {"requestUri_s", "https://kv-pay.vault.azure.net/secrets/db?api-version=7.4"},
                                {"httpStatusCode_d", 200}};
  return kColumns;
}

TEST(AdditionalFields, StandForColumnsAsObjectAndAsText) {
  const std::string expected = describe(decode(raw()));
  json row = diagnostics();
  row["AdditionalFields"] = added_columns();
  EXPECT_EQ(describe(decode(row)), expected);
  row["AdditionalFields"] = added_columns().dump();
  EXPECT_EQ(describe(decode(row)), expected);
}

TEST(AdditionalFields, AreKnownWithoutSuffixAndInAnyCase) {
  const std::string expected = describe(decode(raw()));
  json row = diagnostics();
  row["AdditionalFields"] = {{"identity_claim_oid", "aaaaaaaa-0000-4000-8000-000000000001"},
                             {"IdentityClaimUpn", "ann@contoso.example"},
                             {"Id", "https://kv-pay.vault.azure.net/secrets/db"},
                             {"request_uri", "https://kv-pay.vault.azure.net/secrets/db?api-version=7.4"},
                             {"HttpStatusCode", "200"}};
  EXPECT_EQ(describe(decode(row)), expected);
}

TEST(AdditionalFields, NeverOverrideAColumnInItsOwnPlace) {
  json row = diagnostics();
  row.update(added_columns());
  const std::string expected = describe(decode(row));
  // nlohmann orders members by name: this one is read first.
  row["AdditionalFields"] = {{"requestUri_s", "https://other.vault.azure.net/secrets/x"}, {"httpStatusCode_d", 403}};
  EXPECT_EQ(describe(decode(row)), expected);
}

TEST(AdditionalFields, AreRefusedWhereTheyAreCut) {
  json row = diagnostics();
  const std::string text = added_columns().dump();
  row["AdditionalFields"] = text.substr(0, text.size() / 2);
  EXPECT_EQ(decode(row).kind, DecodeKind::kRefused);
  row["AdditionalFields"] = "";
  EXPECT_EQ(decode(row).kind, DecodeKind::kEvent);
  row["AdditionalFields"] = "nothing";
  EXPECT_EQ(decode(row).kind, DecodeKind::kEvent);
}

TEST(AdditionalFields, AreReadFromACsvCell) {
  Decoder decoder;
  AccessEvent event;
  const auto columns =
      TableColumns::resolve({"TimeGenerated [UTC]", "ResourceId", "OperationName", "AdditionalFields"});
  const std::string row = std::string("2026-03-02T09:15:30Z,") + kVault +
                          ",SecretGet,\"{\"\"httpStatusCode_d\"\":403,\"\"isRbacAuthorized_b\"\":false}\"";
  ASSERT_EQ(decoder.decode_row_csv(row, columns, event).kind, DecodeKind::kEvent);
  EXPECT_EQ(event.outcome, Outcome::kDenied);
}

TEST(SearchJob, RowsHaveTheTimeOfTheRowThatTheyCopy) {
  json row = diagnostics();
  row["_OriginalTimeGenerated"] = row["TimeGenerated"];
  row["_OriginalType"] = "AzureDiagnostics";
  row["TimeGenerated"] = "2026-11-01T00:00:00Z";
  row["Type"] = "Found_SRCH";
  EXPECT_EQ(to_iso_milliseconds(decode(row).event.time), "2026-03-02T09:15:30.123Z");
  row["_OriginalType"] = "AZKVPolicyEvaluationDetailsLogs";
  EXPECT_EQ(decode(row).skip, SkipCause::kOtherCategory);
}

TEST(Times, MayBeNumbers) {
  json row = diagnostics();
  row["TimeGenerated"] = 1772442930123;
  EXPECT_EQ(to_iso_milliseconds(decode(row).event.time), "2026-03-02T09:15:30.123Z");
  row["TimeGenerated"] = 17;
  EXPECT_EQ(decode(row).kind, DecodeKind::kRefused);
  EXPECT_NE(refusal_of(row).find("found '17'"), std::string::npos) << refusal_of(row);
}

TEST(Times, OfUnknownOrderAreRefusedWithASentence) {
  json record = raw();
  record["time"] = "02/03/2026 09:15:30";
  EXPECT_EQ(decode(record).refusal, RefusalCause::kNoTime);
  EXPECT_NE(refusal_of(record).find("day and month"), std::string::npos);
  EXPECT_NE(refusal_of(record).find("'02/03/2026 09:15:30'"), std::string::npos);
}

TEST(Addresses, MayHaveBlanksPortsAndCompany) {
  json record = raw();
  for (const char* text : {" 203.0.113.7 ", "203.0.113.7, 10.0.0.4", "203.0.113.7,10.0.0.4", "203.0.113.7:4711",
                           "203.0.113.7:4711; 10.0.0.4", "\t203.0.113.7"}) {
    record["callerIpAddress"] = text;
    EXPECT_EQ(to_string(decode(record).event.address), "203.0.113.7") << text;
    EXPECT_FALSE(has_unreadable_address(record)) << text;
  }
  record["callerIpAddress"] = "[2001:db8::17]:443, 10.0.0.4";
  EXPECT_EQ(to_string(decode(record).event.address), "2001:db8::17");
}

TEST(Addresses, ThatCannotBeReadAreSaidToBeSo) {
  json record = raw();
  for (const char* text : {"unknown", "203.0.113.700", "unknown, 203.0.113.7", "XX:2a02::1", ","}) {
    record["callerIpAddress"] = text;
    EXPECT_FALSE(decode(record).event.address.known) << text;
    EXPECT_TRUE(has_unreadable_address(record)) << text;
  }
  for (const char* text : {"", " ", "None"}) {
    record["callerIpAddress"] = text;
    EXPECT_FALSE(has_unreadable_address(record)) << text;
  }
}

TEST(OtherServices, AreSkippedThoughTheirCategoryIsTheSame) {
  json record = raw();
  record["resourceId"] =
      "/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.ATTESTATION/ATTESTATIONPROVIDERS/ATTCONTOSO";
  EXPECT_EQ(decode(record).skip, SkipCause::kOtherService);
  record["resourceId"] = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/MANAGEDHSMS/HSM-CONTOSO";
  EXPECT_EQ(decode(record).kind, DecodeKind::kEvent);
}

TEST(VaultNames, ComeFromWhatTheQueryLeft) {
  json row = diagnostics();
  row.update(added_columns());
  row.erase("ResourceId");
  EXPECT_EQ(decode(row).event.vault_id(), "/providers/microsoft.keyvault/vaults/kv-pay");
  EXPECT_EQ(decode(row).event.vault_name(), "kv-pay");
  row["requestUri_s"] = std::string("https://management.azure.com") + kVault + "?api-version=2023-07-01";
  EXPECT_EQ(decode(row).event.vault_id(), kVault);
  row.erase("requestUri_s");
  row.erase("id_s");
  EXPECT_EQ(decode(row).refusal, RefusalCause::kNoVault);
  row["Resource"] = "KV-PAY";
  EXPECT_EQ(decode(row).event.vault_id(), "/providers/microsoft.keyvault/vaults/kv-pay");
  row["ResourceType"] = "MANAGEDHSMS";
  EXPECT_EQ(decode(row).event.vault_id(), "/providers/microsoft.keyvault/managedhsms/kv-pay");
  row["Resource"] = "not a name";
  EXPECT_EQ(decode(row).refusal, RefusalCause::kNoVault);
}

TEST(VaultNames, OfManagedHsmsAndOtherClouds) {
  json row = diagnostics();
  row.erase("ResourceId");
  row["id_s"] = "https://hsm-a.managedhsm.azure.net/keys/k";
  EXPECT_EQ(decode(row).event.vault_id(), "/providers/microsoft.keyvault/managedhsms/hsm-a");
  row["id_s"] = "https://kv-b.vault.usgovcloudapi.net:443/secrets/s";
  EXPECT_EQ(decode(row).event.vault_id(), "/providers/microsoft.keyvault/vaults/kv-b");
  row["id_s"] = "https://kv_b/../.vault.azure.net/secrets/s";
  EXPECT_EQ(decode(row).refusal, RefusalCause::kNoVault);
}

}  // namespace
}  // namespace keyvigil
