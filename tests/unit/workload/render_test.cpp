#include "workload/render.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>
#include <nlohmann/json.hpp>

#include "event/decode.h"
#include "unit/workload/sample_activities.h"

namespace keyvigil::workload {
namespace {

using Json = nlohmann::json;
using namespace testing;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) { lines.push_back(line); }
  return lines;
}

Json raw_of(const Activity& activity) {
  std::string out;
  append_raw_record(out, activity);
  return Json::parse(out);
}

// A CSV reader written for this test only: every row as cells, quotes resolved.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& cell = rows.back().back();
    if (quoted) {
      if (text[i] != '"') {
        cell += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == ',') {
      rows.back().emplace_back();
    } else if (text[i] == '\n') {
      rows.emplace_back(1);
    } else if (text[i] != '\r') {
      cell += text[i];
    }
  }
  rows.pop_back();
  return rows;
}

std::map<std::string, std::string> csv_row(Form form, const Activity& activity) {
  const auto rows = read_csv(render(form, std::vector<Activity>{activity}));
  EXPECT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].size(), rows[1].size());
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < rows[0].size(); ++i) { row[rows[0][i]] = rows[1][i]; }
  return row;
}

TEST(RawRecord, CarriesWhatARealSecretReadCarries) {
  const Json record = raw_of(sample_read());
  EXPECT_EQ(record["time"], "2026-09-28T10:42:07.0000000Z");
  EXPECT_EQ(record["resultType"], "Success");
  EXPECT_EQ(record["resultSignature"], "OK");
  EXPECT_EQ(record["durationMs"], "42");
  EXPECT_EQ(record["resourceId"],
            "/SUBSCRIPTIONS/11111111-AAAA-4BBB-8CCC-222222222222/RESOURCEGROUPS/RG-ORDERS/PROVIDERS/"
            "MICROSOFT.KEYVAULT/VAULTS/KV-ORDERS-PROD-01");
  EXPECT_EQ(record["properties"]["id"],
            "https://kv-Orders-prod-01.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef");
  EXPECT_EQ(record["properties"]["requestUri"],
            "https://kv-Orders-prod-01.vault.azure.net/secrets/db-password/?api-version=7.4");
  EXPECT_EQ(record["properties"]["isAccessPolicyMatch"], true);
  EXPECT_EQ(record["properties"]["clientInfo"], "tool \"quoted\", with comma\tand tab");
  EXPECT_EQ(record["identity"]["claim"]["upn"], "dana.ito@contoso.com");
  EXPECT_EQ(record["identity"]["claim"]["scp"], "user_impersonation");
  EXPECT_FALSE(record.contains("resultDescription"));
}

TEST(RawRecord, SaysSuccessEvenWhereTheRequestWasRefused) {
  for (const Activity& activity : {sample_rbac_denial(), sample_policy_denial(), sample_firewall_denial()}) {
    const Json record = raw_of(activity);
    EXPECT_EQ(record["resultType"], "Success");
    EXPECT_EQ(record["resultSignature"], "Forbidden");
    EXPECT_EQ(record["properties"]["httpStatusCode"], 403);
  }
  EXPECT_EQ(raw_of(sample_rbac_denial())["properties"]["isRbacAuthorized"], false);
  EXPECT_EQ(raw_of(sample_policy_denial())["properties"]["isAccessPolicyMatch"], false);
  EXPECT_FALSE(raw_of(sample_firewall_denial())["properties"].contains("isAccessPolicyMatch"));
}

TEST(RawRecord, AChallengeHasNoIdentityAndNoObjectButShowsTheUri) {
  const Json record = raw_of(sample_challenge());
  EXPECT_EQ(record["identity"], Json::object());
  EXPECT_FALSE(record["properties"].contains("id"));
  EXPECT_FALSE(record.contains("resultDescription"));
  EXPECT_NE(record["properties"]["requestUri"].get<std::string>().find("/secrets/db-password/"), std::string::npos);
  EXPECT_TRUE(record["properties"].contains("subnetId"));
}

TEST(RawRecord, VaultOperationsUseTheLongClaimNamesAndTheManagementAddress) {
  const Json record = raw_of(sample_policy_change());
  const Json& claim = record["identity"]["claim"];
  EXPECT_EQ(claim["http://schemas.microsoft.com/identity/claims/objectidentifier"], sample_user().object_id);
  EXPECT_FALSE(claim.contains("oid"));
  EXPECT_TRUE(record["properties"]["requestUri"].get<std::string>().starts_with("https://management.azure.com/"));
  EXPECT_EQ(record["properties"]["addedAccessPolicy"]["ObjectId"], sample_user().object_id);
  EXPECT_EQ(record["properties"]["properties"]["networkAcls"]["defaultAction"], "Deny");
}

TEST(RawRecord, OfAManagedHsmNestsTheIdentityAsText) {
  Activity activity = sample_key_use();
  activity.vault.managed_hsm = true;
  const Json record = raw_of(activity);
  EXPECT_TRUE(record["durationMs"].is_number());
  EXPECT_EQ(record["httpStatusCode"], 200);
  EXPECT_NE(record["resourceId"].get<std::string>().find("/MANAGEDHSMS/"), std::string::npos);
  const Json identity = Json::parse(record["identity"].get<std::string>());
  EXPECT_EQ(identity["claim"]["appid"], activity.caller.app_id);
  EXPECT_EQ(identity["claim"]["http_schemas_microsoft_com_identity"]["claims"]["objectidentifier"],
            activity.caller.object_id);
}

TEST(RawRecord, EscapesWhatTheClientChose) {
  Activity activity = sample_read();
  activity.client_info = std::string("a\"b\\c\n\r\t\x01", 9);
  EXPECT_EQ(raw_of(activity)["properties"]["clientInfo"], activity.client_info);
}

TEST(RenderedForms, EnvelopesHoldAllRecords) {
  const auto activities = sample_activities();
  const Json records = Json::parse(render(Form::kRecords, activities));
  ASSERT_EQ(records["records"].size(), activities.size());
  const Json array = Json::parse(render(Form::kArray, activities));
  EXPECT_EQ(array, records["records"]);
  const auto lines = lines_of(render(Form::kRaw, activities));
  ASSERT_EQ(lines.size(), activities.size());
  for (std::size_t i = 0; i < lines.size(); ++i) { EXPECT_EQ(Json::parse(lines[i]), array[i]); }
  EXPECT_EQ(Json::parse(render(Form::kPretty, std::vector{activities[0]})), array[0]);
}

TEST(RenderedForms, WithNoActivityAreStillWellFormed) {
  const std::vector<Activity> none;
  EXPECT_EQ(Json::parse(render(Form::kRecords, none))["records"].size(), 0U);
  EXPECT_EQ(Json::parse(render(Form::kArray, none)).size(), 0U);
  EXPECT_EQ(Json::parse(render(Form::kRestAudit, none))["tables"][0]["rows"].size(), 0U);
  EXPECT_EQ(read_csv(render(Form::kCsvAudit, none)).size(), 1U);
  EXPECT_EQ(render(Form::kRaw, none), "");
}

TEST(RenderedForms, DiagnosticsRowsAreFlatAndTyped) {
  const Json row = Json::parse(render(Form::kDiagnostics, std::vector{sample_key_use()}));
  EXPECT_EQ(row["Resource"], "KV-ORDERS-PROD-01");
  EXPECT_EQ(row["ResourceProvider"], "MICROSOFT.KEYVAULT");
  EXPECT_EQ(row["CallerIPAddress"], "10.1.2.3");
  EXPECT_EQ(row["httpStatusCode_d"], 200);
  EXPECT_EQ(row["isRbacAuthorized_b"], true);
  EXPECT_EQ(row["identity_claim_oid_g"], sample_managed_identity().object_id);
  EXPECT_EQ(row["identity_claim_xms_az_nwperimid_s"], "[]");
  EXPECT_EQ(row["appliedAssignmentId_g"], "fedcba98-7654-3210-fedc-ba9876543210");
  EXPECT_TRUE(row.contains("privateEndpointId_s"));
  EXPECT_FALSE(row.contains("AdditionalFields")) << row.dump();
  for (const auto& [name, value] : row.items()) { EXPECT_FALSE(value.is_structured()) << name; }
}

TEST(RenderedForms, DiagnosticsRowsOfVaultOperationsUseTheLongColumns) {
  const Json row = Json::parse(render(Form::kDiagnostics, std::vector{sample_policy_change()}));
  EXPECT_EQ(row["identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g"],
            sample_user().object_id);
  EXPECT_EQ(row["identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s"], "dana.ito@contoso.com");
  EXPECT_EQ(row["addedAccessPolicy_Permissions_secrets_s"], R"(["get","list"])");
  EXPECT_EQ(row["properties_networkAcls_defaultAction_s"], "Deny");
}

TEST(RenderedForms, AuditRowsKeepDynamicColumnsAsObjectsOrAsText) {
  const Json objects = Json::parse(render(Form::kAudit, std::vector{sample_policy_change()}));
  const Json texts = Json::parse(render(Form::kAuditStrings, std::vector{sample_policy_change()}));
  EXPECT_EQ(objects["CallerIpAddress"], "203.0.113.9");
  EXPECT_EQ(objects["DurationMs"], 42);
  EXPECT_EQ(objects["EnableRbacAuthorization"], false);
  for (const char* column : {"Identity", "VaultProperties", "NetworkAcls", "Properties"}) {
    ASSERT_TRUE(objects[column].is_object()) << column;
    EXPECT_EQ(Json::parse(texts[column].get<std::string>()), objects[column]) << column;
  }
}

TEST(RenderedForms, QueryRowsAreAllText) {
  for (const Form form : {Form::kQueryDiagnostics, Form::kQueryAudit}) {
    const Json rows = Json::parse(render(form, sample_activities()));
    ASSERT_EQ(rows.size(), sample_activities().size());
    for (const Json& row : rows) {
      for (const auto& [name, value] : row.items()) { EXPECT_TRUE(value.is_string()) << name; }
      EXPECT_EQ(row["TableName"], "PrimaryResult");
    }
    EXPECT_EQ(rows[0][form == Form::kQueryAudit ? "IsAccessPolicyMatch" : "isAccessPolicyMatch_b"], "True");
    EXPECT_EQ(rows[0][form == Form::kQueryAudit ? "SubnetId" : "subnetId_s"], "None");
    EXPECT_EQ(rows[0][form == Form::kQueryAudit ? "HttpStatusCode" : "httpStatusCode_d"], "200");
  }
}

TEST(RenderedForms, RestTablesHaveOneCellPerColumn) {
  for (const Form form : {Form::kRestDiagnostics, Form::kRestAudit}) {
    const Json table = Json::parse(render(form, sample_activities()))["tables"][0];
    EXPECT_EQ(table["name"], "PrimaryResult");
    ASSERT_EQ(table["rows"].size(), sample_activities().size());
    std::size_t operation = 0;
    while (table["columns"][operation]["name"] != "OperationName") { ++operation; }
    for (std::size_t i = 0; i < table["rows"].size(); ++i) {
      const Json& row = table["rows"][i];
      EXPECT_EQ(row.size(), table["columns"].size());
      EXPECT_EQ(row[operation], sample_activities()[i].operation);
      for (const Json& cell : row) { EXPECT_FALSE(cell.is_structured()); }
    }
  }
}

TEST(RenderedForms, CsvStartsWithAByteOrderMarkAndTheZoneInTheTimeColumn) {
  for (const Form form : {Form::kCsvDiagnostics, Form::kCsvAudit, Form::kCsvDiagnosticsUs, Form::kCsvAuditUs}) {
    const std::string text = render(form, sample_activities());
    EXPECT_TRUE(text.starts_with("\xEF\xBB\xBFTenantId,TimeGenerated [UTC],")) << to_string(form);
    for (const auto& row : read_csv(text)) { EXPECT_EQ(row.size(), read_csv(text)[0].size()); }
  }
}

TEST(RenderedForms, CsvTimesComeInBothSpellings) {
  EXPECT_EQ(csv_row(Form::kCsvAudit, sample_read())["TimeGenerated [UTC]"], "2026-09-28T10:42:07.0000000Z");
  EXPECT_EQ(csv_row(Form::kCsvAuditUs, sample_read())["TimeGenerated [UTC]"], "9/28/2026, 10:42:07.000 AM");
  EXPECT_EQ(csv_row(Form::kCsvDiagnosticsUs, sample_rbac_denial())["TimeGenerated [UTC]"], "9/28/2026, 1:42:07.000 PM");
  EXPECT_EQ(csv_row(Form::kCsvDiagnosticsUs, sample_policy_denial())["TimeGenerated [UTC]"],
            "9/28/2026, 12:42:07.000 AM");
}

TEST(RenderedForms, CsvQuotesDynamicColumnsAndLeavesNullsEmpty) {
  auto row = csv_row(Form::kCsvAudit, sample_read());
  EXPECT_EQ(Json::parse(row["Identity"])["claim"]["oid"], sample_user().object_id);
  EXPECT_EQ(row["ClientInfo"], sample_read().client_info);
  EXPECT_EQ(row["SubnetId"], "");
  EXPECT_EQ(row["IsAccessPolicyMatch"], "true");
  auto flat = csv_row(Form::kCsvDiagnostics, sample_rbac_denial());
  EXPECT_EQ(flat["isRbacAuthorized_b"], "false");
  EXPECT_NE(flat["ResultDescription"].find("\nCaller: appid="), std::string::npos);
}

TEST(RenderedForms, NamesAndFormsMatchBothWays) {
  for (std::size_t i = 0; i < kFormCount; ++i) {
    const Form form = static_cast<Form>(i);
    ASSERT_FALSE(to_string(form).empty());
    EXPECT_EQ(find_form(to_string(form)), form);
  }
  EXPECT_EQ(find_form("xml"), std::nullopt);
}

AccessEvent decoded(const std::string& line) {
  Decoder decoder;
  AccessEvent event;
  std::string padded = line;
  padded.append(kRecordPadding, ' ');
  const Decoded result = decoder.decode_json(std::string_view(padded).substr(0, line.size()), event);
  EXPECT_EQ(result.kind, DecodeKind::kEvent) << result.message << "\n" << line;
  return event;
}

TEST(RenderedForms, AreReadAsTheActivityThatWasMeant) {
  for (const Activity& activity : sample_activities()) {
    const AccessEvent event = decoded(lines_of(render(Form::kRaw, std::vector{activity}))[0]);
    EXPECT_EQ(event.operation_name(), activity.operation);
    EXPECT_EQ(event.http_status, activity.http_status);
    EXPECT_EQ(event.denial_kind, activity.denial);
    EXPECT_EQ(event.caller_kind, activity.caller.kind);
    EXPECT_EQ(event.network_path, activity.path);
    EXPECT_EQ(event.object_id(), activity.caller.object_id);
    EXPECT_EQ(event.client_info(), activity.client_info);
    EXPECT_EQ(event.time.milliseconds(), activity.time.milliseconds());
    EXPECT_EQ(event.policy_marks != 0, activity.configuration.added_policy.has_value());
  }
}

TEST(RenderedForms, OfOneActivityAreOneCanonicalEvent) {
  for (const Activity& activity : sample_activities()) {
    const std::vector<Activity> one{activity};
    const AccessEvent raw = decoded(lines_of(render(Form::kRaw, one))[0]);
    for (const Form form : {Form::kDiagnostics, Form::kAudit, Form::kAuditStrings}) {
      EXPECT_TRUE(same_canonical_event(raw, decoded(lines_of(render(form, one))[0])))
          << to_string(form) << " of " << activity.operation << " " << activity.http_status;
    }
    for (const Form form : {Form::kQueryDiagnostics, Form::kQueryAudit}) {
      const std::string row = Json::parse(render(form, one))[0].dump();
      EXPECT_TRUE(same_canonical_event(raw, decoded(row)))
          << to_string(form) << " of " << activity.operation << " " << activity.http_status;
    }
  }
}

TEST(BlobPath, HasTwoSegmentsNamedM) {
  EXPECT_EQ(blob_path(sample_vault(), sample_read().time.hour()),
            "resourceId=/SUBSCRIPTIONS/11111111-AAAA-4BBB-8CCC-222222222222/RESOURCEGROUPS/RG-ORDERS/PROVIDERS/"
            "MICROSOFT.KEYVAULT/VAULTS/KV-ORDERS-PROD-01/y=2026/m=09/d=28/h=10/m=00/PT1H.json");
}

TEST(Compression, GzipGivesTheBytesBack) {
  const std::string text = render(Form::kRaw, sample_activities());
  const auto packed = compress_gzip(text);
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->substr(0, 2), "\x1f\x8b");
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(text.size() + 1, '\0');
  std::string in = *packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(out, text);
}

TEST(Compression, ZstdGivesTheBytesBack) {
  const std::string text = render(Form::kRaw, sample_activities());
  const auto packed = compress_zstd(text);
  ASSERT_TRUE(packed);
  std::string out(text.size(), '\0');
  EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), packed->data(), packed->size()), text.size());
  EXPECT_EQ(out, text);
}

// Keys of every nesting level below the record, as paths. Free objects that differ by operation are not entered.
void collect_keys(const Json& value, const std::string& path, std::set<std::string>& keys) {
  if (!value.is_object()) { return; }
  for (const auto& [key, member] : value.items()) {
    keys.insert(path + "/" + key);
    collect_keys(member, path + "/" + key, keys);
  }
}

TEST(RawRecord, HasNoKeyThatRealRecordsDoNotHave) {
  const char* shared = std::getenv("KEYVIGIL_SHARED");
  if (shared == nullptr) { GTEST_SKIP() << "KEYVIGIL_SHARED is not set: no real records to compare with"; }
  const std::filesystem::path records = std::filesystem::path(shared) / "samples" / "records";
  std::set<std::string> real;
  std::ifstream lines(records / "sekoia_keyvault_raw.jsonl");
  ASSERT_TRUE(lines);
  for (std::string line; std::getline(lines, line);) { collect_keys(Json::parse(line), "", real); }
  for (const char* name :
       {"misc/offsec_lab_managed_identity_secretget.json", "misc/azure_sdk_issue_23252_authentication_401.json"}) {
    std::ifstream file(records / name);
    collect_keys(Json::parse(file), "", real);
  }
  // Documented or seen in queries only: no complete real record shows them.
  for (const char* key :
       {"/properties/privateEndpointId", "/properties/addrAuthType", "/properties/isAddressAuthorized",
        "/properties/algorithm", "/properties/addedAccessPolicy", "/properties/addedAccessPolicy/TenantId",
        "/properties/addedAccessPolicy/ObjectId", "/properties/addedAccessPolicy/Permissions",
        "/properties/addedAccessPolicy/Permissions/keys", "/properties/addedAccessPolicy/Permissions/secrets",
        "/properties/addedAccessPolicy/Permissions/certificates"}) {
    real.insert(key);
  }
  for (const Activity& activity : sample_activities()) {
    std::set<std::string> rendered;
    collect_keys(raw_of(activity), "", rendered);
    for (const std::string& key : rendered) { EXPECT_TRUE(real.contains(key)) << key << " of " << activity.operation; }
  }
}

}  // namespace
}  // namespace keyvigil::workload
