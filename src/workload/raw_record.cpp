// The raw record, appended by hand in the key order of real records: the one form that must be fast.
#include <algorithm>
#include <charconv>

#include "workload/render.h"

namespace keyvigil::workload {
namespace {

constexpr std::string_view kObjectIdClaim = "http://schemas.microsoft.com/identity/claims/objectidentifier";
constexpr std::string_view kUpnClaim = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
constexpr std::string_view kNameClaim = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

void append_padded(std::string& out, std::int64_t number, int width) {
  std::array<char, 20> digits{};
  for (int i = width - 1; i >= 0; --i) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(digits.data(), static_cast<std::size_t>(width));
}

void append_escaped_byte(std::string& out, char byte) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(byte);
  if (code >= 0x20) {
    out += byte;
    return;
  }
  out += "\\u00";
  out += kHexDigits[code >> 4U];
  out += kHexDigits[code & 0xFU];
}

void append_escaped(std::string& out, std::string_view text) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char byte) {
    return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20;
  });
  if (plain) {
    out += text;
    return;
  }
  for (const char byte : text) { append_escaped_byte(out, byte); }
}

// ,"key":"text"
void append_text(std::string& out, std::string_view key, std::string_view text) {
  out += ",\"";
  out += key;
  out += "\":\"";
  append_escaped(out, text);
  out += '"';
}

void append_text_if_any(std::string& out, std::string_view key, std::string_view text) {
  if (!text.empty()) { append_text(out, key, text); }
}

void append_upper(std::string& out, std::string_view text) {
  for (const char byte : text) { out += byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - ('a' - 'A')) : byte; }
}

void append_time(std::string& out, EventTime time) {
  const CivilTime civil = to_civil(time);
  append_padded(out, civil.year, 4);
  out += '-';
  append_padded(out, civil.month, 2);
  out += '-';
  append_padded(out, civil.day, 2);
  out += 'T';
  append_padded(out, civil.hour, 2);
  out += ':';
  append_padded(out, civil.minute, 2);
  out += ':';
  append_padded(out, civil.second, 2);
  out += '.';
  append_padded(out, civil.tick, 7);
  out += 'Z';
}

bool is_control_plane(const Activity& activity) {
  return activity.operation.starts_with("Vault");
}

void append_resource_id(std::string& out, const Vault& vault) {
  out += "/SUBSCRIPTIONS/";
  append_upper(out, vault.subscription_id);
  out += "/RESOURCEGROUPS/";
  append_upper(out, vault.resource_group);
  out += vault.managed_hsm ? "/PROVIDERS/MICROSOFT.KEYVAULT/MANAGEDHSMS/" : "/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/";
  append_upper(out, vault.name);
}

void append_vault_url(std::string& out, const Vault& vault) {
  out += "https://";
  append_escaped(out, vault.name);
  out += vault.managed_hsm ? ".managedhsm.azure.net/" : ".vault.azure.net/";
}

// The object that the request names; lists and challenges name none.
void append_id_member(std::string& out, const Activity& activity) {
  const bool names_object = !activity.object.empty() && activity.operation != "Authentication";
  if (!is_control_plane(activity) && !names_object) { return; }
  out += "\"id\":\"";
  append_vault_url(out, activity.vault);
  if (names_object) {
    out += activity.collection;
    out += '/';
    append_escaped(out, activity.object);
    // A refused or failed request never learns the version.
    const bool knows_version = activity.version_in_uri || activity.http_status < 300;
    if (!activity.version.empty() && knows_version) {
      out += '/';
      out += activity.version;
    }
  }
  out += "\",";
}

void append_data_plane_uri(std::string& out, const Activity& activity) {
  append_vault_url(out, activity.vault);
  out += activity.collection;
  if (!activity.object.empty()) {
    out += '/';
    append_escaped(out, activity.object);
    out += '/';  // the SDKs' form, also where no version follows
    if (activity.version_in_uri) { out += activity.version; }
  }
  if (!activity.uri_verb.empty()) {
    if (out.back() != '/') { out += '/'; }
    out += activity.uri_verb;
  }
}

void append_control_plane_uri(std::string& out, const Activity& activity) {
  out += "https://management.azure.com/subscriptions/";
  out += activity.vault.subscription_id;
  out += "/resourceGroups/";
  append_escaped(out, activity.vault.resource_group);
  out += "/providers/Microsoft.KeyVault/vaults/";
  append_escaped(out, activity.vault.name);
}

void append_request_uri(std::string& out, const Activity& activity) {
  out += ",\"requestUri\":\"";
  if (is_control_plane(activity)) {
    append_control_plane_uri(out, activity);
  } else {
    append_data_plane_uri(out, activity);
  }
  out += "?api-version=";
  out += activity.api_version;
  if (!activity.uri_query.empty()) {
    out += '&';
    append_escaped(out, activity.uri_query);
  }
  out += '"';
}

// Claims follow an opening brace: the first comma written is taken back.
void close_claims(std::string& out, std::size_t opened_at) {
  if (out.size() > opened_at && out[opened_at] == ',') { out.erase(opened_at, 1); }
  out += '}';
}

void append_data_plane_claims(std::string& out, const Caller& caller) {
  append_text_if_any(out, "oid", caller.object_id);
  append_text_if_any(out, "appid", caller.app_id);
  if (caller.kind == CallerKind::kUser) { append_text(out, "scp", "user_impersonation"); }
  append_text_if_any(out, "appidacr", caller.credential);
  append_text_if_any(out, "xms_mirid", caller.managed_identity);
  append_text_if_any(out, "xms_az_rid", caller.azure_resource);
  out += ",\"xms_az_nwperimid\":[]";
  if (caller.kind == CallerKind::kUser) {
    append_text_if_any(out, "upn", caller.user_name);
    append_text_if_any(out, "ipaddr", caller.token_address);
    append_text_if_any(out, "unique_name", caller.user_name);
    append_text(out, "amr", "pwd");
  }
  if (caller.names_identity_type) { append_text(out, "idtyp", caller.kind == CallerKind::kUser ? "user" : "app"); }
}

void append_control_plane_claims(std::string& out, const Caller& caller) {
  append_text_if_any(out, kObjectIdClaim, caller.object_id);
  append_text_if_any(out, kUpnClaim, caller.user_name);
  append_text_if_any(out, kNameClaim, caller.user_name);
  append_text_if_any(out, "appid", caller.app_id);
}

void append_identity(std::string& out, const Activity& activity) {
  if (activity.caller.kind == CallerKind::kAnonymous) {
    out += ",\"identity\":{}";
    return;
  }
  out += ",\"identity\":{\"claim\":{";
  const std::size_t opened_at = out.size();
  if (is_control_plane(activity)) {
    append_control_plane_claims(out, activity.caller);
  } else {
    append_data_plane_claims(out, activity.caller);
  }
  close_claims(out, opened_at);
  out += '}';
}

// {"claim":{...}} as JSON text inside a JSON text, long claim names cut into nested objects.
void append_hsm_identity(std::string& out, const Caller& caller) {
  std::string claims;
  append_text_if_any(claims, "appid", caller.app_id);
  if (!caller.object_id.empty()) {
    claims += ",\"http_schemas_microsoft_com_identity\":{\"claims\":{\"objectidentifier\":\"";
    append_escaped(claims, caller.object_id);
    claims += "\"}}";
  }
  if (!caller.user_name.empty()) {
    claims += ",\"http_schemas_xmlsoap_org_ws_2005_05_identity\":{\"claims\":{\"upn\":\"";
    append_escaped(claims, caller.user_name);
    claims += "\"}}";
  }
  close_claims(claims, 0);
  append_text(out, "identity", caller.kind == CallerKind::kAnonymous ? "{}" : "{\"claim\":{" + claims + "}");
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

// "secrets/getSecret/action" and "get", as denials name what was missing.
std::string_view action_of(const Activity& activity) {
  if (activity.operation == "SecretGet") { return "secrets/getSecret/action"; }
  if (activity.operation == "SecretList") { return "secrets/readMetadata/action"; }
  if (activity.operation == "SecretBackup") { return "secrets/backup/action"; }
  return activity.collection == "keys" ? "keys/read" : "secrets/readMetadata/action";
}

std::string_view permission_of(const Activity& activity) {
  if (activity.operation.ends_with("Get")) { return "get"; }
  if (activity.operation.ends_with("List")) { return "list"; }
  if (activity.operation.ends_with("Backup")) { return "backup"; }
  if (activity.operation.ends_with("Purge")) { return "purge"; }
  return "set";
}

void append_caller_of_denial(std::string& out, const Activity& activity) {
  out += "appid=" + activity.caller.app_id + ";oid=" + activity.caller.object_id;
}

void append_place_of_denial(std::string& out, const Vault& vault) {
  out += vault.name + ";location=" + vault.location;
}

void append_rbac_denial(std::string& out, const Activity& activity) {
  out += "Caller is not authorized to perform action on resource.";
  if (activity.object.empty()) { return; }  // lists carry the first sentence only
  out +=
      "\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation "
      "time.\nCaller: ";
  append_caller_of_denial(out, activity);
  out += ";iss=https://sts.windows.net/" + activity.vault.tenant_id + "/\nAction: 'Microsoft.KeyVault/vaults/";
  out += action_of(activity);
  out += "'\nResource: '/subscriptions/" + activity.vault.subscription_id + "/resourcegroups/" +
         activity.vault.resource_group + "/providers/microsoft.keyvault/vaults/" + activity.vault.name + "/" +
         activity.collection + "/" + activity.object;
  out += "'\nAssignment: (not found)\nDenyAssignmentId: null\nDecisionReason: null \nVault: ";
  append_place_of_denial(out, activity.vault);
}

void append_policy_denial(std::string& out, const Activity& activity) {
  out += "The user, group or application '";
  append_caller_of_denial(out, activity);
  out += ";numgroups=2;iss=https://sts.windows.net/" + activity.vault.tenant_id + "/' does not have ";
  out += activity.collection;
  out += ' ';
  out += permission_of(activity);
  out += " permission on key vault '";
  append_place_of_denial(out, activity.vault);
  out += "'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287";
}

void append_network_denial(std::string& out, const Activity& activity) {
  if (activity.denial == DenialKind::kConnection) {
    out +=
        "Public network access is disabled and request is not from a trusted service nor via an approved private "
        "link.\r\nCaller: ";
  } else {
    out += "Client address is not authorized and caller is not a trusted service.\r\nClient address: ";
    out += activity.address + "\r\nCaller: ";
  }
  append_caller_of_denial(out, activity);
  out += "\r\nVault: ";
  append_place_of_denial(out, activity.vault);
}

std::string singular(const std::string& collection) {
  return collection.ends_with('s') ? collection.substr(0, collection.size() - 1) : collection;
}

// The free text of a failed request; success and the challenge carry none.
std::string result_description(const Activity& activity) {
  std::string text;
  switch (activity.denial) {
    case DenialKind::kRbac:
      append_rbac_denial(text, activity);
      return text;
    case DenialKind::kPolicy:
      append_policy_denial(text, activity);
      return text;
    case DenialKind::kFirewall:
    case DenialKind::kConnection:
      append_network_denial(text, activity);
      return text;
    case DenialKind::kObjectState:
      return "Operation get is not allowed on a disabled " + singular(activity.collection) + ".";
    case DenialKind::kFirstParty:
      return "Access denied to first party service.";
    case DenialKind::kToken:
      return "The access token has expired.";
    case DenialKind::kNone:
    case DenialKind::kUnspecified:
      break;
  }
  if (activity.http_status == 404) {
    const std::string kind = singular(activity.collection);
    return "A " + kind + " with (name/id) " + activity.object +
           " was not found in this key vault. If you recently deleted this " + kind +
           " you may be able to recover it using the correct recovery command. For help resolving this issue, please "
           "see https://go.microsoft.com/fwlink/?linkid=2125182";
  }
  return text;
}

// Each permission model has its own flag; neither is evaluated before the token is accepted or past the firewall.
void append_permission(std::string& out, const Activity& activity) {
  const bool evaluated = activity.http_status != 401 && activity.denial != DenialKind::kFirewall &&
                         activity.denial != DenialKind::kConnection && activity.denial != DenialKind::kUnspecified;
  if (!evaluated) { return; }
  const bool allowed = activity.denial != DenialKind::kRbac && activity.denial != DenialKind::kPolicy;
  out += activity.vault.rbac ? ",\"isRbacAuthorized\":" : ",\"isAccessPolicyMatch\":";
  out += allowed ? "true" : "false";
  if (allowed && activity.vault.rbac) { append_text_if_any(out, "appliedAssignmentId", activity.role_assignment_id); }
}

void append_network(std::string& out, const Activity& activity) {
  append_text_if_any(out, "subnetId", activity.subnet_id);
  append_text_if_any(out, "privateEndpointId", activity.private_endpoint_id);
  append_text_if_any(out, "trustedService", activity.trusted_service);
  if (activity.denial == DenialKind::kFirewall) {
    out += ",\"addrAuthType\":\"PublicIP\",\"isAddressAuthorized\":false";
  }
}

void append_key_properties(std::string& out, const Activity& activity) {
  append_text_if_any(out, "algorithm", activity.algorithm);
  if (activity.key_type.empty() || activity.http_status >= 300) { return; }
  out += ",\"keyProperties\":{\"type\":\"";
  append_escaped(out, activity.key_type);
  out += "\",\"attributes\":{\"hsmPlatform\":\"0\"}}";
}

void append_permission_list(std::string& out, std::string_view key, const std::vector<std::string>& permissions) {
  out += '"';
  out += key;
  out += "\":[";
  for (std::size_t i = 0; i < permissions.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    append_escaped(out, permissions[i]);
    out += '"';
  }
  out += ']';
}

void append_access_policy(std::string& out, std::string_view key, const AccessPolicy& policy) {
  out += ",\"";
  out += key;
  out += "\":{\"TenantId\":\"";
  append_escaped(out, policy.tenant_id);
  append_text(out += '"', "ObjectId", policy.object_id);
  out += ",\"Permissions\":{";
  append_permission_list(out, "keys", policy.key_permissions);
  out += ',';
  append_permission_list(out, "secrets", policy.secret_permissions);
  out += ',';
  append_permission_list(out, "certificates", policy.certificate_permissions);
  out += "}}";
}

void append_vault_configuration(std::string& out, const Activity& activity) {
  out += ",\"properties\":{\"sku\":{\"Family\":\"A\",\"Name\":\"Standard\",\"Capacity\":null},\"tenantId\":\"";
  out += activity.vault.tenant_id;
  out += "\",\"networkAcls\":";
  if (const auto& acls = activity.configuration.network_acls) {
    out += "{\"bypass\":\"";
    append_escaped(out, acls->bypass);
    append_text(out += '"', "defaultAction", acls->default_action);
    out += '}';
  } else {
    out += "null";
  }
  out +=
      ",\"enabledForDeployment\":false,\"enabledForDiskEncryption\":false,\"enabledForTemplateDeployment\":false,"
      "\"enableSoftDelete\":true,\"softDeleteRetentionInDays\":90,\"enableRbacAuthorization\":";
  out += activity.vault.rbac ? "true" : "false";
  out += ",\"enablePurgeProtection\":null}";
  if (const auto& policy = activity.configuration.added_policy) {
    append_access_policy(out, "addedAccessPolicy", *policy);
  }
  if (const auto& policy = activity.configuration.removed_policy) {
    append_access_policy(out, "removedAccessPolicy", *policy);
  }
  if (!activity.configuration.added_ip_rule.empty()) {
    out += ",\"addedIpRule\":{\"Value\":\"";
    append_escaped(out, activity.configuration.added_ip_rule);
    out += "\"}";
  }
}

void append_properties(std::string& out, const Activity& activity) {
  out += ",\"properties\":{";
  append_id_member(out, activity);
  out += "\"clientInfo\":\"";
  append_escaped(out, activity.client_info);
  out += '"';
  append_network(out, activity);
  out += ",\"httpStatusCode\":";
  append_number(out, activity.http_status);
  append_request_uri(out, activity);
  if (is_control_plane(activity)) {
    append_vault_configuration(out, activity);
  } else {
    append_permission(out, activity);
    append_key_properties(out, activity);
    append_text_if_any(out, "tlsVersion", activity.tls_version);
  }
  out += '}';
}

void append_vault_record(std::string& out, const Activity& activity) {
  out += "{\"time\":\"";
  append_time(out, activity.time);
  out += "\",\"category\":\"AuditEvent\"";
  append_text(out, "operationName", activity.operation);
  // Azure writes Success whatever the status is.
  out += ",\"resultType\":\"Success\"";
  if (activity.http_status >= 300) { append_text_if_any(out, "resultDescription", result_description(activity)); }
  append_text(out, "correlationId", activity.correlation_id);
  append_text(out, "callerIpAddress", activity.address);
  append_identity(out, activity);
  append_properties(out, activity);
  out += ",\"resourceId\":\"";
  append_resource_id(out, activity.vault);
  out += '"';
  append_text(out, "operationVersion", activity.api_version);
  append_text(out, "resultSignature", reason_phrase(activity.http_status));
  out += ",\"durationMs\":\"";
  append_number(out, activity.duration_milliseconds);
  out += "\"}";
}

void append_hsm_record(std::string& out, const Activity& activity) {
  out += "{\"TenantId\":\"";
  append_escaped(out, activity.vault.tenant_id);
  out += "\",\"time\":\"";
  append_time(out, activity.time);
  out += "\",\"resourceId\":\"";
  append_resource_id(out, activity.vault);
  out += '"';
  append_text(out, "operationName", activity.operation);
  append_text(out, "operationVersion", activity.api_version);
  out +=
      ",\"category\":\"AuditEvent\",\"resultType\":\"Success\",\"properties\":{\"PoolType\":\"M-HSM\",\"sku_Family\":"
      "\"B\",\"sku_Name\":\"Standard_B1\"},\"durationMs\":";
  append_number(out, activity.duration_milliseconds);
  append_text(out, "callerIpAddress", activity.address);
  append_hsm_identity(out, activity.caller);
  append_text(out, "clientInfo", activity.client_info);
  append_text(out, "correlationId", activity.correlation_id);
  append_text(out, "subnetId", activity.subnet_id.empty() ? "(unknown)" : std::string_view(activity.subnet_id));
  out += ",\"httpStatusCode\":";
  append_number(out, activity.http_status);
  append_text(out, "PoolName", activity.vault.name);
  append_request_uri(out, activity);
  append_text(out, "resourceGroup", activity.vault.resource_group);
  append_text(out, "resourceProvider", "MICROSOFT.KEYVAULT");
  append_text(out, "resource", activity.vault.name);
  append_text(out, "resourceType", "managedHSMs");
  out += '}';
}

}  // namespace

void append_raw_record(std::string& out, const Activity& activity) {
  if (activity.vault.managed_hsm) {
    append_hsm_record(out, activity);
  } else {
    append_vault_record(out, activity);
  }
}

std::string blob_path(const Vault& vault, std::int64_t hour) {
  const CivilTime civil = to_civil(EventTime{hour * EventTime::kTicksPerHour});
  std::string path = "resourceId=";
  append_resource_id(path, vault);
  path += "/y=";
  append_padded(path, civil.year, 4);
  path += "/m=";
  append_padded(path, civil.month, 2);
  path += "/d=";
  append_padded(path, civil.day, 2);
  path += "/h=";
  append_padded(path, civil.hour, 2);
  path += "/m=00/PT1H.json";  // the second m= is the minute, which is always 00
  return path;
}

}  // namespace keyvigil::workload
