// RecordFields: what was found in one record, as text, before it means anything. Room-internal: the reader of each
// dialect fills it (decode.cpp), interpret.cpp alone gives it meaning.
//
// Views point into the record, the parsers' buffers or a row's cells, and live until the next record is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace keyvigil {

enum class Field : std::uint8_t {
  kTime,
  kOriginalTime,  // _OriginalTimeGenerated: of the row that a search job copied
  kCategory,
  kOperation,
  kResourceId,
  kResourceIdLower,  // _ResourceId
  kResultSignature,
  kResultDescription,
  kCallerAddress,
  kCorrelationId,
  kProvider,
  kSubscription,
  kResourceGroup,
  kResource,
  kResourceType,
  kTableType,          // Type: names the table of a row
  kOriginalType,       // _OriginalType: of the row that a search job copied
  kResultType,         // says how far a request of the Activity Log got; of a vault's own log it says nothing
  kActivityOperation,  // OperationNameValue: AzureActivity keeps words for people in OperationName
  kActivityCaller,     // Caller: a user name or an object id
  kEventType,          // Event Grid
  kCloudEventType,     // type: CloudEvents
  kEventData,
  kEnvelope,     // "records" or "tables"
  kOuterStatus,  // Managed HSM writes these four beside properties
  kOuterUri,
  kOuterClientInfo,
  kOuterSubnet,
  // identity
  kObjectId,
  kObjectIdOther,  // a sibling column, for ids that are no GUID
  kUpn,
  kUniqueName,
  kLongObjectId,  // the control plane's claims, named by URI
  kLongObjectIdOther,
  kLongUpn,
  kLongName,
  kAppId,
  kAppIdOther,
  kScope,
  kLongScope,
  kIdentityType,
  kManagedIdentityId,
  kAzureResourceId,
  kAuthorizationScope,  // what a request of the Activity Log was about
  // properties
  kId,
  kClientInfo,
  kStatus,
  kRequestUri,
  kPolicyMatch,
  kRbacAuthorized,
  kAddressAuthorized,
  kAddressType,
  kTrustedService,
  kPrivateEndpoint,
  kSubnet,
  kAddedPolicy,
  kAddedPolicyPrincipal,
  kRemovedPolicy,
  kRemovedPolicyPrincipal,
  kAddedIpRule,
  kRbacEnabled,
  kNetworkAcls,
  kAclsBypass,
  kAclsDefaultAction,
  kAclsIpRules,      // these two in short: "2:00f1..", how many rules and a hash that knows no order
  kAclsSubnetRules,  // virtualNetworkRules
  kPublicAccess,
  kListedPolicyPrincipal,  // of the first entry of accessPolicies
  kAssignedPrincipal,      // of a role assignment
  kAssignedRole,
  kAssignmentScope,
  kCount,
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

// A text is only ever a JSON string; these may also be numbers and booleans.
[[nodiscard]] constexpr bool is_number_or_flag(Field field) {
  switch (field) {
    case Field::kTime:
    case Field::kOriginalTime:
    case Field::kStatus:
    case Field::kOuterStatus:
    case Field::kPolicyMatch:
    case Field::kRbacAuthorized:
    case Field::kAddressAuthorized:
    case Field::kRbacEnabled:
      return true;
    default:
      return false;
  }
}

// Only whether they are there, and as which kind of container, is of interest.
[[nodiscard]] constexpr bool is_container_mark(Field field) {
  return field == Field::kEnvelope || field == Field::kEventData;
}

// The Activity Log's API writes these as {"value": .., "localizedValue": ..}.
[[nodiscard]] constexpr bool has_value_member(Field field) {
  return field == Field::kOperation || field == Field::kCategory || field == Field::kResultType;
}

// Objects whose members are read.
enum class Context : std::uint8_t {
  kRoot,
  kIdentity,
  kClaim,
  kLongIdentity,  // Managed HSM re-nests the long claim names at their dots
  kLongClaims,
  kSoapIdentity,
  kSoapClaims,
  kProperties,
  kVaultProperties,
  kAddedPolicy,
  kRemovedPolicy,
  kAddedIpRule,
  kNetworkAcls,
  kIpRules,
  kSubnetRules,
  kListedPolicies,
  kAuthorization,  // of the Activity Log
  kBody,           // of a request or an answer that the Activity Log repeats
  kBodyProperties,
  kHttpRequest,  // of the Activity Log's API
  kAdditional,   // AdditionalFields: columns that found no place in a table of 500, under their own names
  kCount,
};

class RecordFields {
 public:
  void clear() { present_.fill(false); }
  // A repeated JSON member replaces the earlier one with all that was below it.
  void clear(Field first, Field last) {
    std::fill(present_.begin() + static_cast<std::ptrdiff_t>(first),
              present_.begin() + static_cast<std::ptrdiff_t>(last) + 1, false);
  }
  // "None" is how `az monitor log-analytics query` writes null: absent, as the empty text is.
  void set(Field field, std::string_view value) {
    if (value.empty() || value == "None") { return; }
    values_[static_cast<std::size_t>(field)] = value;
    present_[static_cast<std::size_t>(field)] = true;
  }

  [[nodiscard]] bool has(Field field) const { return present_[static_cast<std::size_t>(field)]; }
  // Empty where absent.
  [[nodiscard]] std::string_view get(Field field) const {
    return has(field) ? values_[static_cast<std::size_t>(field)] : std::string_view{};
  }
  [[nodiscard]] std::string_view first_of(Field first, Field second) const {
    return has(first) ? get(first) : get(second);
  }

 private:
  std::array<bool, kFieldCount> present_{};
  std::array<std::string_view, kFieldCount> values_{};
};

// What to do with a member: keep its value, keep it unless another place has said it, read what is below it, or pass it
// over.
struct MemberAction {
  enum class Kind : std::uint8_t { kSkip, kStore, kFill, kEnter } kind = Kind::kSkip;
  Field field = Field::kCount;        // kStore, kFill, or what marks the presence of an entered member
  Context context = Context::kCount;  // kEnter
};

// In AdditionalFields names are compared without case, underscores and the suffix of their type: "requestUri_s",
// "RequestUri" and "request_uri" are one.
[[nodiscard]] const MemberAction& find_member(Context context, std::string_view name);

}  // namespace keyvigil
