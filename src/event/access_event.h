// AccessEvent: one decoded record of a vault's audit log, a value that owns what it holds.
//
// It is the canonical form: every dialect of the log that carries the same access decodes to the same
// AccessEvent (tests/property/dialects_test.cpp). Layout: fixed fields, then one text block that all
// text slices point into, so that moving, sorting and spilling an event copies two flat pieces:
//
//   [ time | address | operation | kinds | slices[kTextFieldCount] ] [ text bytes ........ ]
//
// Threads: a plain value, no sharing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "event/operation.h"

namespace keyvigil {

// Values are written to state and spill files: do not renumber.
enum class CallerKind : std::uint8_t {
  kAnonymous = 0,        // no usable identity
  kUser = 1,             // delegated token; the client application is app_id()
  kApp = 2,              // app-only service principal
  kManagedIdentity = 3,  // app-only, the Azure resource is known
  kFirstParty = 4,       // Microsoft's own service principal, app-only
};

enum class Outcome : std::uint8_t {
  kSuccess = 0,
  kDenied = 1,
  kChallenge = 2,  // 401 without identity: nobody's operation
  kNotFound = 3,
  kThrottled = 4,
  kOther = 5,
};

// Why a 401 or 403 was answered. The last two come with Outcome::kOther: they are no denial of a caller.
enum class DenialKind : std::uint8_t {
  kNone = 0,
  kPolicy = 1,
  kRbac = 2,
  kFirewall = 3,
  kConnection = 4,
  kToken = 5,        // 401 with an identity
  kUnspecified = 6,  // 403 and the record does not say why
  kObjectState = 7,  // disabled object, operation not permitted on the key
  kFirstParty = 8,   // a first-party service was refused
};

enum class NetworkPath : std::uint8_t {
  kPublic = 0,  // or unknown: the log does not say otherwise
  kServiceEndpoint = 1,
  kPrivateLink = 2,  // told by the record, or the address is private
  kTrustedService = 3,
};

enum class TriState : std::uint8_t { kAbsent = 0, kFalse = 1, kTrue = 2 };

// Bits of AccessEvent::policy_marks.
inline constexpr std::uint8_t kPolicyMarkAdded = 1;
inline constexpr std::uint8_t kPolicyMarkRemoved = 2;
inline constexpr std::uint8_t kPolicyMarkIpRule = 4;

enum class TextField : std::uint8_t {
  kVaultId,          // ARM resource id, lower case
  kOperationName,    // only where operation == kUnknownOperation; verbatim
  kObjectId,         // oid, lower case
  kUserName,         // upn, else unique_name or name, lower case
  kAppId,            // lower case
  kManagedIdentity,  // xms_mirid, else xms_az_rid, lower case
  kCallerKey,        // see caller_key()
  kObject,           // collection/name, lower case, without version; empty for lists and vault operations
  kObjectVersion,
  kUri,            // request URI without query and trailing slash, lower case
  kClientInfo,     // user agent, verbatim: chosen by the caller
  kCorrelationId,  // lower case
  kResultSignature,
  kPolicyPrincipal,  // object id that an access policy was added for (or removed from), lower case
  kNetworkAcls,      // canonical text of networkAcls: lower case, sorted keys; empty when absent
  kCount,
};
inline constexpr std::size_t kTextFieldCount = static_cast<std::size_t>(TextField::kCount);

struct TextSlice {
  std::uint16_t offset = 0;
  std::uint16_t size = 0;
};

// Where a record stood in the input. Not part of the canonical event.
struct Place {
  std::uint32_t input = 0;  // index into the source's list of inputs
  std::uint64_t line = 0;   // 1-based; for a JSON value over many lines, its first
  std::uint64_t byte = 0;   // 0-based offset in the decompressed input
};

// Hashes of an event's keys (base/hash.h), so that the threads that decode can compute what the one that decides needs.
struct KeyHashes {
  bool known = false;
  std::uint64_t caller = 0;     // of caller_key()
  std::uint64_t vault = 0;      // of vault_id()
  std::uint64_t duplicate = 0;  // duplicate_hash()
};

struct AccessEvent {
  EventTime time;
  IpAddress address;  // not known when absent or unreadable
  Place place;
  OperationId operation = kUnknownOperation;
  OperationKind operation_kind = OperationKind::kOther;
  CallerKind caller_kind = CallerKind::kAnonymous;
  Outcome outcome = Outcome::kOther;
  DenialKind denial_kind = DenialKind::kNone;
  NetworkPath network_path = NetworkPath::kPublic;
  TriState rbac_authorization = TriState::kAbsent;  // enableRbacAuthorization, on vault writes
  std::uint8_t policy_marks = 0;
  std::uint16_t http_status = 0;  // 0 when the record carries none
  std::array<TextSlice, kTextFieldCount> slices{};
  KeyHashes hashes;  // derived; whoever changes an event that has them calls hash_keys() again
  std::string text;

  [[nodiscard]] std::string_view get(TextField field) const {
    const TextSlice slice = slices[static_cast<std::size_t>(field)];
    return std::string_view(text).substr(slice.offset, slice.size);
  }

  [[nodiscard]] std::string_view vault_id() const { return get(TextField::kVaultId); }
  [[nodiscard]] std::string_view object_id() const { return get(TextField::kObjectId); }
  [[nodiscard]] std::string_view user_name() const { return get(TextField::kUserName); }
  [[nodiscard]] std::string_view app_id() const { return get(TextField::kAppId); }
  [[nodiscard]] std::string_view managed_identity() const { return get(TextField::kManagedIdentity); }
  [[nodiscard]] std::string_view object() const { return get(TextField::kObject); }
  [[nodiscard]] std::string_view object_version() const { return get(TextField::kObjectVersion); }
  [[nodiscard]] std::string_view uri() const { return get(TextField::kUri); }
  [[nodiscard]] std::string_view client_info() const { return get(TextField::kClientInfo); }
  [[nodiscard]] std::string_view correlation_id() const { return get(TextField::kCorrelationId); }
  [[nodiscard]] std::string_view result_signature() const { return get(TextField::kResultSignature); }

  // Who acted (design section 3): a user's oid, else user name; an application's appid, else xms_mirid, else
  // xms_az_rid. At most 64 bytes; longer ones are "hash:" and 32 hexadecimal digits. Empty when anonymous.
  [[nodiscard]] std::string_view caller_key() const { return get(TextField::kCallerKey); }

  // "SecretGet": Azure's spelling when known, the record's own otherwise.
  [[nodiscard]] std::string_view operation_name() const;

  // Pieces of the vault's resource id; empty where the id does not have the piece.
  [[nodiscard]] std::string_view vault_name() const;
  [[nodiscard]] std::string_view subscription_id() const;
  [[nodiscard]] std::string_view resource_group() const;
};

[[nodiscard]] std::string_view to_string(CallerKind kind);
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::string_view to_string(DenialKind kind);

// Same access: everything canonical is equal. Time compares by millisecond; place does not count.
[[nodiscard]] bool same_canonical_event(const AccessEvent& left, const AccessEvent& right);

// The order in which the engine decides: time in ms, then the hash of what makes a duplicate, then that itself
// (operation, uri, caller, address), correlation id, and last every canonical field. A strict weak order.
struct CanonicalOrder {
  bool operator()(const AccessEvent& left, const AccessEvent& right) const;
};

// Computes event.hashes.
void hash_keys(AccessEvent& event);
// Of caller_key() and vault_id(), computed where they are not known.
[[nodiscard]] std::uint64_t caller_hash(const AccessEvent& event);
[[nodiscard]] std::uint64_t vault_hash(const AccessEvent& event);

// Hash of what two duplicates share but the correlation id: ms, operation, uri, caller, address.
[[nodiscard]] std::uint64_t duplicate_hash(const AccessEvent& event);
// The same but compared in full; correlation ids count only where both have one.
[[nodiscard]] bool is_duplicate(const AccessEvent& left, const AccessEvent& right);

// Hash of the whole canonical event: names alerts and breaks ties.
[[nodiscard]] std::uint64_t canonical_hash(const AccessEvent& event);

// Bytes for spill and state files, appended to `out`; read back with read_event. Little-endian, version of the
// enclosing file. read_event consumes from the front of `bytes` and fails on anything truncated or out of range.
void append_event(std::string& out, const AccessEvent& event);
[[nodiscard]] bool read_event(std::string_view& bytes, AccessEvent& event);

}  // namespace keyvigil
