#include "reference/decoder_twin.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <optional>
#include <sstream>

#include "base/event_time.h"
#include "base/hash.h"
#include "base/ip_address.h"
#include "event/first_party.h"
#include "event/operation.h"

namespace keyvigil {
namespace {

using nlohmann::json;
using Values = std::initializer_list<const json*>;

constexpr std::size_t kIdLimit = 64;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') { c = static_cast<char>(c - 'A' + 'a'); }
  }
  return text;
}

bool contains_text(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

// --- values ---------------------------------------------------------------------------------------------------------

const json* member(const json* value, const std::string& name) {
  if (value == nullptr || !value->is_object()) { return nullptr; }
  const auto found = value->find(name);
  return found == value->end() ? nullptr : &*found;
}

// null, "", az-cli's "None" and absent are the same.
bool is_absent(const json* value) {
  return value == nullptr || value->is_null() || (value->is_string() && (*value == "" || *value == "None"));
}

const json* first_of(Values values) {
  for (const json* value : values) {
    if (!is_absent(value)) { return value; }
  }
  return nullptr;
}

std::string text_of(const json* value) {
  return is_absent(value) || !value->is_string() ? std::string() : value->get<std::string>();
}

// Where a place holds something that is no text, the next one is asked.
const json* first_string_of(Values values) {
  for (const json* value : values) {
    if (!is_absent(value) && value->is_string()) { return value; }
  }
  return nullptr;
}

std::string first_text(Values values) {
  return text_of(first_string_of(values));
}

TriState boolean_of(const json* value) {
  if (is_absent(value)) { return TriState::kAbsent; }
  if (*value == true || *value == "true" || *value == "True" || *value == "1" || *value == 1) {
    return TriState::kTrue;
  }
  if (*value == false || *value == "false" || *value == "False" || *value == "0" || *value == 0) {
    return TriState::kFalse;
  }
  return TriState::kAbsent;
}

// A dynamic column: the value itself, or the text of it.
json dynamic_of(const json* value) {
  if (is_absent(value)) { return nullptr; }
  if (!value->is_string()) { return *value; }
  json parsed = json::parse(value->get<std::string>(), nullptr, false);
  return parsed.is_discarded() ? json() : parsed;
}

const json* member_any_case(const json& object, const std::string& lower_name) {
  if (!object.is_object()) { return nullptr; }
  for (auto item = object.begin(); item != object.end(); ++item) {
    if (lower(item.key()) == lower_name) { return &item.value(); }
  }
  return nullptr;
}

// --- limits ---------------------------------------------------------------------------------------------------------

std::string cut(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) { return text; }
  return text.substr(0, limit - 33) + "~" + to_hex(hash128(text));
}

std::string limited_id(const std::string& text) {
  const std::string id = lower(text);
  return id.size() <= kIdLimit ? id : "hash:" + to_hex(hash128(id));
}

std::string without_trailing_slash(std::string text) {
  while (!text.empty() && text.back() == '/') { text.pop_back(); }
  return text;
}

// --- callers --------------------------------------------------------------------------------------------------------

struct Claims {
  std::string object_id, user_name, app_id, managed_resource, using_resource, scope, identity_type;
};

// One claim wherever a dialect puts it: by its short name, by its URI, in the Managed HSM's re-nested form, or as a
// flattened column, where a value that is no GUID sits in the _s twin of the _g column.
struct ClaimPlaces {
  const json& record;
  const json* claim;

  const json* short_form(const std::string& name) const {
    return first_string_of({member(claim, name), member(&record, "identity_claim_" + name + "_g"),
                            member(&record, "identity_claim_" + name + "_s")});
  }
  const json* long_form(const std::string& uri, const std::string& flat, const std::string& name) const {
    return first_string_of({member(claim, uri + "/claims/" + name), member(member(member(claim, flat), "claims"), name),
                            member(&record, "identity_claim_" + flat + "_claims_" + name + "_g"),
                            member(&record, "identity_claim_" + flat + "_claims_" + name + "_s")});
  }
  const json* microsoft(const std::string& name) const {
    return long_form("http://schemas.microsoft.com/identity", "http_schemas_microsoft_com_identity", name);
  }
  const json* xmlsoap(const std::string& name) const {
    return long_form("http://schemas.xmlsoap.org/ws/2005/05/identity", "http_schemas_xmlsoap_org_ws_2005_05_identity",
                     name);
  }
};

Claims read_claims(const json& record) {
  const json identity = dynamic_of(first_of({member(&record, "identity"), member(&record, "Identity")}));
  const ClaimPlaces places{record, member(&identity, "claim")};
  Claims claims;
  claims.object_id = first_text({places.short_form("oid"), places.microsoft("objectidentifier")});
  claims.user_name = first_text(
      {places.short_form("upn"), places.short_form("unique_name"), places.xmlsoap("upn"), places.xmlsoap("name")});
  claims.app_id = text_of(places.short_form("appid"));
  claims.managed_resource = text_of(places.short_form("xms_mirid"));
  claims.using_resource = text_of(places.short_form("xms_az_rid"));
  claims.scope = first_text({places.short_form("scp"), places.microsoft("scope")});
  claims.identity_type = lower(text_of(places.short_form("idtyp")));
  return claims;
}

CallerKind classify(const Claims& claims, const std::string& trusted_service) {
  const bool identified = !claims.object_id.empty() || !claims.user_name.empty() || !claims.app_id.empty() ||
                          !claims.managed_resource.empty() || !claims.using_resource.empty();
  if (!identified) { return CallerKind::kAnonymous; }
  if (!claims.user_name.empty() || !claims.scope.empty() || claims.identity_type == "user") {
    return CallerKind::kUser;
  }
  if (!claims.managed_resource.empty() || !claims.using_resource.empty()) { return CallerKind::kManagedIdentity; }
  if (is_first_party_app(lower(claims.app_id)) || !trusted_service.empty()) { return CallerKind::kFirstParty; }
  return CallerKind::kApp;
}

std::string caller_key_of(CallerKind kind, const Claims& claims) {
  if (kind == CallerKind::kAnonymous) { return ""; }
  if (kind == CallerKind::kUser) { return limited_id(claims.object_id.empty() ? claims.user_name : claims.object_id); }
  for (const std::string& id : {claims.app_id, claims.managed_resource, claims.using_resource, claims.object_id}) {
    if (!id.empty()) { return limited_id(id); }
  }
  return "";
}

// --- outcome --------------------------------------------------------------------------------------------------------

std::uint16_t in_status_range(double status) {
  const bool whole = std::floor(status) == status;
  return whole && status >= 100 && status <= 599 ? static_cast<std::uint16_t>(status) : std::uint16_t{0};
}

// Any JSON number: "200", "200.0", "2e2".
std::uint16_t status_from_text(const std::string& text) {
  // nlohmann passes over blanks at both ends.
  if (text.empty() || text != text.substr(0, text.find_first_of(" \t\r\n"))) { return 0; }
  const json value = json::parse(text, nullptr, false);
  return value.is_number() ? in_status_range(value.get<double>()) : std::uint16_t{0};
}

std::uint16_t status_from_signature(const std::string& signature) {
  static const std::map<std::string, std::uint16_t> kPhrases = {
      {"ok", 200},           {"created", 201},   {"accepted", 202},  {"no content", 204}, {"bad request", 400},
      {"unauthorized", 401}, {"forbidden", 403}, {"not found", 404}, {"conflict", 409},   {"too many requests", 429}};
  const auto found = kPhrases.find(lower(signature));
  return found == kPhrases.end() ? std::uint16_t{0} : found->second;
}

std::uint16_t read_status(const json* value, const std::string& signature) {
  if (is_absent(value)) { return status_from_signature(signature); }
  if (value->is_number()) { return in_status_range(value->get<double>()); }
  return value->is_string() ? status_from_text(value->get<std::string>()) : std::uint16_t{0};
}

struct Refusal403 {
  TriState address_authorized, rbac_authorized, policy_match;
  std::string text;  // lower case
};

bool speaks_of_object_state(const std::string& text) {
  return contains_text(text, "is not permitted") || contains_text(text, "keyoperationforbidden") ||
         contains_text(text, "is disabled");
}

DenialKind why_forbidden(const Refusal403& refusal) {
  const std::string& text = refusal.text;
  if (refusal.address_authorized == TriState::kFalse) { return DenialKind::kFirewall; }
  if (refusal.rbac_authorized == TriState::kFalse) { return DenialKind::kRbac; }
  if (refusal.policy_match == TriState::kFalse) { return DenialKind::kPolicy; }
  if (contains_text(text, "client address") || contains_text(text, "forbiddenbyfirewall")) {
    return DenialKind::kFirewall;
  }
  if (contains_text(text, "public network access is disabled") || contains_text(text, "private link") ||
      contains_text(text, "forbiddenbyconnection")) {
    return DenialKind::kConnection;
  }
  if (contains_text(text, "caller is not authorized to perform action") || contains_text(text, "forbiddenbyrbac")) {
    return DenialKind::kRbac;
  }
  if ((contains_text(text, "does not have") && contains_text(text, "permission")) ||
      contains_text(text, "forbiddenbypolicy")) {
    return DenialKind::kPolicy;
  }
  if (speaks_of_object_state(text)) { return DenialKind::kObjectState; }
  if (contains_text(text, "first party service")) { return DenialKind::kFirstParty; }
  return DenialKind::kUnspecified;
}

void set_outcome(AccessEvent& event, const Refusal403& refusal) {
  event.outcome = Outcome::kOther;
  event.denial_kind = DenialKind::kNone;
  const int status = event.http_status;
  if (status >= 200 && status <= 299) { event.outcome = Outcome::kSuccess; }
  if (status == 404) { event.outcome = Outcome::kNotFound; }
  if (status == 429) { event.outcome = Outcome::kThrottled; }
  if (status == 401) {
    const bool challenge = event.caller_kind == CallerKind::kAnonymous;
    event.outcome = challenge ? Outcome::kChallenge : Outcome::kDenied;
    event.denial_kind = challenge ? DenialKind::kNone : DenialKind::kToken;
  }
  if (status == 403) {
    event.denial_kind = why_forbidden(refusal);
    const bool about_caller =
        event.denial_kind != DenialKind::kObjectState && event.denial_kind != DenialKind::kFirstParty;
    event.outcome = about_caller ? Outcome::kDenied : Outcome::kOther;
  }
}

// --- objects --------------------------------------------------------------------------------------------------------

std::string without_query(const std::string& uri) {
  return uri.substr(0, uri.find_first_of("?#"));
}

struct ObjectName {
  std::string object, version;
};

std::vector<std::string> path_segments(const std::string& uri) {
  const std::size_t scheme = uri.find("://");
  std::vector<std::string> segments;
  if (scheme == std::string::npos) { return segments; }
  std::size_t slash = uri.find('/', scheme + 3);
  while (slash != std::string::npos) {
    const std::size_t next = uri.find('/', slash + 1);
    const std::string segment = uri.substr(slash + 1, next == std::string::npos ? next : next - slash - 1);
    if (!segment.empty()) { segments.push_back(segment); }
    slash = next;
  }
  return segments;
}

ObjectName object_in(const std::string& uri, OperationKind kind) {
  static const std::map<std::string, std::string> kCollections = {{"secrets", "secrets"},
                                                                  {"keys", "keys"},
                                                                  {"certificates", "certificates"},
                                                                  {"storage", "storage"},
                                                                  {"deletedsecrets", "secrets"},
                                                                  {"deletedkeys", "keys"},
                                                                  {"deletedcertificates", "certificates"},
                                                                  {"deletedstorage", "storage"}};
  const std::vector<std::string> segments = path_segments(lower(without_query(uri)));
  if (segments.size() < 2) { return {}; }
  const auto collection = kCollections.find(segments[0]);
  const std::string& name = segments[1];
  if (collection == kCollections.end()) { return {}; }
  if (name == "restore" && kind == OperationKind::kRestore) { return {}; }
  if (collection->second == "certificates" && (name == "contacts" || name == "issuers")) { return {}; }
  ObjectName found{collection->second + "/" + name, ""};
  const bool versioned = segments.size() > 2 && segments[2].size() == 32 &&
                         segments[2].find_first_not_of("0123456789abcdef") == std::string::npos;
  if (versioned) { found.version = segments[2]; }
  return found;
}

ObjectName read_object(const std::string& id, const std::string& request_uri, OperationKind kind) {
  const ObjectName by_id = object_in(id, kind);
  const ObjectName by_uri = object_in(request_uri, kind);
  if (by_id.object.empty()) { return by_uri; }
  return {by_id.object, by_id.version.empty() ? by_uri.version : by_id.version};
}

// --- changes of a vault's configuration -----------------------------------------------------------------------------

struct Policy {
  std::uint8_t marks = 0;
  std::string principal;
  TriState rbac = TriState::kAbsent;
  std::string network_acls;
};

bool has_mark(const json& record, const std::string& name) {
  if (!is_absent(member(member(&record, "properties"), name))) { return true; }
  const json table_properties = dynamic_of(member(&record, "Properties"));
  if (!is_absent(member(&table_properties, name))) { return true; }
  for (auto column = record.begin(); column != record.end(); ++column) {
    if (starts_with(column.key(), name) && !is_absent(&column.value())) { return true; }
  }
  return false;
}

std::string principal_in(const json& policies) {
  const json* policy = &policies;
  if (policies.is_array()) { policy = policies.empty() ? nullptr : &policies.front(); }
  return policy == nullptr ? "" : text_of(member_any_case(*policy, "objectid"));
}

std::string principal_of(const json& record, const std::string& name) {
  const json table_properties = dynamic_of(member(&record, "Properties"));
  const std::string nested = principal_in(dynamic_of(first_of(
      {member(member(&record, "properties"), name), member(&table_properties, name), member(&record, name + "_s")})));
  if (!nested.empty()) { return nested; }
  return first_text({member(&record, name + "_ObjectId_g"), member(&record, name + "_ObjectId_s")});
}

std::string canonical_acls(const json* bypass, const json* default_action) {
  return "bypass=" + lower(text_of(bypass)) + ";defaultaction=" + lower(text_of(default_action));
}

std::string read_network_acls(const json& record, const json& vault_properties) {
  const json* const configuration = member(member(&record, "properties"), "properties");
  const json* const given =
      first_of({member(configuration, "networkAcls"), member(&record, "NetworkAcls"),
                member(&vault_properties, "networkAcls"), member(&record, "properties_networkAcls_s")});
  if (given != nullptr) {
    const json acls = dynamic_of(given);
    return canonical_acls(member_any_case(acls, "bypass"), member_any_case(acls, "defaultaction"));
  }
  const json* const bypass = member(&record, "properties_networkAcls_bypass_s");
  const json* const action = member(&record, "properties_networkAcls_defaultAction_s");
  return is_absent(bypass) && is_absent(action) ? "" : canonical_acls(bypass, action);
}

Policy read_policy(const json& record) {
  Policy policy;
  if (has_mark(record, "addedAccessPolicy")) { policy.marks |= kPolicyMarkAdded; }
  if (has_mark(record, "removedAccessPolicy")) { policy.marks |= kPolicyMarkRemoved; }
  if (has_mark(record, "addedIpRule")) { policy.marks |= kPolicyMarkIpRule; }
  policy.principal = principal_of(record, "addedAccessPolicy");
  if (policy.principal.empty()) { policy.principal = principal_of(record, "removedAccessPolicy"); }
  const json vault_properties = dynamic_of(member(&record, "VaultProperties"));
  const json* const configuration = member(member(&record, "properties"), "properties");
  policy.rbac = boolean_of(first_of(
      {member(configuration, "enableRbacAuthorization"), member(&record, "properties_enableRbacAuthorization_b"),
       member(&record, "EnableRbacAuthorization"), member(&vault_properties, "enableRbacAuthorization")}));
  policy.network_acls = read_network_acls(record, vault_properties);
  return policy;
}

// --- the whole record -----------------------------------------------------------------------------------------------

NetworkPath path_of(const std::string& trusted_service, const std::string& private_endpoint,
                    const std::string& authorization, const std::string& subnet, const IpAddress& address) {
  const std::string type = lower(authorization);
  if (!trusted_service.empty()) { return NetworkPath::kTrustedService; }
  if (!private_endpoint.empty() || contains_text(type, "private")) { return NetworkPath::kPrivateLink; }
  if ((!subnet.empty() && subnet != "(unknown)") || contains_text(type, "subnet")) {
    return NetworkPath::kServiceEndpoint;
  }
  return address.known && !is_global(address) ? NetworkPath::kPrivateLink : NetworkPath::kPublic;
}

std::string read_vault_id(const json& record) {
  const std::string given = without_trailing_slash(
      first_text({member(&record, "resourceId"), member(&record, "ResourceId"), member(&record, "_ResourceId")}));
  if (!given.empty()) { return lower(given); }
  const std::string subscription = text_of(member(&record, "SubscriptionId"));
  const std::string group = text_of(member(&record, "ResourceGroup"));
  const std::string resource = text_of(member(&record, "Resource"));
  if (subscription.empty() || group.empty() || resource.empty()) { return ""; }
  const bool hsm = lower(text_of(member(&record, "ResourceType"))) == "managedhsms";
  return lower("/subscriptions/" + subscription + "/resourcegroups/" + group + "/providers/microsoft.keyvault/" +
               (hsm ? "managedhsms/" : "vaults/") + resource);
}

std::optional<EventTime> read_time(const json& record) {
  const std::string text =
      first_text({member(&record, "time"), member(&record, "TimeGenerated"), member(&record, "TimeGenerated [UTC]")});
  const std::optional<EventTime> iso = parse_iso_time(text);
  return iso ? iso : parse_us_time(text);
}

TwinAnswer refused(RefusalCause cause) {
  TwinAnswer answer;
  answer.kind = DecodeKind::kRefused;
  answer.refusal = cause;
  return answer;
}

TwinAnswer skipped(SkipCause cause) {
  TwinAnswer answer;
  answer.kind = DecodeKind::kSkipped;
  answer.skip = cause;
  return answer;
}

TwinAnswer envelope() {
  TwinAnswer answer;
  answer.kind = DecodeKind::kEnvelope;
  return answer;
}

bool has(const json& record, const std::string& name) {
  return record.contains(name);
}

bool is_event_grid(const json& record) {
  // CloudEvents call it "type".
  const std::string type = lower(first_text({member(&record, "eventType"), member(&record, "type")}));
  const bool record_of_a_log =
      !first_text({member(&record, "operationName"), member(&record, "OperationName")}).empty();
  const json* data = member(&record, "data");
  const bool has_data = data != nullptr && (data->is_object() || data->is_array() || !text_of(data).empty());
  return !record_of_a_log && !type.empty() && (has_data || starts_with(type, "microsoft.keyvault."));
}

// An identity that is text must be the text of an object: a record whose caller cannot be read is not nobody's.
bool has_damaged_identity(const json& record) {
  const json* const identity = first_of({member(&record, "identity"), member(&record, "Identity")});
  return identity != nullptr && identity->is_string() && !dynamic_of(identity).is_object();
}

bool is_other_category(const json& record) {
  const std::string category = lower(first_text({member(&record, "category"), member(&record, "Category")}));
  // The policy evaluation table has no category column; its rows say what they are in Type.
  const bool policy_table = lower(text_of(member(&record, "Type"))) == "azkvpolicyevaluationdetailslogs";
  return policy_table || (!category.empty() && category != "auditevent");
}

bool is_other_service(const json& record) {
  const std::string provider = lower(text_of(member(&record, "ResourceProvider")));
  return !provider.empty() && provider != "microsoft.keyvault";
}

// The value of a property under the names of the raw record (in `properties`, or at the top for a Managed HSM), of
// AzureDiagnostics and of AZKVAuditLogs.
const json* property(const json& record, const std::string& raw, const std::string& suffixed,
                     const std::string& table) {
  return first_of({member(member(&record, "properties"), raw), member(&record, suffixed), member(&record, table)});
}

const json* property_or_top(const json& record, const std::string& raw, const std::string& suffixed,
                            const std::string& table) {
  return first_of({property(record, raw, suffixed, table), member(&record, raw)});
}

using Texts = std::map<TextField, std::string>;

void set_texts(AccessEvent& event, const Texts& texts) {
  for (const auto& [field, text] : texts) {
    TextSlice& slice = event.slices[static_cast<std::size_t>(field)];
    slice.offset = static_cast<std::uint16_t>(event.text.size());
    slice.size = static_cast<std::uint16_t>(text.size());
    event.text += text;
  }
}

AccessEvent read_event_of(const json& record, EventTime time, const std::string& operation,
                          const std::string& vault_id) {
  AccessEvent event;
  Texts texts;
  event.time = time;
  texts[TextField::kVaultId] = cut(vault_id, 512);

  event.operation = find_operation(operation);
  const bool known = event.operation != kUnknownOperation;
  event.operation_kind = known ? operation_row(event.operation).kind : classify_by_suffix(operation);
  if (!known) { texts[TextField::kOperationName] = cut(operation, 128); }

  const std::string address = first_text(
      {member(&record, "callerIpAddress"), member(&record, "CallerIPAddress"), member(&record, "CallerIpAddress")});
  event.address = parse_ip_address(address).value_or(IpAddress{});

  const Claims claims = read_claims(record);
  const std::string trusted_service = text_of(property(record, "trustedService", "trustedService_s", "TrustedService"));
  event.caller_kind = classify(claims, trusted_service);
  texts[TextField::kCallerKey] = caller_key_of(event.caller_kind, claims);
  texts[TextField::kObjectId] = limited_id(claims.object_id);
  texts[TextField::kUserName] = limited_id(claims.user_name);
  texts[TextField::kAppId] = limited_id(claims.app_id);
  texts[TextField::kManagedIdentity] =
      cut(lower(claims.managed_resource.empty() ? claims.using_resource : claims.managed_resource), 512);

  const std::string signature = first_text({member(&record, "resultSignature"), member(&record, "ResultSignature")});
  texts[TextField::kResultSignature] = cut(signature, 64);
  event.http_status =
      read_status(property_or_top(record, "httpStatusCode", "httpStatusCode_d", "HttpStatusCode"), signature);
  Refusal403 refusal;
  refusal.address_authorized =
      boolean_of(property(record, "isAddressAuthorized", "isAddressAuthorized_b", "IsAddressAuthorized"));
  refusal.rbac_authorized = boolean_of(property(record, "isRbacAuthorized", "isRbacAuthorized_b", "IsRbacAuthorized"));
  refusal.policy_match =
      boolean_of(property(record, "isAccessPolicyMatch", "isAccessPolicyMatch_b", "IsAccessPolicyMatch"));
  refusal.text = lower(first_text({member(&record, "resultDescription"), member(&record, "ResultDescription")}));
  set_outcome(event, refusal);

  event.network_path = path_of(
      trusted_service, text_of(property(record, "privateEndpointId", "privateEndpointId_s", "PrivateEndpointId")),
      text_of(property(record, "addrAuthType", "addrAuthType_s", "AddressAuthorizationType")),
      text_of(property_or_top(record, "subnetId", "subnetId_s", "SubnetId")), event.address);

  const std::string request_uri = text_of(property_or_top(record, "requestUri", "requestUri_s", "RequestUri"));
  texts[TextField::kUri] = cut(lower(without_trailing_slash(without_query(request_uri))), 1024);
  texts[TextField::kClientInfo] =
      cut(text_of(property_or_top(record, "clientInfo", "clientInfo_s", "ClientInfo")), 512);
  texts[TextField::kCorrelationId] =
      limited_id(first_text({member(&record, "correlationId"), member(&record, "CorrelationId")}));

  const bool about_vault = starts_with(lower(operation), "vault");
  if (!about_vault && event.operation_kind != OperationKind::kList) {
    const ObjectName name =
        read_object(text_of(property(record, "id", "id_s", "Id")), request_uri, event.operation_kind);
    texts[TextField::kObject] = cut(name.object, 256);
    texts[TextField::kObjectVersion] = cut(name.version, 64);
  }
  if (about_vault) {
    const Policy policy = read_policy(record);
    event.policy_marks = policy.marks;
    event.rbac_authorization = policy.rbac;
    texts[TextField::kPolicyPrincipal] = cut(lower(policy.principal), 128);
    texts[TextField::kNetworkAcls] = cut(policy.network_acls, 256);
  }
  set_texts(event, texts);
  return event;
}

std::string name_of(TextField field) {
  static const std::array<std::string_view, kTextFieldCount> kNames = {
      "vault_id",    "operation_name", "object_id", "user_name",      "app_id",
      "managed",     "caller_key",     "object",    "object_version", "uri",
      "client_info", "correlation_id", "signature", "principal",      "network_acls"};
  return std::string(kNames[static_cast<std::size_t>(field)]);
}

}  // namespace

TwinAnswer decode_by_twin(const json& record) {
  if (record.is_array()) { return envelope(); }
  if (!record.is_object()) { return refused(RefusalCause::kNotARecord); }
  if (is_event_grid(record)) { return skipped(SkipCause::kEventGrid); }
  const bool is_record = has(record, "operationName") || has(record, "OperationName") || has(record, "time") ||
                         has(record, "TimeGenerated") || has(record, "TimeGenerated [UTC]");
  if (!is_record) {
    const bool is_envelope = (has(record, "records") && record["records"].is_array()) ||
                             (has(record, "tables") && record["tables"].is_array());
    return is_envelope ? envelope() : refused(RefusalCause::kNotARecord);
  }
  if (has_damaged_identity(record)) { return refused(RefusalCause::kNotJson); }
  if (is_other_category(record)) { return skipped(SkipCause::kOtherCategory); }
  if (is_other_service(record)) { return skipped(SkipCause::kOtherService); }
  const std::optional<EventTime> time = read_time(record);
  if (!time) { return refused(RefusalCause::kNoTime); }
  const std::string operation = first_text({member(&record, "operationName"), member(&record, "OperationName")});
  if (operation.empty()) { return refused(RefusalCause::kNoOperation); }
  const std::string vault_id = read_vault_id(record);
  if (vault_id.empty()) { return refused(RefusalCause::kNoVault); }
  TwinAnswer answer;
  answer.kind = DecodeKind::kEvent;
  answer.event = read_event_of(record, *time, operation, vault_id);
  return answer;
}

std::size_t nesting_depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') { ++i; }
      if (c == '"') { in_string = false; }
      continue;
    }
    if (c == '"') { in_string = true; }
    if (c == '{' || c == '[') { deepest = std::max(deepest, ++depth); }
    if ((c == '}' || c == ']') && depth > 0) { --depth; }
  }
  return deepest;
}

bool split_csv_by_twin(std::string_view row, std::vector<std::string>& cells) {
  cells.assign(1, "");
  std::size_t i = 0;
  while (true) {
    if (i < row.size() && row[i] == '"') {
      ++i;
      while (true) {
        if (i >= row.size()) { return false; }
        if (row[i] != '"') {
          cells.back() += row[i++];
        } else if (i + 1 < row.size() && row[i + 1] == '"') {
          cells.back() += '"';
          i += 2;
        } else {
          ++i;
          break;
        }
      }
      if (i < row.size() && row[i] != ',') { return false; }
    } else {
      while (i < row.size() && row[i] != ',') { cells.back() += row[i++]; }
    }
    if (i >= row.size()) { return true; }
    ++i;
    cells.emplace_back();
  }
}

std::string describe(const AccessEvent& event) {
  std::ostringstream out;
  out << "time " << event.time.ticks << "\naddress " << to_string(event.address) << "\noperation " << event.operation
      << "\noperation_kind " << static_cast<int>(event.operation_kind) << "\ncaller_kind "
      << static_cast<int>(event.caller_kind) << "\noutcome " << static_cast<int>(event.outcome) << "\ndenial_kind "
      << static_cast<int>(event.denial_kind) << "\nnetwork_path " << static_cast<int>(event.network_path) << "\nrbac "
      << static_cast<int>(event.rbac_authorization) << "\npolicy_marks " << static_cast<int>(event.policy_marks)
      << "\nhttp_status " << event.http_status << "\n";
  for (std::size_t i = 0; i < kTextFieldCount; ++i) {
    const TextField field = static_cast<TextField>(i);
    out << name_of(field) << " '" << event.get(field) << "'\n";
  }
  return out.str();
}

std::string describe(const TwinAnswer& answer) {
  switch (answer.kind) {
    case DecodeKind::kEvent:
      return describe(answer.event);
    case DecodeKind::kSkipped:
      return "skipped " + std::to_string(static_cast<int>(answer.skip)) + "\n";
    case DecodeKind::kRefused:
      return "refused " + std::to_string(static_cast<int>(answer.refusal)) + "\n";
    case DecodeKind::kEnvelope:
      return "envelope\n";
  }
  return "no kind\n";
}

// The text of both sides is compared, so that nothing which decides can differ unseen: ticks, kinds, every text.
std::string difference(const TwinAnswer& expected, const TwinAnswer& got) {
  const std::string left = describe(expected);
  const std::string right = describe(got);
  if (left == right) { return ""; }
  std::istringstream left_lines(left);
  std::istringstream right_lines(right);
  std::string out;
  std::string a;
  std::string b;
  while (true) {
    const bool more_left = static_cast<bool>(std::getline(left_lines, a));
    const bool more_right = static_cast<bool>(std::getline(right_lines, b));
    if (!more_left && !more_right) { break; }
    if (!more_left) { a = "(nothing)"; }
    if (!more_right) { b = "(nothing)"; }
    if (a != b) { out += "expected " + a + "\n     got " + b + "\n"; }
  }
  return out;
}

}  // namespace keyvigil
