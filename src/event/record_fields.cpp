#include "event/record_fields.h"

#include <map>
#include <string>

#include "base/ascii.h"

namespace keyvigil {
namespace {

struct MemberRow {
  Context context;
  std::string_view name;
  MemberAction action;
};

constexpr MemberRow keep(Context context, std::string_view name, Field field) {
  return {context, name, {MemberAction::Kind::kStore, field, Context::kCount}};
}
constexpr MemberRow enter(Context context, std::string_view name, Context below, Field mark = Field::kCount) {
  return {context, name, {MemberAction::Kind::kEnter, mark, below}};
}

using enum Field;
constexpr Context kRoot = Context::kRoot;
constexpr Context kClaim = Context::kClaim;
constexpr Context kProperties = Context::kProperties;
constexpr Context kVault = Context::kVaultProperties;
constexpr Context kBody = Context::kBodyProperties;

// Every spelling of every dialect. Sources: Azure Key Vault logging; Azure Monitor reference, tables AZKVAuditLogs and
// AzureDiagnostics; Managed HSM logging; real records.
constexpr auto kMembers = std::to_array<MemberRow>({
    // Raw records: blobs and Event Hubs.
    keep(kRoot, "time", kTime),
    keep(kRoot, "category", kCategory),
    keep(kRoot, "operationName", kOperation),
    keep(kRoot, "resourceId", kResourceId),
    keep(kRoot, "resultSignature", kResultSignature),
    keep(kRoot, "resultDescription", kResultDescription),
    keep(kRoot, "callerIpAddress", kCallerAddress),
    keep(kRoot, "correlationId", kCorrelationId),
    keep(kRoot, "resultType", kResultType),
    enter(kRoot, "identity", Context::kIdentity),
    enter(kRoot, "properties", kProperties),
    keep(kRoot, "records", kEnvelope),
    keep(kRoot, "tables", kEnvelope),
    keep(kRoot, "eventType", kEventType),
    keep(kRoot, "type", kCloudEventType),
    keep(kRoot, "data", kEventData),
    keep(kRoot, "httpStatusCode", kOuterStatus),
    keep(kRoot, "requestUri", kOuterUri),
    keep(kRoot, "clientInfo", kOuterClientInfo),
    keep(kRoot, "subnetId", kOuterSubnet),
    // AzureDiagnostics and AZKVAuditLogs.
    keep(kRoot, "TimeGenerated", kTime),
    keep(kRoot, "_OriginalTimeGenerated", kOriginalTime),
    keep(kRoot, "_OriginalType", kOriginalType),
    enter(kRoot, "AdditionalFields", Context::kAdditional),
    enter(kRoot, "additionalFields", Context::kAdditional),
    enter(kRoot, "AdditionalFields_s", Context::kAdditional),
    keep(kRoot, "ResultType", kResultType),
    keep(kRoot, "Category", kCategory),
    keep(kRoot, "OperationName", kOperation),
    keep(kRoot, "ResourceId", kResourceId),
    keep(kRoot, "_ResourceId", kResourceIdLower),
    keep(kRoot, "ResultSignature", kResultSignature),
    keep(kRoot, "ResultDescription", kResultDescription),
    keep(kRoot, "CallerIPAddress", kCallerAddress),
    keep(kRoot, "CallerIpAddress", kCallerAddress),
    keep(kRoot, "CorrelationId", kCorrelationId),
    keep(kRoot, "ResourceProvider", kProvider),
    keep(kRoot, "SubscriptionId", kSubscription),
    keep(kRoot, "ResourceGroup", kResourceGroup),
    keep(kRoot, "Resource", kResource),
    keep(kRoot, "ResourceType", kResourceType),
    keep(kRoot, "Type", kTableType),
    // AzureActivity.
    keep(kRoot, "OperationNameValue", kActivityOperation),
    keep(kRoot, "CategoryValue", kCategory),
    keep(kRoot, "ActivityStatus", kResultType),
    keep(kRoot, "ActivityStatusValue", kResultType),
    keep(kRoot, "Caller", kActivityCaller),
    enter(kRoot, "Claims", kClaim),
    enter(kRoot, "Claims_d", kClaim),
    enter(kRoot, "Authorization", Context::kAuthorization),
    enter(kRoot, "Authorization_d", Context::kAuthorization),
    enter(kRoot, "Properties_d", kVault),
    // The Activity Log's own API, also by `az monitor activity-log list`; names are texts or {"value": ..}.
    keep(kRoot, "eventTimestamp", kTime),
    keep(kRoot, "status", kResultType),
    keep(kRoot, "caller", kActivityCaller),
    enter(kRoot, "claims", kClaim),
    enter(kRoot, "authorization", Context::kAuthorization),
    enter(kRoot, "httpRequest", Context::kHttpRequest),
    keep(Context::kHttpRequest, "clientIpAddress", kCallerAddress),
    keep(Context::kHttpRequest, "clientIPAddress", kCallerAddress),
    // AZKVAuditLogs.
    enter(kRoot, "Identity", Context::kIdentity),
    keep(kRoot, "Id", kId),
    keep(kRoot, "ClientInfo", kClientInfo),
    keep(kRoot, "HttpStatusCode", kStatus),
    keep(kRoot, "RequestUri", kRequestUri),
    keep(kRoot, "IsAccessPolicyMatch", kPolicyMatch),
    keep(kRoot, "IsRbacAuthorized", kRbacAuthorized),
    keep(kRoot, "IsAddressAuthorized", kAddressAuthorized),
    keep(kRoot, "AddressAuthorizationType", kAddressType),
    keep(kRoot, "TrustedService", kTrustedService),
    keep(kRoot, "SubnetId", kSubnet),
    keep(kRoot, "EnableRbacAuthorization", kRbacEnabled),
    enter(kRoot, "NetworkAcls", Context::kNetworkAcls, kNetworkAcls),
    enter(kRoot, "VaultProperties", kVault),
    enter(kRoot, "Properties", kVault),
    // AzureDiagnostics: flattened, with type suffixes.
    keep(kRoot, "id_s", kId),
    keep(kRoot, "clientInfo_s", kClientInfo),
    keep(kRoot, "httpStatusCode_d", kStatus),
    keep(kRoot, "requestUri_s", kRequestUri),
    keep(kRoot, "isAccessPolicyMatch_b", kPolicyMatch),
    keep(kRoot, "isRbacAuthorized_b", kRbacAuthorized),
    keep(kRoot, "isAddressAuthorized_b", kAddressAuthorized),
    keep(kRoot, "addrAuthType_s", kAddressType),
    keep(kRoot, "trustedService_s", kTrustedService),
    keep(kRoot, "privateEndpointId_s", kPrivateEndpoint),
    keep(kRoot, "subnetId_s", kSubnet),
    keep(kRoot, "properties_enableRbacAuthorization_b", kRbacEnabled),
    keep(kRoot, "properties_networkAcls_bypass_s", kAclsBypass),
    keep(kRoot, "properties_networkAcls_defaultAction_s", kAclsDefaultAction),
    enter(kRoot, "properties_networkAcls_ipRules_s", Context::kIpRules, kAclsIpRules),
    enter(kRoot, "properties_networkAcls_virtualNetworkRules_s", Context::kSubnetRules, kAclsSubnetRules),
    keep(kRoot, "properties_publicNetworkAccess_s", kPublicAccess),
    keep(kRoot, "addedAccessPolicy_ObjectId_g", kAddedPolicyPrincipal),
    keep(kRoot, "addedAccessPolicy_ObjectId_s", kAddedPolicyPrincipal),
    keep(kRoot, "addedAccessPolicy_TenantId_g", kAddedPolicy),
    keep(kRoot, "addedAccessPolicy_Permissions_keys_s", kAddedPolicy),
    keep(kRoot, "addedAccessPolicy_Permissions_secrets_s", kAddedPolicy),
    keep(kRoot, "addedAccessPolicy_Permissions_certificates_s", kAddedPolicy),
    keep(kRoot, "removedAccessPolicy_ObjectId_g", kRemovedPolicyPrincipal),
    keep(kRoot, "removedAccessPolicy_ObjectId_s", kRemovedPolicyPrincipal),
    keep(kRoot, "removedAccessPolicy_TenantId_g", kRemovedPolicy),
    keep(kRoot, "removedAccessPolicy_Permissions_keys_s", kRemovedPolicy),
    keep(kRoot, "removedAccessPolicy_Permissions_secrets_s", kRemovedPolicy),
    keep(kRoot, "removedAccessPolicy_Permissions_certificates_s", kRemovedPolicy),
    keep(kRoot, "addedIpRule_Value_s", kAddedIpRule),
    keep(kRoot, "identity_claim_oid_g", kObjectId),
    keep(kRoot, "identity_claim_oid_s", kObjectIdOther),
    keep(kRoot, "identity_claim_appid_g", kAppId),
    keep(kRoot, "identity_claim_appid_s", kAppIdOther),
    keep(kRoot, "identity_claim_upn_s", kUpn),
    keep(kRoot, "identity_claim_unique_name_s", kUniqueName),
    keep(kRoot, "identity_claim_scp_s", kScope),
    keep(kRoot, "identity_claim_idtyp_s", kIdentityType),
    keep(kRoot, "identity_claim_xms_mirid_s", kManagedIdentityId),
    keep(kRoot, "identity_claim_xms_az_rid_s", kAzureResourceId),
    keep(kRoot, "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g", kLongObjectId),
    keep(kRoot, "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_s", kLongObjectIdOther),
    keep(kRoot, "identity_claim_http_schemas_microsoft_com_identity_claims_scope_s", kLongScope),
    keep(kRoot, "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s", kLongUpn),
    keep(kRoot, "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_name_s", kLongName),

    enter(Context::kIdentity, "claim", kClaim),
    enter(Context::kIdentity, "claims", kClaim),  // of the Activity Log
    enter(Context::kIdentity, "authorization", Context::kAuthorization),
    keep(Context::kAuthorization, "scope", kAuthorizationScope),
    keep(kClaim, "oid", kObjectId),
    keep(kClaim, "upn", kUpn),
    keep(kClaim, "unique_name", kUniqueName),
    keep(kClaim, "appid", kAppId),
    keep(kClaim, "scp", kScope),
    keep(kClaim, "idtyp", kIdentityType),
    keep(kClaim, "xms_mirid", kManagedIdentityId),
    keep(kClaim, "xms_az_rid", kAzureResourceId),
    keep(kClaim, "http://schemas.microsoft.com/identity/claims/objectidentifier", kLongObjectId),
    keep(kClaim, "http://schemas.microsoft.com/identity/claims/scope", kLongScope),
    keep(kClaim, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", kLongUpn),
    keep(kClaim, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", kLongName),
    enter(kClaim, "http_schemas_microsoft_com_identity", Context::kLongIdentity),
    enter(Context::kLongIdentity, "claims", Context::kLongClaims),
    keep(Context::kLongClaims, "objectidentifier", kLongObjectId),
    keep(Context::kLongClaims, "scope", kLongScope),
    enter(kClaim, "http_schemas_xmlsoap_org_ws_2005_05_identity", Context::kSoapIdentity),
    enter(Context::kSoapIdentity, "claims", Context::kSoapClaims),
    keep(Context::kSoapClaims, "upn", kLongUpn),
    keep(Context::kSoapClaims, "name", kLongName),

    keep(kProperties, "id", kId),
    keep(kProperties, "clientInfo", kClientInfo),
    keep(kProperties, "httpStatusCode", kStatus),
    keep(kProperties, "requestUri", kRequestUri),
    keep(kProperties, "isAccessPolicyMatch", kPolicyMatch),
    keep(kProperties, "isRbacAuthorized", kRbacAuthorized),
    keep(kProperties, "isAddressAuthorized", kAddressAuthorized),
    keep(kProperties, "addrAuthType", kAddressType),
    keep(kProperties, "trustedService", kTrustedService),
    keep(kProperties, "privateEndpointId", kPrivateEndpoint),
    keep(kProperties, "subnetId", kSubnet),
    enter(kProperties, "properties", kVault),
    enter(kProperties, "addedAccessPolicy", Context::kAddedPolicy, kAddedPolicy),
    enter(kProperties, "removedAccessPolicy", Context::kRemovedPolicy, kRemovedPolicy),
    enter(kProperties, "addedIpRule", Context::kAddedIpRule, kAddedIpRule),

    enter(kProperties, "accessPolicies", Context::kListedPolicies),
    enter(kProperties, "requestbody", Context::kBody),
    enter(kProperties, "requestBody", Context::kBody),
    enter(kProperties, "responseBody", Context::kBody),
    enter(kProperties, "responsebody", Context::kBody),
    enter(Context::kBody, "properties", kBody),
    enter(Context::kBody, "Properties", kBody),

    keep(kVault, "enableRbacAuthorization", kRbacEnabled),
    keep(kVault, "publicNetworkAccess", kPublicAccess),
    enter(kVault, "accessPolicies", Context::kListedPolicies),
    enter(kVault, "requestbody", Context::kBody),
    enter(kVault, "requestBody", Context::kBody),
    enter(kVault, "responseBody", Context::kBody),
    enter(kVault, "responsebody", Context::kBody),
    keep(kBody, "principalId", kAssignedPrincipal),
    keep(kBody, "PrincipalId", kAssignedPrincipal),
    keep(kBody, "roleDefinitionId", kAssignedRole),
    keep(kBody, "RoleDefinitionId", kAssignedRole),
    keep(kBody, "scope", kAssignmentScope),
    keep(kBody, "Scope", kAssignmentScope),
    keep(kBody, "enableRbacAuthorization", kRbacEnabled),
    keep(kBody, "publicNetworkAccess", kPublicAccess),
    enter(kBody, "networkAcls", Context::kNetworkAcls, kNetworkAcls),
    enter(kBody, "accessPolicies", Context::kListedPolicies),
    keep(Context::kListedPolicies, "objectId", kListedPolicyPrincipal),
    keep(Context::kListedPolicies, "ObjectId", kListedPolicyPrincipal),
    enter(kVault, "networkAcls", Context::kNetworkAcls, kNetworkAcls),
    enter(kVault, "addedAccessPolicy", Context::kAddedPolicy, kAddedPolicy),
    enter(kVault, "removedAccessPolicy", Context::kRemovedPolicy, kRemovedPolicy),
    enter(kVault, "addedIpRule", Context::kAddedIpRule, kAddedIpRule),
    keep(Context::kAddedPolicy, "ObjectId", kAddedPolicyPrincipal),
    keep(Context::kAddedPolicy, "objectId", kAddedPolicyPrincipal),
    keep(Context::kRemovedPolicy, "ObjectId", kRemovedPolicyPrincipal),
    keep(Context::kRemovedPolicy, "objectId", kRemovedPolicyPrincipal),
    keep(Context::kNetworkAcls, "bypass", kAclsBypass),
    keep(Context::kNetworkAcls, "Bypass", kAclsBypass),
    keep(Context::kNetworkAcls, "defaultAction", kAclsDefaultAction),
    keep(Context::kNetworkAcls, "DefaultAction", kAclsDefaultAction),
    enter(Context::kNetworkAcls, "ipRules", Context::kIpRules, kAclsIpRules),
    enter(Context::kNetworkAcls, "IpRules", Context::kIpRules, kAclsIpRules),
    enter(Context::kNetworkAcls, "virtualNetworkRules", Context::kSubnetRules, kAclsSubnetRules),
    enter(Context::kNetworkAcls, "VirtualNetworkRules", Context::kSubnetRules, kAclsSubnetRules),
});

// Length, both ends and the middle tell the names apart well enough; a match is compared in full.
constexpr std::size_t kSlotCount = 1024;
constexpr std::size_t slot_of(Context context, std::string_view name) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(name[at])); };
  const std::size_t size = name.size();
  std::uint32_t hash =
      static_cast<std::uint32_t>(size) * 0x9E37'79B1U + static_cast<std::uint32_t>(context) * 0x85EB'CA6BU;
  hash += byte(0) * 0xC2B2'AE35U + byte(size / 2) * 0x27D4'EB2FU + byte(size - 1) * 0x1656'67B1U +
          byte(size / 3) * 0x9E37'79F9U;
  return (hash ^ (hash >> 17)) % kSlotCount;
}

constexpr std::uint8_t kNoRow = 0xFF;
static_assert(kMembers.size() < kNoRow);
constexpr auto kSlots = [] {
  std::array<std::uint8_t, kSlotCount> slots{};
  slots.fill(kNoRow);
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    std::size_t slot = slot_of(kMembers[i].context, kMembers[i].name);
    while (slots[slot] != kNoRow) { slot = (slot + 1) % kSlotCount; }
    slots[slot] = static_cast<std::uint8_t>(i);
  }
  return slots;
}();

// "identity_claim_oid_g" is "identityclaimoid".
std::string loose_name(std::string_view name) {
  constexpr std::string_view kTypes = "sdbgt";
  const std::size_t size = name.size();
  if (size > 2 && name[size - 2] == '_' && kTypes.find(name[size - 1]) != std::string_view::npos) {
    name.remove_suffix(2);
  }
  std::string loose;
  for (const char c : name) {
    if (c != '_') { loose += lower_case(c); }
  }
  return loose;
}

// Columns of a table that may stand in AdditionalFields, by their loose names.
std::map<std::string, MemberAction> additional_members() {
  std::map<std::string, MemberAction> members;
  for (const MemberRow& row : kMembers) {
    const bool column = row.action.kind == MemberAction::Kind::kStore && !is_container_mark(row.action.field) &&
                        row.action.field != kEventType && row.action.field != kCloudEventType;
    const bool taken = column || row.action.context == Context::kIdentity || row.action.context == Context::kIpRules ||
                       row.action.context == Context::kSubnetRules;
    if (row.context != kRoot || !taken) { continue; }
    MemberAction action = row.action;
    if (column) { action.kind = MemberAction::Kind::kFill; }
    members.emplace(loose_name(row.name), action);
  }
  return members;
}

constexpr MemberAction kSkip;

const MemberAction& find_additional_member(std::string_view name) {
  static const std::map<std::string, MemberAction> kAdditional = additional_members();
  constexpr std::size_t kLongestNameBytes = 256;
  if (name.size() > kLongestNameBytes) { return kSkip; }
  const auto found = kAdditional.find(loose_name(name));
  return found == kAdditional.end() ? kSkip : found->second;
}

}  // namespace

const MemberAction& find_member(Context context, std::string_view name) {
  if (name.empty()) { return kSkip; }
  if (context == Context::kAdditional) { return find_additional_member(name); }
  for (std::size_t slot = slot_of(context, name);; slot = (slot + 1) % kSlotCount) {
    if (kSlots[slot] == kNoRow) { return kSkip; }
    const MemberRow& row = kMembers[kSlots[slot]];
    if (row.context == context && row.name == name) { return row.action; }
  }
}

}  // namespace keyvigil
