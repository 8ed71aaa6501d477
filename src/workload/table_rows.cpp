#include "workload/table_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/hash.h"

namespace keyvigil::workload {
namespace {

using Json = nlohmann::ordered_json;
using NamePair = std::pair<std::string_view, std::string_view>;

// The column TenantId of both tables is the Log Analytics workspace, not the Entra tenant.
std::string workspace_id() {
  return to_guid(hash128("simulated workspace"));
}

constexpr std::array<NamePair, 9> kSharedTopLevel = {{
    {"category", "Category"},
    {"operationName", "OperationName"},
    {"operationVersion", "OperationVersion"},
    {"resultType", "ResultType"},
    {"resultSignature", "ResultSignature"},
    {"resultDescription", "ResultDescription"},
    {"correlationId", "CorrelationId"},
    {"time", "TimeGenerated"},
    {"resourceId", "ResourceId"},
}};

constexpr std::array<NamePair, 14> kAuditProperties = {{
    {"id", "Id"},
    {"requestUri", "RequestUri"},
    {"clientInfo", "ClientInfo"},
    {"httpStatusCode", "HttpStatusCode"},
    {"tlsVersion", "Tlsversion"},
    {"algorithm", "Algorithm"},
    {"addrAuthType", "AddressAuthorizationType"},
    {"isAddressAuthorized", "IsAddressAuthorized"},
    {"subnetId", "SubnetId"},
    {"trustedService", "TrustedService"},
    {"isAccessPolicyMatch", "IsAccessPolicyMatch"},
    {"isRbacAuthorized", "IsRbacAuthorized"},
    {"appliedAssignmentId", "AppliedAssignmentId"},
    {"keyProperties", "KeyProperties"},
}};

constexpr std::array<NamePair, 9> kAuditVaultProperties = {{
    {"sku", "Sku"},
    {"networkAcls", "NetworkAcls"},
    {"enabledForDeployment", "EnabledForDeployment"},
    {"enabledForDiskEncryption", "EnabledForDiskEncryption"},
    {"enabledForTemplateDeployment", "EnabledForTemplateDeployment"},
    {"enableSoftDelete", "EnableSoftDelete"},
    {"softDeleteRetentionInDays", "SoftDeleteRetentionInDays"},
    {"enableRbacAuthorization", "EnableRbacAuthorization"},
    {"enablePurgeProtection", "EnablePurgeProtection"},
}};

bool is_hex(char byte) {
  const char folded = lower_case(byte);
  return (folded >= '0' && folded <= '9') || (folded >= 'a' && folded <= 'f');
}

bool is_dashed_guid(std::string_view text) {
  if (text.size() != 36) { return false; }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) { return false; }
  }
  return true;
}

// Azure also takes 32 bare digits for a GUID and then writes the dashes.
bool is_bare_guid(std::string_view text) {
  return text.size() == 32 && std::all_of(text.begin(), text.end(), is_hex);
}

std::string dashed(std::string text) {
  for (const std::size_t position : {20U, 16U, 12U, 8U}) { text.insert(position, 1, '-'); }
  return text;
}

// "http://schemas.microsoft.com/identity" -> "http_schemas_microsoft_com_identity": a run of punctuation is one blank.
std::string column_part(std::string_view key) {
  std::string out;
  for (const char byte : key) {
    const bool word = is_hex(byte) || (lower_case(byte) >= 'a' && lower_case(byte) <= 'z') || byte == '_';
    if (word) {
      out += byte;
    } else if (out.empty() || out.back() != '_') {
      out += '_';
    }
  }
  return out;
}

void put_flattened(Json& row, const std::string& name, const Json& value);

void put_flattened_members(Json& row, const std::string& prefix, const Json& object) {
  for (const auto& [key, value] : object.items()) { put_flattened(row, prefix + column_part(key), value); }
}

void put_flattened_text(Json& row, const std::string& name, const std::string& text) {
  if (is_dashed_guid(text)) {
    row[name + "_g"] = text;
  } else if (is_bare_guid(text)) {
    row[name + "_g"] = dashed(text);
  } else {
    row[name + "_s"] = text;
  }
}

void put_flattened(Json& row, const std::string& name, const Json& value) {
  if (value.is_object()) {
    put_flattened_members(row, name + "_", value);
  } else if (value.is_array()) {
    row[name + "_s"] = value.dump();
  } else if (value.is_string()) {
    put_flattened_text(row, name, value.get<std::string>());
  } else if (value.is_boolean()) {
    row[name + "_b"] = value;
  } else if (value.is_number()) {
    row[name + "_d"] = value;
  }  // nulls get no column
}

// Pieces of /SUBSCRIPTIONS/s/RESOURCEGROUPS/g/PROVIDERS/p/t/name: piece 2 is s, 4 is g, 6 is p, 7 is t, 8 is name.
std::vector<std::string> path_pieces(const std::string& resource_id) {
  std::vector<std::string> pieces(1);
  for (const char byte : resource_id) {
    if (byte == '/') {
      pieces.emplace_back();
    } else {
      pieces.back() += byte;
    }
  }
  pieces.resize(std::max<std::size_t>(pieces.size(), 9));
  return pieces;
}

void put_shared_members(Json& row, const Json& record) {
  for (const auto& [raw, column] : kSharedTopLevel) {
    if (record.contains(raw)) { row[std::string(column)] = record[std::string(raw)]; }
  }
  row["TenantId"] = workspace_id();
  row["_ResourceId"] = lower_case(record.at("resourceId").get<std::string>());
}

std::int64_t duration_of(const Json& record) {
  return std::stoll(record.at("durationMs").get<std::string>());
}

// What no listed column takes is moved into one, as Azure does beyond its 500 columns.
void move_overflow(Json& row) {
  const auto& columns = diagnostics_columns();
  const auto listed = [&columns](const std::string& name) {
    return std::any_of(columns.begin(), columns.end(), [&name](const Column& column) { return column.name == name; });
  };
  Json kept = Json::object();
  Json overflow = Json::object();
  for (const auto& [name, value] : row.items()) { (listed(name) ? kept : overflow)[name] = value; }
  if (!overflow.empty()) { kept["AdditionalFields"] = overflow; }
  row = std::move(kept);
}

void put_audit_vault_properties(Json& row, const Json& vault) {
  row["VaultProperties"] = vault;
  for (const auto& [raw, column] : kAuditVaultProperties) {
    if (vault.contains(raw) && !vault[std::string(raw)].is_null()) {
      row[std::string(column)] = vault[std::string(raw)];
    }
  }
}

void put_audit_properties(Json& row, const Json& properties) {
  Json rest = Json::object();
  for (const auto& [key, value] : properties.items()) {
    const auto known = std::find_if(kAuditProperties.begin(), kAuditProperties.end(),
                                    [&name = key](const NamePair& pair) { return pair.first == name; });
    if (known != kAuditProperties.end()) {
      row[std::string(known->second)] = value;
    } else if (key == "properties") {
      put_audit_vault_properties(row, value);
    } else {
      rest[key] = value;
    }
  }
  if (!rest.empty()) { row["Properties"] = rest; }
}

}  // namespace

const std::vector<Column>& diagnostics_columns() {
  static const std::vector<Column> columns = {
      {"TenantId", "string"},
      {"TimeGenerated", "datetime"},
      {"ResourceId", "string"},
      {"Category", "string"},
      {"ResourceGroup", "string"},
      {"SubscriptionId", "string"},
      {"ResourceProvider", "string"},
      {"Resource", "string"},
      {"ResourceType", "string"},
      {"OperationName", "string"},
      {"OperationVersion", "string"},
      {"ResultType", "string"},
      {"ResultSignature", "string"},
      {"ResultDescription", "string"},
      {"DurationMs", "long"},
      {"CallerIPAddress", "string"},
      {"CorrelationId", "string"},
      {"httpStatusCode_d", "real"},
      {"requestUri_s", "string"},
      {"id_s", "string"},
      {"clientInfo_s", "string"},
      {"tlsVersion_s", "string"},
      {"algorithm_s", "string"},
      {"isAccessPolicyMatch_b", "bool"},
      {"isRbacAuthorized_b", "bool"},
      {"appliedAssignmentId_g", "guid"},
      {"subnetId_s", "string"},
      {"privateEndpointId_s", "string"},
      {"trustedService_s", "string"},
      {"addrAuthType_s", "string"},
      {"isAddressAuthorized_b", "bool"},
      {"identity_claim_oid_g", "guid"},
      {"identity_claim_oid_s", "string"},
      {"identity_claim_appid_g", "guid"},
      {"identity_claim_appid_s", "string"},
      {"identity_claim_upn_s", "string"},
      {"identity_claim_unique_name_s", "string"},
      {"identity_claim_scp_s", "string"},
      {"identity_claim_amr_s", "string"},
      {"identity_claim_appidacr_s", "string"},
      {"identity_claim_idtyp_s", "string"},
      {"identity_claim_ipaddr_s", "string"},
      {"identity_claim_xms_mirid_s", "string"},
      {"identity_claim_xms_az_rid_s", "string"},
      {"identity_claim_xms_az_nwperimid_s", "string"},
      {"identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g", "guid"},
      {"identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s", "string"},
      {"identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_name_s", "string"},
      {"keyProperties_type_s", "string"},
      {"keyProperties_attributes_hsmPlatform_s", "string"},
      {"properties_sku_Family_s", "string"},
      {"properties_sku_Name_s", "string"},
      {"properties_tenantId_g", "guid"},
      {"properties_networkAcls_bypass_s", "string"},
      {"properties_networkAcls_defaultAction_s", "string"},
      {"properties_enabledForDeployment_b", "bool"},
      {"properties_enabledForDiskEncryption_b", "bool"},
      {"properties_enabledForTemplateDeployment_b", "bool"},
      {"properties_enableSoftDelete_b", "bool"},
      {"properties_softDeleteRetentionInDays_d", "real"},
      {"properties_enableRbacAuthorization_b", "bool"},
      {"properties_enablePurgeProtection_b", "bool"},
      {"addedAccessPolicy_TenantId_g", "guid"},
      {"addedAccessPolicy_ObjectId_g", "guid"},
      {"addedAccessPolicy_Permissions_keys_s", "string"},
      {"addedAccessPolicy_Permissions_secrets_s", "string"},
      {"addedAccessPolicy_Permissions_certificates_s", "string"},
      {"removedAccessPolicy_TenantId_g", "guid"},
      {"removedAccessPolicy_ObjectId_g", "guid"},
      {"removedAccessPolicy_Permissions_keys_s", "string"},
      {"removedAccessPolicy_Permissions_secrets_s", "string"},
      {"removedAccessPolicy_Permissions_certificates_s", "string"},
      {"addedIpRule_Value_s", "string"},
      {"AdditionalFields", "dynamic"},
      {"SourceSystem", "string"},
      {"Type", "string"},
      {"_ResourceId", "string"},
  };
  return columns;
}

const std::vector<Column>& audit_columns() {
  static const std::vector<Column> columns = {
      {"TenantId", "string"},
      {"TimeGenerated", "datetime"},
      {"OperationName", "string"},
      {"OperationVersion", "string"},
      {"ResultType", "string"},
      {"ResultSignature", "string"},
      {"ResultDescription", "string"},
      {"HttpStatusCode", "int"},
      {"DurationMs", "int"},
      {"CallerIpAddress", "string"},
      {"CorrelationId", "string"},
      {"Identity", "dynamic"},
      {"Id", "string"},
      {"RequestUri", "string"},
      {"ClientInfo", "string"},
      {"Tlsversion", "string"},
      {"Algorithm", "string"},
      {"AddressAuthorizationType", "string"},
      {"IsAddressAuthorized", "bool"},
      {"SubnetId", "string"},
      {"TrustedService", "string"},
      {"IsAccessPolicyMatch", "bool"},
      {"IsRbacAuthorized", "bool"},
      {"AppliedAssignmentId", "string"},
      {"KeyProperties", "dynamic"},
      {"VaultProperties", "dynamic"},
      {"NetworkAcls", "dynamic"},
      {"Sku", "dynamic"},
      {"EnabledForDeployment", "bool"},
      {"EnabledForDiskEncryption", "bool"},
      {"EnabledForTemplateDeployment", "bool"},
      {"EnableSoftDelete", "bool"},
      {"SoftDeleteRetentionInDays", "int"},
      {"EnableRbacAuthorization", "bool"},
      {"EnablePurgeProtection", "bool"},
      {"Properties", "dynamic"},
      {"SourceSystem", "string"},
      {"Type", "string"},
      {"_ResourceId", "string"},
      {"_SubscriptionId", "string"},
  };
  return columns;
}

Json diagnostics_row(const Json& record) {
  Json row = Json::object();
  put_shared_members(row, record);
  const std::vector<std::string> pieces = path_pieces(record.at("resourceId").get<std::string>());
  row["SubscriptionId"] = lower_case(pieces[2]);
  row["ResourceGroup"] = pieces[4];
  row["ResourceProvider"] = pieces[6];
  row["ResourceType"] = pieces[7];
  row["Resource"] = pieces[8];
  row["DurationMs"] = duration_of(record);
  row["CallerIPAddress"] = record.at("callerIpAddress");
  put_flattened_members(row, "identity_", record.at("identity"));
  put_flattened_members(row, "", record.at("properties"));
  row["SourceSystem"] = "Azure";
  row["Type"] = "AzureDiagnostics";
  move_overflow(row);
  return row;
}

Json audit_row(const Json& record) {
  Json row = Json::object();
  put_shared_members(row, record);
  row.erase("Category");
  row.erase("ResourceId");
  row["DurationMs"] = duration_of(record);
  row["CallerIpAddress"] = record.at("callerIpAddress");
  row["Identity"] = record.at("identity");
  put_audit_properties(row, record.at("properties"));
  row["SourceSystem"] = "Azure";
  row["Type"] = "AZKVAuditLogs";
  row["_SubscriptionId"] = path_pieces(row["_ResourceId"].get<std::string>())[2];
  return row;
}

}  // namespace keyvigil::workload
