// One access, written in each dialect of the log, is one canonical event.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "event/decode.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

// What happened, before any dialect writes it down.
struct Activity {
  std::string operation, object_path, object_id, app_id, user_name, managed_identity, address, description;
  int status = 200;
  int second = 0;
  bool about_vault = false;
  bool rbac_denied = false;
};

template <typename T>
T pick(const std::vector<T>& values) {
  return values[*rc::gen::inRange<std::size_t>(0, values.size())];
}

Activity any_activity() {
  Activity a;
  a.about_vault = pick<int>({0, 0, 0, 1}) == 1;
  a.operation = a.about_vault ? pick<std::string>({"VaultGet", "VaultPut", "VaultPatch"})
                              : pick<std::string>({"SecretGet", "KeySign", "SecretDelete", "CertificateGet", "NewGet"});
  a.object_path = a.about_vault ? "/"
                                : pick<std::string>({"/secrets/Db", "/keys/K1/00112233445566778899aabbccddeeff",
                                                     "/deletedsecrets/Old", "/certificates/Web"});
  a.object_id = pick<std::string>({"", "AAAAAAAA-0000-4000-8000-000000000001", "no-guid"});
  a.app_id = pick<std::string>({"", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "12345678-aaaa-4bbb-8ccc-1234567890AB"});
  a.user_name = pick<std::string>({"", "Ann@contoso.example", "live.com#bob@contoso.example"});
  a.managed_identity = a.about_vault ? "" : pick<std::string>({"", "", "/subscriptions/S/providers/X/sites/shop"});
  a.address = pick<std::string>({"203.0.113.9", "10.1.2.3", "2001:db8::17", ""});
  a.status = pick<int>({200, 201, 401, 403, 404, 409, 429, 503});
  a.rbac_denied = a.status == 403 && pick<int>({0, 1}) == 1;
  a.description =
      a.status == 403 ? pick<std::string>({"", "Client address is not authorized", "x \"quoted\",\ny"}) : "";
  a.second = *rc::gen::inRange(0, 60);
  return a;
}

const std::string kVault =
    "/subscriptions/5b0c2c1a-0000-4000-8000-00000000000a/resourcegroups/rg/providers/"
    "microsoft.keyvault/vaults/kv-pay";

std::string time_of(const Activity& a) {
  return "2026-03-02T09:15:" + std::string(a.second < 10 ? "0" : "") + std::to_string(a.second) + ".1230000Z";
}
std::string id_of(const Activity& a) {
  return "https://kv-pay.vault.azure.net" + a.object_path;
}
std::string uri_of(const Activity& a) {
  return id_of(a) + "?api-version=7.4";
}

json identity_of(const Activity& a) {
  json claim = json::object();
  const auto put = [&claim](const std::string& name, const std::string& value) {
    if (!value.empty()) { claim[name] = value; }
  };
  put(a.about_vault ? "http://schemas.microsoft.com/identity/claims/objectidentifier" : "oid", a.object_id);
  put(a.about_vault ? "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn" : "upn", a.user_name);
  put("appid", a.app_id);
  put("xms_mirid", a.managed_identity);
  return claim.empty() ? json::object() : json{{"claim", claim}};
}

json write_raw(const Activity& a) {
  json record = {{"time", time_of(a)},
                 {"category", "AuditEvent"},
                 {"operationName", a.operation},
                 {"resultType", "Success"},
                 {"callerIpAddress", a.address},
                 {"identity", identity_of(a)},
                 {"properties", {{"id", id_of(a)}, {"requestUri", uri_of(a)}, {"httpStatusCode", a.status}}},
                 {"resourceId", kVault},
                 {"durationMs", "12"}};
  if (!a.description.empty()) { record["resultDescription"] = a.description; }
  if (a.rbac_denied) { record["properties"]["isRbacAuthorized"] = false; }
  return record;
}

json write_diagnostics(const Activity& a, bool all_strings) {
  const auto long_or_short = [&a](const std::string& brief, const std::string& whole) {
    return "identity_claim_" + (a.about_vault ? whole : brief);
  };
  const std::string object_id = long_or_short("oid", "http_schemas_microsoft_com_identity_claims_objectidentifier");
  const bool is_guid = a.object_id.size() == 36;
  json row = {{"TimeGenerated", time_of(a)},
              {"Category", "AuditEvent"},
              {"ResourceProvider", "MICROSOFT.KEYVAULT"},
              {"ResourceId", kVault},
              {"OperationName", a.operation},
              {"CallerIPAddress", a.address},
              {"ResultDescription", a.description},
              {"id_s", id_of(a)},
              {"requestUri_s", uri_of(a)},
              {"identity_claim_appid_g", a.app_id},
              {"identity_claim_xms_mirid_s", a.managed_identity},
              {object_id + (is_guid ? "_g" : "_s"), a.object_id},
              {object_id + (is_guid ? "_s" : "_g"), nullptr},
              {long_or_short("upn", "http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn") + "_s", a.user_name},
              {"httpStatusCode_d", static_cast<double>(a.status)},
              {"isRbacAuthorized_b", nullptr},
              {"DurationMs", 12}};
  if (a.rbac_denied) { row["isRbacAuthorized_b"] = false; }
  if (!all_strings) { return row; }
  row["httpStatusCode_d"] = std::to_string(a.status);
  row["DurationMs"] = "12";
  for (auto& cell : row) {
    if (cell.is_null() || cell == "") { cell = "None"; }
    if (cell.is_boolean()) { cell = cell == true ? "True" : "False"; }
  }
  return row;
}

json write_resource_specific(const Activity& a, bool as_text) {
  const json identity = identity_of(a);
  json row = {{"TimeGenerated", time_of(a)},
              {"_ResourceId", kVault},
              {"OperationName", a.operation},
              {"CallerIpAddress", a.address},
              {"ResultDescription", a.description},
              {"Id", id_of(a)},
              {"RequestUri", uri_of(a)},
              {"HttpStatusCode", a.status},
              {"IsRbacAuthorized", nullptr},
              {"TrustedService", nullptr},
              {"Type", "AZKVAuditLogs"}};
  if (a.rbac_denied) { row["IsRbacAuthorized"] = false; }
  row["Identity"] = as_text ? json(identity.dump()) : identity;
  return row;
}

TEST(Dialects, OneAccessIsOneEventInEveryDialect) {
  EXPECT_TRUE(rc::check([] {
    const Activity activity = any_activity();
    Decoder decoder;
    const TwinAnswer first = decode_exactly(decoder, write_raw(activity).dump());
    RC_ASSERT(first.kind == DecodeKind::kEvent);
    for (const json& record :
         {write_raw(activity), write_diagnostics(activity, false), write_diagnostics(activity, true),
          write_resource_specific(activity, false), write_resource_specific(activity, true)}) {
      const std::string text = record.dump();
      const TwinAnswer answer = decode_exactly(decoder, text);
      RC_LOG() << text << "\n";
      RC_ASSERT(difference(decode_by_twin(record), answer) == "");
      RC_ASSERT(difference(first, answer) == "");
      RC_ASSERT(same_canonical_event(first.event, answer.event));
    }
  }));
}

TEST(Dialects, ARestRowIsTheEventOfItsObject) {
  EXPECT_TRUE(rc::check([] {
    const Activity activity = any_activity();
    const json object = write_resource_specific(activity, true);
    std::vector<std::string> names;
    json row = json::array();
    for (const auto& cell : object.items()) {
      names.push_back(cell.key());
      row.push_back(cell.value());
    }
    const TableColumns columns = TableColumns::resolve(names);
    RC_ASSERT(columns.is_audit_table());
    Decoder decoder;
    AccessEvent event;
    const ExactBuffer buffer(row.dump());
    const Decoded decoded = decoder.decode_row_json(buffer.view(), columns, event);
    RC_ASSERT(difference(decode_by_twin(object), to_answer(decoded, std::move(event))) == "");
  }));
}

TEST(Dialects, ACsvRowIsTheEventOfItsObject) {
  EXPECT_TRUE(rc::check([] {
    const Activity activity = any_activity();
    const json object = write_diagnostics(activity, true);
    std::vector<std::string> names;
    std::string row;
    for (const auto& cell : object.items()) {
      names.push_back(cell.key());
      const std::string text = cell.value() == "None" ? "" : cell.value().get<std::string>();
      row += row.empty() ? "\"" : ",\"";
      for (const char c : text) { row += c == '"' ? std::string("\"\"") : std::string(1, c); }
      row += '"';
    }
    const TableColumns columns = TableColumns::resolve(names);
    RC_ASSERT(columns.is_audit_table());
    Decoder decoder;
    AccessEvent event;
    const Decoded decoded = decoder.decode_row_csv(row, columns, event);
    RC_ASSERT(difference(decode_by_twin(object), to_answer(decoded, std::move(event))) == "");
  }));
}

}  // namespace
}  // namespace keyvigil
