// RecordFields: what was found in one record, as text, before it means anything. Room-internal: the reader of each dialect
// fills it (decode.cpp), interpret.cpp alone gives it meaning.
//
// Views point into the record, the parsers' buffers or a row's cells, and live until the next record is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace keyvigil {

enum class Field : std::uint8_t {
  kTime,
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
  kEventType,       // Event Grid and CloudEvents
  kEventData,
  kEnvelope,        // "records" or "tables"
  kOuterStatus,     // Managed HSM writes these four beside properties
  kOuterUri,
  kOuterClientInfo,
  kOuterSubnet,
  // identity
  kObjectId,
  kObjectIdOther,   // a sibling column, for ids that are no GUID
  kUpn,
  kUniqueName,
  kLongObjectId,    // the control plane's claims, named by URI
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
  kCount,
};
inline constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::kCount);

// Objects whose members are read.
enum class Context : std::uint8_t {
  kRoot,
  kIdentity,
  kClaim,
  kLongIdentity,   // Managed HSM re-nests the long claim names at their dots
  kLongClaims,
  kSoapIdentity,
  kSoapClaims,
  kProperties,
  kVaultProperties,
  kAddedPolicy,
  kRemovedPolicy,
  kAddedIpRule,
  kNetworkAcls,
  kCount,
};

class RecordFields {
 public:
  void clear() { values_.fill({}); }
  // A repeated JSON member replaces the earlier one with all that was below it.
  void clear(Field first, Field last) {
    std::fill(values_.begin() + static_cast<int>(first), values_.begin() + static_cast<int>(last) + 1,
              std::string_view{});
  }
  void set(Field field, std::string_view value) { values_[static_cast<std::size_t>(field)] = value; }

  // Empty where absent. "None" is how `az monitor log-analytics query` writes null.
  [[nodiscard]] std::string_view get(Field field) const {
    const std::string_view value = values_[static_cast<std::size_t>(field)];
    return value == "None" ? std::string_view{} : value;
  }
  [[nodiscard]] bool has(Field field) const { return !get(field).empty(); }
  [[nodiscard]] std::string_view first_of(Field first, Field second) const {
    return has(first) ? get(first) : get(second);
  }

 private:
  std::array<std::string_view, kFieldCount> values_{};
};

// What to do with a member: keep its value, read what is below it, or pass it over.
struct MemberAction {
  enum class Kind : std::uint8_t { kSkip, kStore, kEnter } kind = Kind::kSkip;
  Field field = Field::kCount;        // kStore, or what marks the presence of an entered member
  Context context = Context::kCount;  // kEnter
};

[[nodiscard]] MemberAction find_member(Context context, std::string_view name);

}  // namespace keyvigil
