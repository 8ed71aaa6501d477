#include "reference/decoder_twin.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <iomanip>
#include <map>
#include <optional>
#include <sstream>

#include "base/event_time.h"
#include "base/hash.h"
#include "base/ip_address.h"
#include "event/first_party.h"
#include "event/operation.h"
#include "event/record_time.h"

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
  const ClaimPlaces places{record, first_of({member(&identity, "claim"), member(&identity, "claims")})};
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
  static const std::vector<std::string> kSentences = {
      "is not permitted", "is not allowed on a", "keyoperationforbidden",
      "disabled",         "not enabled",         "not yet valid",
      "notyetvalid",      "not before",          "nbf",
      "expired"};
  return std::ranges::any_of(kSentences, [&](const std::string& part) { return contains_text(text, part); });
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
  const bool has_right = refusal.rbac_authorized == TriState::kTrue || refusal.policy_match == TriState::kTrue;
  const bool rbac =
      contains_text(text, "caller is not authorized to perform action") || contains_text(text, "forbiddenbyrbac");
  if (!has_right && rbac) { return DenialKind::kRbac; }
  if (!has_right && ((contains_text(text, "does not have") && contains_text(text, "permission")) ||
                     contains_text(text, "forbiddenbypolicy"))) {
    return DenialKind::kPolicy;
  }
  if (speaks_of_object_state(text)) { return DenialKind::kObjectState; }
  if (contains_text(text, "first party service")) { return DenialKind::kFirstParty; }
  return has_right ? DenialKind::kObjectState : DenialKind::kUnspecified;
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

// A rule is a text in the list, or each text of an object in it: their number and a sum of their hashes.
void add_rules(const json& rules, std::uint64_t& sum, std::size_t& count) {
  const auto add = [&](const json& rule) {
    if (!rule.is_string()) { return; }
    sum += hash64(lower(rule.get<std::string>()));
    ++count;
  };
  for (const json& rule : rules) {
    add(rule);
    if (!rule.is_object()) { continue; }
    for (const json& text : rule) { add(text); }
  }
}

std::string rules_part(const std::string& name, const json* given) {
  if (given == nullptr || is_absent(given)) { return ""; }
  const json rules = dynamic_of(given);
  if (!rules.is_array()) { return ""; }
  std::uint64_t sum = 0;
  std::size_t count = 0;
  add_rules(rules, sum, count);
  std::ostringstream out;
  out << ";" << name << "=" << count << ":" << std::hex << std::setw(16) << std::setfill('0') << sum;
  return out.str();
}

// Where a vault's settings stand: in the vault, in the request or the answer that the Activity Log repeats, or in
// columns.
struct Settings {
  const json& record;
  json vault;
  json body;

  const json* setting(const std::string& name) const {
    return first_of(
        {member(member(member(&record, "properties"), "properties"), name), member(&vault, name), member(&body, name)});
  }
};

std::string read_network_acls(const Settings& settings) {
  const json& record = settings.record;
  const json* const given = first_of(
      {settings.setting("networkAcls"), member(&record, "NetworkAcls"), member(&record, "properties_networkAcls_s")});
  const json acls = dynamic_of(given);
  const json* bypass = member_any_case(acls, "bypass");
  const json* action = member_any_case(acls, "defaultaction");
  if (bypass == nullptr) { bypass = member(&record, "properties_networkAcls_bypass_s"); }
  if (action == nullptr) { action = member(&record, "properties_networkAcls_defaultAction_s"); }
  std::string text;
  if (given != nullptr || !is_absent(bypass) || !is_absent(action)) {
    text = ";bypass=" + lower(text_of(bypass)) + ";defaultaction=" + lower(text_of(action));
  }
  text += rules_part("iprules",
                     first_of({member_any_case(acls, "iprules"), member(&record, "properties_networkAcls_ipRules_s")}));
  text += rules_part("subnetrules", first_of({member_any_case(acls, "virtualnetworkrules"),
                                              member(&record, "properties_networkAcls_virtualNetworkRules_s")}));
  const std::string access =
      lower(first_text({settings.setting("publicNetworkAccess"), member(&record, "properties_publicNetworkAccess_s")}));
  if (!access.empty()) { text += ";publicaccess=" + access; }
  return text.empty() ? "" : text.substr(1);
}

// The properties of the request, or of the answer, that a record of the Activity Log repeats.
json body_of(const json& record) {
  const json properties = dynamic_of(
      first_of({member(&record, "properties"), member(&record, "Properties"), member(&record, "Properties_d")}));
  for (const char* name : {"responseBody", "responsebody", "requestbody", "requestBody"}) {
    const json body = dynamic_of(member(&properties, name));
    const json* inner = member_any_case(body, "properties");
    if (inner != nullptr && inner->is_object()) { return *inner; }
  }
  return json::object();
}

Policy read_policy(const json& record, const std::string& operation, const std::string& uri) {
  Policy policy;
  if (has_mark(record, "addedAccessPolicy")) { policy.marks |= kPolicyMarkAdded; }
  if (has_mark(record, "removedAccessPolicy")) { policy.marks |= kPolicyMarkRemoved; }
  if (has_mark(record, "addedIpRule")) { policy.marks |= kPolicyMarkIpRule; }
  policy.principal = principal_of(record, "addedAccessPolicy");
  if (policy.principal.empty()) { policy.principal = principal_of(record, "removedAccessPolicy"); }
  const bool changes = starts_with(lower(operation), "accesspolicy") ||
                       contains_text(lower(operation), "/accesspolicies/") || contains_text(uri, "/accesspolicies/");
  const std::string ending = "/remove";
  const bool ends = uri.size() >= ending.size() && uri.substr(uri.size() - ending.size()) == ending;
  const bool removes = ends || contains_text(lower(operation), "remove") || contains_text(lower(operation), "delete");
  if (changes && removes) { policy.marks |= kPolicyMarkRemoved; }
  if (changes && (policy.marks & kPolicyMarkRemoved) == 0) { policy.marks |= kPolicyMarkAdded; }
  Settings settings{record,
                    dynamic_of(first_of({member(&record, "VaultProperties"), member(&record, "Properties"),
                                         member(&record, "Properties_d")})),
                    body_of(record)};
  if (policy.principal.empty() && changes) {
    const json* listed = settings.setting("accessPolicies");
    if (listed == nullptr) { listed = member(member(&record, "properties"), "accessPolicies"); }
    policy.principal = principal_in(dynamic_of(listed));
  }
  policy.rbac = boolean_of(
      first_of({settings.setting("enableRbacAuthorization"), member(&record, "properties_enableRbacAuthorization_b"),
                member(&record, "EnableRbacAuthorization")}));
  policy.network_acls = read_network_acls(settings);
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

bool is_vault_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

// "/../vaults/kv" of "/../vaults/kv/accesspolicies/add". Lower case.
std::string vault_in(const std::string& path) {
  for (const std::string kind : {"vaults", "managedhsms"}) {
    const std::string start = "/providers/microsoft.keyvault/" + kind + "/";
    const std::size_t at = path.find(start);
    // Only the first one counts.
    if (at == std::string::npos || path.find("/providers/microsoft.keyvault/") != at) { continue; }
    const std::size_t name = at + start.size();
    return name >= path.size() ? "" : path.substr(0, path.find('/', name));
  }
  return "";
}

std::string vault_of_host(const std::string& uri) {
  const std::size_t scheme = uri.find("://");
  if (scheme == std::string::npos) { return ""; }
  const std::string host = uri.substr(scheme + 3, uri.find_first_of("/?#:", scheme + 3) - scheme - 3);
  for (const auto& [domain, kind] :
       {std::pair<std::string, std::string>{".vault.", "vaults"}, {".managedhsm.", "managedhsms"}}) {
    const std::size_t at = host.find(domain);
    if (at != std::string::npos && is_vault_name(host.substr(0, at))) {
      return "/providers/microsoft.keyvault/" + kind + "/" + host.substr(0, at);
    }
  }
  return "";
}

std::string given_resource_id(const json& record) {
  return first_text({member(&record, "resourceId"), member(&record, "ResourceId"), member(&record, "_ResourceId")});
}

std::string read_vault_id(const json& record) {
  std::string given = lower(given_resource_id(record));
  while (given.size() > 1 && given.back() == '/') { given.pop_back(); }
  if (!given.empty()) { return given; }
  const std::string subscription = text_of(member(&record, "SubscriptionId"));
  const std::string group = text_of(member(&record, "ResourceGroup"));
  const std::string resource = text_of(member(&record, "Resource"));
  const bool hsm = lower(text_of(member(&record, "ResourceType"))) == "managedhsms";
  const std::string provider = std::string("/providers/microsoft.keyvault/") + (hsm ? "managedhsms/" : "vaults/");
  if (!subscription.empty() && !group.empty() && !resource.empty()) {
    return lower("/subscriptions/" + subscription + "/resourcegroups/" + group + provider + resource);
  }
  const json* properties = member(&record, "properties");
  const std::vector<std::string> uris = {
      lower(first_text({member(properties, "id"), member(&record, "id_s"), member(&record, "Id")})),
      lower(first_text(
          {member(properties, "requestUri"), member(&record, "requestUri_s"), member(&record, "RequestUri")})),
      lower(text_of(member(&record, "requestUri")))};
  for (const std::string& uri : uris) {
    const std::string path = without_query(uri);
    const std::size_t start = path.find("/subscriptions/");
    if (start != std::string::npos && !vault_in(path.substr(start)).empty()) { return vault_in(path.substr(start)); }
  }
  for (const std::string& uri : uris) {
    if (!vault_of_host(uri).empty()) { return vault_of_host(uri); }
  }
  return is_vault_name(lower(resource)) ? provider + lower(resource) : "";
}

std::string time_text(const json* value) {
  if (is_absent(value)) { return ""; }
  return value->is_string() ? value->get<std::string>() : value->dump();
}

std::optional<EventTime> read_time(const json& record) {
  std::string text;
  for (const char* name :
       {"_OriginalTimeGenerated", "_OriginalTimeGenerated [UTC]", "time", "TimeGenerated", "TimeGenerated [UTC]"}) {
    if (text.empty()) { text = time_text(member(&record, name)); }
  }
  EventTime time;
  return read_record_time(text, time) == TimeReading::kRead ? std::optional(time) : std::nullopt;
}

IpAddress first_address(const std::string& text) {
  std::string first = text.substr(0, text.find_first_of(",;"));
  const std::size_t begin = first.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) { return {}; }
  first = first.substr(begin, first.find_last_not_of(" \t\r\n") + 1 - begin);
  return parse_ip_address(first).value_or(IpAddress{});
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
  const bool policy_table = lower(text_of(member(&record, "Type"))) == "azkvpolicyevaluationdetailslogs" ||
                            lower(text_of(member(&record, "_OriginalType"))) == "azkvpolicyevaluationdetailslogs";
  return policy_table || (!category.empty() && category != "auditevent");
}

bool is_other_service(const json& record) {
  const std::string provider = lower(text_of(member(&record, "ResourceProvider")));
  const std::string id = lower(given_resource_id(record));
  const bool other_id = contains_text(id, "/providers/") && !contains_text(id, "/providers/microsoft.keyvault/");
  return other_id || (!provider.empty() && provider != "microsoft.keyvault");
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
  event.address = first_address(address);

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

  const bool about_vault = starts_with(lower(operation), "vault") || starts_with(lower(operation), "accesspolicy") ||
                           contains_text(lower(operation), "microsoft.keyvault/vaults/");
  if (!about_vault && event.operation_kind != OperationKind::kList) {
    const ObjectName name =
        read_object(text_of(property(record, "id", "id_s", "Id")), request_uri, event.operation_kind);
    texts[TextField::kObject] = cut(name.object, 256);
    texts[TextField::kObjectVersion] = cut(name.version, 64);
  }
  if (about_vault) {
    const Policy policy = read_policy(record, operation, texts[TextField::kUri]);
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

namespace {

// --- AdditionalFields
// -------------------------------------------------------------------------------------------------

std::string loose(std::string name) {
  if (name.size() > 2 && name[name.size() - 2] == '_' && contains_text("sdbgt", name.substr(name.size() - 1))) {
    name.resize(name.size() - 2);
  }
  std::erase(name, '_');
  return lower(name);
}

// The columns of AzureDiagnostics; those that also stand at the top of a Managed HSM's record under the latter's names.
const std::vector<std::string>& known_columns() {
  const std::string microsoft = "identity_claim_http_schemas_microsoft_com_identity_claims_";
  const std::string xmlsoap = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_";
  static const std::vector<std::string> kColumns = {"time",
                                                    "category",
                                                    "operationName",
                                                    "resourceId",
                                                    "resultSignature",
                                                    "resultDescription",
                                                    "callerIpAddress",
                                                    "correlationId",
                                                    "resultType",
                                                    "httpStatusCode",
                                                    "requestUri",
                                                    "clientInfo",
                                                    "subnetId",
                                                    "TimeGenerated",
                                                    "ResourceProvider",
                                                    "SubscriptionId",
                                                    "ResourceGroup",
                                                    "Resource",
                                                    "ResourceType",
                                                    "identity",
                                                    "OperationNameValue",
                                                    "CategoryValue",
                                                    "ActivityStatus",
                                                    "ActivityStatusValue",
                                                    "Caller",
                                                    "Id",
                                                    "isAccessPolicyMatch_b",
                                                    "isRbacAuthorized_b",
                                                    "isAddressAuthorized_b",
                                                    "addrAuthType_s",
                                                    "AddressAuthorizationType",
                                                    "trustedService_s",
                                                    "privateEndpointId_s",
                                                    "EnableRbacAuthorization",
                                                    "properties_enableRbacAuthorization_b",
                                                    "properties_networkAcls_bypass_s",
                                                    "properties_networkAcls_defaultAction_s",
                                                    "properties_networkAcls_ipRules_s",
                                                    "properties_networkAcls_virtualNetworkRules_s",
                                                    "properties_publicNetworkAccess_s",
                                                    "addedAccessPolicy_ObjectId_g",
                                                    "addedAccessPolicy_TenantId_g",
                                                    "addedAccessPolicy_Permissions_keys_s",
                                                    "addedAccessPolicy_Permissions_secrets_s",
                                                    "addedAccessPolicy_Permissions_certificates_s",
                                                    "removedAccessPolicy_ObjectId_g",
                                                    "removedAccessPolicy_TenantId_g",
                                                    "removedAccessPolicy_Permissions_keys_s",
                                                    "removedAccessPolicy_Permissions_secrets_s",
                                                    "removedAccessPolicy_Permissions_certificates_s",
                                                    "addedIpRule_Value_s",
                                                    "identity_claim_oid_g",
                                                    "identity_claim_appid_g",
                                                    "identity_claim_upn_s",
                                                    "identity_claim_unique_name_s",
                                                    "identity_claim_scp_s",
                                                    "identity_claim_idtyp_s",
                                                    "identity_claim_xms_mirid_s",
                                                    "identity_claim_xms_az_rid_s",
                                                    microsoft + "objectidentifier_g",
                                                    microsoft + "scope_s",
                                                    xmlsoap + "upn_s",
                                                    xmlsoap + "name_s"};
  return kColumns;
}

// The Activity Log's own API as a record of a storage account.
json with_names_as_text(const json& given) {
  if (!given.is_object()) { return given; }
  json record = given;
  for (const char* name :
       {"operationName", "OperationName", "OperationNameValue", "category", "Category", "CategoryValue", "resultType",
        "ResultType", "ActivityStatus", "ActivityStatusValue", "status"}) {
    const json* value = member(&given, name);
    if (value == nullptr || !value->is_object()) { continue; }
    record[name] = text_of(member(value, "value"));
  }
  const auto move_up = [&](const char* to, const json* value) {
    if (!is_absent(value) && is_absent(member(&record, to))) { record[to] = *value; }
  };
  const std::string status = text_of(member(&record, "status"));
  const json status_text = status;
  move_up("time", member(&record, "eventTimestamp"));
  move_up("resultType", &status_text);
  move_up("Caller", member(&record, "caller"));
  move_up("Claims", member(&record, "claims"));
  move_up("Authorization", member(&record, "authorization"));
  const json request = dynamic_of(member(&record, "httpRequest"));
  move_up("callerIpAddress",
          first_string_of({member(&request, "clientIpAddress"), member(&request, "clientIPAddress")}));
  return record;
}

// The record with what stands in AdditionalFields in its own place.
json with_additional_fields(const json& given) {
  const json additional = dynamic_of(first_of(
      {member(&given, "AdditionalFields"), member(&given, "additionalFields"), member(&given, "AdditionalFields_s")}));
  if (!additional.is_object()) { return given; }
  json record = given;
  for (auto item = additional.begin(); item != additional.end(); ++item) {
    for (const std::string& column : known_columns()) {
      if (loose(column) == loose(item.key()) && is_absent(member(&record, column))) { record[column] = item.value(); }
    }
  }
  return record;
}

bool has_damaged_columns(const json& record) {
  const json* columns = first_of({member(&record, "AdditionalFields"), member(&record, "additionalFields"),
                                  member(&record, "AdditionalFields_s")});
  const std::string text = text_of(columns);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string::npos && text[begin] == '{' && !dynamic_of(columns).is_object();
}

// --- the Activity Log
// -------------------------------------------------------------------------------------------------

bool is_activity(const json& record) {
  static const std::vector<std::string> kCategories = {"administrative", "write",          "delete",         "action",
                                                       "security",       "servicehealth",  "resourcehealth", "alert",
                                                       "autoscale",      "recommendation", "policy"};
  if (!text_of(member(&record, "OperationNameValue")).empty()) { return true; }
  for (const char* name : {"Type", "_OriginalType"}) {
    if (lower(text_of(member(&record, name))) == "azureactivity") { return true; }
  }
  const std::string category =
      lower(first_text({member(&record, "CategoryValue"), member(&record, "category"), member(&record, "Category")}));
  const std::string operation = lower(first_text({member(&record, "operationName"), member(&record, "OperationName")}));
  if (category.empty()) { return starts_with(operation, "microsoft."); }
  return std::ranges::find(kCategories, category) != kCategories.end();
}

std::string scope_of_change(const json& record, const json& body) {
  const json identity = dynamic_of(first_of({member(&record, "identity"), member(&record, "Identity")}));
  const json columns = dynamic_of(first_of({member(&record, "Authorization"), member(&record, "Authorization_d")}));
  std::string scope =
      lower(first_text({member_any_case(body, "scope"), member(member(&identity, "authorization"), "scope"),
                        member(&columns, "scope")}));
  if (scope.empty()) { scope = lower(given_resource_id(record)); }
  if (scope.empty()) { return ""; }
  scope = without_trailing_slash(scope.substr(0, scope.find("/providers/microsoft.authorization")));
  if (!vault_in(scope).empty()) { return vault_in(scope); }
  if (scope.empty()) { return "/"; }
  if (starts_with(scope, "/providers/microsoft.management/managementgroups/")) { return scope; }
  const bool elsewhere = contains_text(scope, "/providers/") && !contains_text(scope, "/providers/microsoft.keyvault/");
  return starts_with(scope, "/subscriptions/") && !elsewhere ? scope : "";
}

// Claims under `claims` and in a column, and Caller where there are none: as a vault's own log has them.
json with_claims(const json& record) {
  json changed = record;
  const json identity = dynamic_of(first_of({member(&record, "identity"), member(&record, "Identity")}));
  json claims = dynamic_of(first_of({member(&identity, "claims"), member(&identity, "claim"), member(&record, "Claims"),
                                     member(&record, "Claims_d")}));
  if (!claims.is_object()) { claims = json::object(); }
  changed["identity"] = {{"claim", claims}};
  changed.erase("Identity");
  const Claims read = read_claims(changed);
  const std::string caller = text_of(member(&record, "Caller"));
  const bool known = !read.object_id.empty() || !read.app_id.empty() || !read.user_name.empty();
  if (!known && !caller.empty()) {
    changed["identity"]["claim"] = {{contains_text(caller, "@") ? "upn" : "oid", caller}};
  }
  return changed;
}

TwinAnswer decode_activity(const json& given) {
  static const std::map<std::string, std::pair<std::string, int>> kChanges = {
      {"microsoft.authorization/roleassignments/write", {"Microsoft.Authorization/roleAssignments/write", 1}},
      {"microsoft.authorization/roleassignments/delete", {"Microsoft.Authorization/roleAssignments/delete", 2}},
      {"microsoft.authorization/elevateaccess/action", {"Microsoft.Authorization/elevateAccess/action", 1}},
      {"microsoft.keyvault/vaults/accesspolicies/write", {"Microsoft.KeyVault/vaults/accessPolicies/write", 1}},
      {"microsoft.keyvault/vaults/write", {"Microsoft.KeyVault/vaults/write", 0}}};
  static const std::vector<std::string> kRoles = {
      "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c",
      "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
      "00482a5a-887f-4fb3-b363-3b7fe8e74483", "f25e0fa2-a7c8-4377-a976-54943a77a395",
      "8b54135c-b56d-4d72-a534-26097cfdc8d8", "21090545-7ca7-4776-b22c-e363652d74d2",
      "4633458b-17de-408a-b874-0445c86b69e6", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
      "12338af0-0e69-4776-bea7-57ae8d297424", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
      "e147488a-f6f5-4113-8e2d-b22465e65bf6", "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba",
      "a4417e6f-fecd-4de8-b567-7b0420556985", ""};
  const auto change = kChanges.find(lower(first_text(
      {member(&given, "OperationNameValue"), member(&given, "operationName"), member(&given, "OperationName")})));
  if (change == kChanges.end()) { return skipped(SkipCause::kActivity); }
  const auto& [operation, marks] = change->second;
  const std::string result = lower(first_text({member(&given, "ActivityStatusValue"), member(&given, "ActivityStatus"),
                                               member(&given, "resultType"), member(&given, "ResultType")}));
  const bool begun = result == "start" || result == "started";
  const json body = body_of(given);
  const std::string scope = scope_of_change(given, body);
  std::string principal = text_of(member_any_case(body, "principalid"));
  if (principal.empty() && marks != 0) { principal = principal_in(dynamic_of(member(&body, "accessPolicies"))); }
  const bool on_vault = !vault_in(scope).empty();
  const bool assigns = starts_with(change->first, "microsoft.authorization/roleassignments");
  const std::string role_id = lower(text_of(member_any_case(body, "roledefinitionid")));
  const std::string role = role_id.substr(role_id.rfind('/') + 1);
  const bool other_role = assigns && !on_vault && std::ranges::find(kRoles, role) == kRoles.end();
  const bool of_no_vault = starts_with(change->first, "microsoft.keyvault/") && !on_vault;
  const bool went_well = result == "success" || result == "succeeded";
  if (scope.empty() || other_role || of_no_vault || !(begun ? !principal.empty() : went_well)) {
    return skipped(SkipCause::kActivity);
  }
  const std::optional<EventTime> time = read_time(given);
  if (!time) { return refused(RefusalCause::kNoTime); }
  const json record = with_claims(given);
  TwinAnswer answer;
  answer.kind = DecodeKind::kEvent;
  AccessEvent& event = answer.event;
  Texts texts;
  event.time = *time;
  texts[TextField::kVaultId] = cut(scope, 512);
  event.operation = find_operation(operation);
  event.operation_kind = operation_row(event.operation).kind;
  event.address = first_address(first_text(
      {member(&record, "callerIpAddress"), member(&record, "CallerIpAddress"), member(&record, "CallerIPAddress")}));
  const Claims claims = read_claims(record);
  event.caller_kind = classify(claims, "");
  texts[TextField::kCallerKey] = caller_key_of(event.caller_kind, claims);
  texts[TextField::kObjectId] = limited_id(claims.object_id);
  texts[TextField::kUserName] = limited_id(claims.user_name);
  texts[TextField::kAppId] = limited_id(claims.app_id);
  texts[TextField::kManagedIdentity] =
      cut(lower(claims.managed_resource.empty() ? claims.using_resource : claims.managed_resource), 512);
  event.outcome = begun ? Outcome::kOther : Outcome::kSuccess;
  event.network_path = path_of("", "", "", "", event.address);
  texts[TextField::kUri] = cut(lower(without_trailing_slash(without_query(given_resource_id(record)))), 1024);
  texts[TextField::kCorrelationId] =
      limited_id(first_text({member(&record, "correlationId"), member(&record, "CorrelationId")}));
  const Policy policy = read_policy(record, operation, texts[TextField::kUri]);
  event.policy_marks = policy.marks == 0 ? static_cast<std::uint8_t>(marks) : policy.marks;
  event.rbac_authorization = policy.rbac;
  texts[TextField::kPolicyPrincipal] = cut(lower(principal.empty() ? policy.principal : principal), 128);
  texts[TextField::kNetworkAcls] = cut(policy.network_acls, 256);
  set_texts(event, texts);
  return answer;
}

}  // namespace

TwinAnswer decode_by_twin(const json& given) {
  const json record = with_names_as_text(with_additional_fields(given));
  if (record.is_array()) { return envelope(); }
  if (!record.is_object()) { return refused(RefusalCause::kNotARecord); }
  if (is_event_grid(record)) { return skipped(SkipCause::kEventGrid); }
  const bool is_record = has(record, "operationName") || has(record, "OperationName") || has(record, "time") ||
                         has(record, "TimeGenerated") || has(record, "TimeGenerated [UTC]") ||
                         has(record, "OperationNameValue") || has(record, "_OriginalTimeGenerated") ||
                         has(record, "eventTimestamp");
  if (!is_record) {
    const bool is_envelope = (has(record, "records") && record["records"].is_array()) ||
                             (has(record, "tables") && record["tables"].is_array());
    return is_envelope ? envelope() : refused(RefusalCause::kNotARecord);
  }
  if (has_damaged_identity(record) || has_damaged_columns(given)) { return refused(RefusalCause::kNotJson); }
  if (is_activity(record)) { return decode_activity(record); }
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
