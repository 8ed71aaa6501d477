// RecordFields: what was found in one record, as text, before it means anything. Room-internal: the reader of each
// dialect fills it (decode.cpp), interpret.cpp alone gives it meaning.
//
// Views point into the record, the parsers' buffers or a row's cells, and live until the next record is read.
#pragma once

#include <array>
#include <cstdint>
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
  kResourceType,
  kTableType,       // Type: names the table of a row
  kEventType,       // Event Grid
  kCloudEventType,  // type: CloudEvents
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

// A text is only ever a JSON string; these may also be numbers and booleans.
[[nodiscard]] constexpr bool is_number_or_flag(Field field) {
  switch (field) {
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
  kCount,
};

class RecordFields {
 public:
  void clear() { present_ = 0; }
  // A repeated JSON member replaces the earlier one with all that was below it.
  void clear(Field first, Field last) { present_ &= ~(bits_below(last) & ~bits_below(first)) & ~bit(last); }
  // "None" is how `az monitor log-analytics query` writes null: absent, as the empty text is.
  void set(Field field, std::string_view value) {
    if (value.empty() || value == "None") { return; }
    values_[static_cast<std::size_t>(field)] = value;
    present_ |= bit(field);
  }

  [[nodiscard]] bool has(Field field) const { return (present_ & bit(field)) != 0; }
  // Empty where absent.
  [[nodiscard]] std::string_view get(Field field) const {
    return has(field) ? values_[static_cast<std::size_t>(field)] : std::string_view{};
  }
  [[nodiscard]] std::string_view first_of(Field first, Field second) const {
    return has(first) ? get(first) : get(second);
  }

 private:
  static_assert(kFieldCount <= 64);
  static constexpr std::uint64_t bit(Field field) { return std::uint64_t{1} << static_cast<unsigned>(field); }
  static constexpr std::uint64_t bits_below(Field field) { return bit(field) - 1; }

  std::uint64_t present_ = 0;
  std::array<std::string_view, kFieldCount> values_{};
};

// What to do with a member: keep its value, read what is below it, or pass it over.
struct MemberAction {
  enum class Kind : std::uint8_t { kSkip, kStore, kEnter } kind = Kind::kSkip;
  Field field = Field::kCount;        // kStore, or what marks the presence of an entered member
  Context context = Context::kCount;  // kEnter
};

[[nodiscard]] const MemberAction& find_member(Context context, std::string_view name);

}  // namespace keyvigil
