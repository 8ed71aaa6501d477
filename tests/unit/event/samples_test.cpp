// Real and documented records, read where they lie: what each means was written down by hand from the records.
//
// The folder is not part of the repository; its path comes from KEYVIGIL_SHARED.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "event/decode.h"
#include "event/operation.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

std::optional<std::string> samples_folder() {
  const char* const shared = std::getenv("KEYVIGIL_SHARED");
  return shared == nullptr ? std::nullopt : std::optional<std::string>(std::string(shared) + "/samples/records/");
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) { lines.push_back(line); }
  }
  return lines;
}

struct Expected {
  std::string_view operation;
  CallerKind caller;
  Outcome outcome;
  DenialKind denial;
  std::string_view object;
  std::string_view version;
};

constexpr CallerKind kUser = CallerKind::kUser;
constexpr CallerKind kApp = CallerKind::kApp;
constexpr Outcome kSuccess = Outcome::kSuccess;
constexpr Outcome kDenied = Outcome::kDenied;
constexpr Outcome kNotFound = Outcome::kNotFound;
constexpr Outcome kOther = Outcome::kOther;
constexpr DenialKind kNone = DenialKind::kNone;
constexpr DenialKind kPolicy = DenialKind::kPolicy;
constexpr DenialKind kRbac = DenialKind::kRbac;

// In the order of the file. Lists and vault operations have no object; a deleted object is the live one's.
const std::vector<Expected> kVaultRecords = {
    {"CertificateCreate", kUser, kSuccess, kNone, "certificates/fdfdffffd", ""},
    {"CertificateImport", kUser, kOther, kNone, "certificates/mycertiii", ""},
    {"CertificateImport", kUser, kSuccess, kNone, "certificates/yfuffuygu", ""},
    {"CertificateUpdate", kUser, kSuccess, kNone, "certificates/fdfdffffd", "2b5dd56d53254413811cb3d3ea2529f1"},
    {"KeyBackup", kUser, kSuccess, kNone, "keys/egzghfgrrg", ""},
    {"KeyDelete", kUser, kSuccess, kNone, "keys/egzghfgrrg", ""},
    {"KeyDelete", kUser, kSuccess, kNone, "keys/egzghfgrrg", ""},
    {"KeyGet", kUser, kNotFound, kNone, "keys/egzghfgrrg", ""},
    {"KeyGet", kUser, kSuccess, kNone, "keys/myfirstkey", ""},
    {"KeyList", kUser, kSuccess, kNone, "", ""},
    {"KeyList", kUser, kDenied, kRbac, "", ""},
    {"KeyListDeleted", kUser, kSuccess, kNone, "", ""},
    {"KeyListVersions", kUser, kSuccess, kNone, "", ""},
    {"KeyPurge", kUser, kDenied, kPolicy, "keys/myfirstkey", ""},
    {"KeyPurge", kUser, kDenied, kPolicy, "keys/myfirstkey", ""},
    {"KeyUpdate", kUser, kSuccess, kNone, "keys/iiii", "c0d4c7ec6efb4fbeaec16a3872519399"},
    {"SecretBackup", kUser, kSuccess, kNone, "secrets/keykey", ""},
    {"SecretDelete", kUser, kSuccess, kNone, "secrets/keykey", ""},
    {"SecretGet", kUser, kNotFound, kNone, "secrets/keykey", ""},
    {"SecretGet", kUser, kDenied, kRbac, "secrets/a", ""},
    {"SecretList", kUser, kSuccess, kNone, "", ""},
    {"SecretListDeleted", kUser, kSuccess, kNone, "", ""},
    {"SecretPurge", kUser, kDenied, kPolicy, "secrets/mysecret", ""},
    {"SecretPurge", kUser, kDenied, kPolicy, "secrets/mysecret", ""},
    {"SecretRestore", kUser, kOther, kNone, "secrets/keykey", ""},
    {"SecretUpdate", kUser, kSuccess, kNone, "secrets/keykey", "8fbb0accbfbe4ee4b025649ebabae465"},
    {"VaultGet", kUser, kSuccess, kNone, "", ""},
    {"VaultGet", kApp, kSuccess, kNone, "", ""},
    {"VaultGet", kUser, kSuccess, kNone, "", ""},
    {"VaultGet", kUser, kSuccess, kNone, "", ""},
    {"VaultGet", kUser, kSuccess, kNone, "", ""},
    {"VaultPatch", kUser, kSuccess, kNone, "", ""},
};

void expect_like(const Expected& expected, const TwinAnswer& answer, std::string_view side) {
  SCOPED_TRACE(std::string(side) + " of " + std::string(expected.operation));
  ASSERT_EQ(answer.kind, DecodeKind::kEvent) << describe(answer);
  const AccessEvent& event = answer.event;
  EXPECT_EQ(event.operation_name(), expected.operation);
  EXPECT_EQ(event.caller_kind, expected.caller);
  EXPECT_EQ(event.outcome, expected.outcome);
  EXPECT_EQ(event.denial_kind, expected.denial);
  EXPECT_EQ(event.object(), expected.object);
  EXPECT_EQ(event.object_version(), expected.version);
}

// Both sides must mean what the hand-written row says, and each other.
void expect_record(const Expected& expected, const std::string& record) {
  Decoder decoder;
  const TwinAnswer by_twin = decode_by_twin(json::parse(record));
  const TwinAnswer decoded = decode_exactly(decoder, record);
  expect_like(expected, by_twin, "twin");
  expect_like(expected, decoded, "decoder");
  EXPECT_EQ(difference(by_twin, decoded), "");
}

AccessEvent decode_event(const std::string& record) {
  Decoder decoder;
  TwinAnswer answer = decode_exactly(decoder, record);
  EXPECT_EQ(answer.kind, DecodeKind::kEvent) << describe(answer);
  return answer.event;
}

class Samples : public testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> folder = samples_folder();
    if (!folder) { GTEST_SKIP() << "KEYVIGIL_SHARED is not set: the folder of real records is not here."; }
    folder_ = *folder;
  }
  std::string folder_;
};

TEST_F(Samples, EveryRealVaultRecordMeansWhatItsRowSays) {
  const std::vector<std::string> records = lines_of(read_file(folder_ + "sekoia_keyvault_raw.jsonl"));
  ASSERT_EQ(records.size(), kVaultRecords.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    expect_record(kVaultRecords[i], records[i]);
  }
}

TEST_F(Samples, ADumpThroughTheCommandLineIsAUsersDoing) {
  const std::map<std::string, Expected> rows = {
      {"certificate_list.json", {"CertificateList", kUser, kSuccess, kNone, "", ""}},
      {"key_get.json", {"KeyGet", kUser, kSuccess, kNone, "keys/securaallrsakeys", ""}},
      {"key_list.json", {"KeyList", kUser, kSuccess, kNone, "", ""}},
      {"secret_get.json",
       {"SecretGet", kUser, kSuccess, kNone, "secrets/securaallsecret", "4c39bacace9a49b2bd542ce61bd6f312"}},
      {"vault_put_auditevent.json", {"VaultPut", kUser, kSuccess, kNone, "", ""}},
  };
  std::set<std::string> keys;
  std::set<std::string> vaults;
  for (const auto& [file, expected] : rows) {
    SCOPED_TRACE(file);
    const std::string record = read_file(folder_ + "securathesis/" + file);
    expect_record(expected, record);
    const AccessEvent event = decode_event(record);
    keys.emplace(event.caller_key());
    vaults.emplace(event.vault_id());
    EXPECT_FALSE(event.address.known);  // redacted by its publisher
  }
  EXPECT_EQ(keys, std::set<std::string>{"30a6c29d-de7c-4830-815f-9b3bb366e975"});
  EXPECT_EQ(vaults.size(), 1U);
}

TEST_F(Samples, TheRealVaultPutSaysNothingOfPoliciesButItsPermissionModel) {
  const AccessEvent event = decode_event(read_file(folder_ + "securathesis/vault_put_auditevent.json"));
  EXPECT_EQ(event.policy_marks, 0);
  EXPECT_EQ(event.rbac_authorization, TriState::kFalse);
  EXPECT_EQ(event.get(TextField::kNetworkAcls), "");
}

TEST_F(Samples, TheRealVaultPatchCarriesItsNetworkRules) {
  const std::vector<std::string> records = lines_of(read_file(folder_ + "sekoia_keyvault_raw.jsonl"));
  ASSERT_EQ(records.size(), 32U);
  const AccessEvent event = decode_event(records[31]);
  EXPECT_EQ(event.rbac_authorization, TriState::kFalse);
  EXPECT_EQ(event.get(TextField::kNetworkAcls), "bypass=azureservices;defaultaction=allow");
}

TEST_F(Samples, TheUnauthenticatedChallengeIsNobodys) {
  const std::string record = read_file(folder_ + "misc/azure_sdk_issue_23252_authentication_401.json");
  expect_record(
      {"Authentication", CallerKind::kAnonymous, Outcome::kChallenge, kNone, "secrets/**[my-first-secret]**", ""},
      record);
  const AccessEvent event = decode_event(record);
  EXPECT_EQ(event.caller_key(), "");
  EXPECT_EQ(event.network_path, NetworkPath::kServiceEndpoint);
}

TEST_F(Samples, AManagedIdentityIsKnownByItsResource) {
  const std::string record = read_file(folder_ + "misc/offsec_lab_managed_identity_secretget.json");
  expect_record({"SecretGet", CallerKind::kManagedIdentity, kSuccess, kNone, "secrets/austria-kangaroosrv1-root",
                 "d123e4567d89b12c3456789abcdef012"},
                record);
  const AccessEvent event = decode_event(record);
  EXPECT_EQ(event.caller_key(), "12b00477-33dc-4f52-7c3f-7652be5dc78f");
  EXPECT_EQ(event.managed_identity(),
            "/subscriptions/2234e01d-6a53-4abc-9d1e-40a9de9123f2/resourcegroups/megacorptwo_azure/providers/"
            "microsoft.web/sites/mct-internal");
}

TEST_F(Samples, TheCommandLinesAllStringsRowIsAnEvent) {
  const std::string record = read_file(folder_ + "misc/azurediagnostics_az_cli_query_vaultget.json");
  expect_record({"VaultGet", kApp, kSuccess, kNone, "", ""}, record);
  const AccessEvent event = decode_event(record);
  EXPECT_EQ(event.http_status, 200);
  EXPECT_EQ(event.vault_id(), ".../vaults/mycook2551kv");
}

TEST_F(Samples, FragmentsAndRenderedTextAreRefused) {
  Decoder decoder;
  for (const std::string file :
       {"k8s_secrets_handbook_aks_kms_keydecrypt_FRAGMENT.txt", "k8s_secrets_handbook_uami_keyget_FRAGMENT.txt",
        "azkvauditlogs_keysign_rendered_hardhat_kms.txt", "privatelink_response_headers_2026.txt"}) {
    const std::string text = read_file(folder_ + "misc/" + file);
    ASSERT_FALSE(text.empty()) << file;
    const TwinAnswer answer = decode_exactly(decoder, text);
    EXPECT_EQ(answer.kind, DecodeKind::kRefused) << file << "\n" << describe(answer);
    EXPECT_EQ(answer.refusal, RefusalCause::kNotJson) << file;
  }
}

TEST_F(Samples, TheDocumentsEnvelopeHoldsAUsersVaultGet) {
  const std::string text = read_file(folder_ + "msdocs/logging_md_records_envelope.json");
  Decoder decoder;
  EXPECT_EQ(decode_exactly(decoder, text).kind, DecodeKind::kEnvelope);
  const std::string record = json::parse(text)["records"][0].dump();
  expect_record({"VaultGet", kUser, kSuccess, kNone, "", ""}, record);
  const AccessEvent event = decode_event(record);
  EXPECT_EQ(event.user_name(), "live.com#username@outlook.com");
  EXPECT_EQ(event.caller_key(), "d9da5048-2737-4770-bd64-xxxxxxxxxxxx");
  EXPECT_EQ(event.correlation_id(), "");
}

TEST_F(Samples, AManagedHsmRecordIsReadFromItsTopLevel) {
  const std::string text = read_file(folder_ + "msdocs/managed_hsm_logging_md_array.json");
  Decoder decoder;
  EXPECT_EQ(decode_exactly(decoder, text).kind, DecodeKind::kEnvelope);
  const std::string record = json::parse(text)[0].dump();
  expect_record({"BackupCreate", kUser, kSuccess, kNone, "", ""}, record);
  const AccessEvent event = decode_event(record);
  EXPECT_EQ(event.http_status, 202);
  EXPECT_EQ(event.user_name(), "<user-email>");
  EXPECT_EQ(event.caller_key(), "<object-id>");
  EXPECT_EQ(event.uri(), "https://<hsm-name>.managedhsm.azure.net/backup");
  EXPECT_EQ(event.network_path, NetworkPath::kPublic);
}

TEST_F(Samples, EventGridEventsAreSkipped) {
  const json events = json::parse(read_file(folder_ + "msdocs/event_grid_SecretNewVersionCreated.json"));
  Decoder decoder;
  const TwinAnswer answer = decode_exactly(decoder, events[0].dump());
  EXPECT_EQ(answer.kind, DecodeKind::kSkipped) << describe(answer);
  EXPECT_EQ(answer.skip, SkipCause::kEventGrid);
  EXPECT_EQ(difference(decode_by_twin(events[0]), answer), "");
}

TEST_F(Samples, TheThreeEnvelopesHoldTheSameTwoAnonymousRecords) {
  const json records = json::parse(read_file(folder_ + "otel/envelope_records.json"));
  const json array = json::parse(read_file(folder_ + "otel/envelope_json_array.json"));
  const std::vector<std::string> lines = lines_of(read_file(folder_ + "otel/envelope_ndjson.jsonl"));
  ASSERT_EQ(array.size(), 2U);
  ASSERT_EQ(lines.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Expected expected{"SecretGet", CallerKind::kAnonymous, kOther, kNone, "", ""};
    expect_record(expected, records["records"][i].dump());
    expect_record(expected, array[i].dump());
    expect_record(expected, lines[i]);
    const AccessEvent event = decode_event(lines[i]);
    EXPECT_TRUE(same_canonical_event(event, decode_event(array[i].dump())));
    EXPECT_EQ(event.vault_id(), i == 0 ? "/resource_id" : "/resource_id2");
    EXPECT_EQ(event.http_status, 0);
  }
}

TEST_F(Samples, AnotherCategoryIsSkipped) {
  const json envelope = json::parse(read_file(folder_ + "otel/identity_as_object.json"));
  Decoder decoder;
  const TwinAnswer answer = decode_exactly(decoder, envelope["records"][0].dump());
  EXPECT_EQ(answer.kind, DecodeKind::kSkipped) << describe(answer);
  EXPECT_EQ(answer.skip, SkipCause::kOtherCategory);
}

}  // namespace
}  // namespace keyvigil
