#include "event/canonical.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <vector>

#include "base/ascii.h"
#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

std::strong_ordering compare_text(std::string_view left, std::string_view right) {
  return left.compare(right) <=> 0;
}

std::strong_ordering compare_lower(std::string_view left, std::string_view right) {
  return std::lexicographical_compare_three_way(left.begin(), left.end(), right.begin(), right.end(),
                                                [](char a, char b) { return lower_case(a) <=> lower_case(b); });
}

std::uint64_t hash_lower(std::string_view name) {
  return hash64(lower_case(name));
}

// By name and not by index, so that a new row in the table of operations changes no order and no alert id.
std::uint64_t operation_hash(const AccessEvent& event) {
  static const std::vector<std::uint64_t> kHashes = [] {
    std::vector<std::uint64_t> hashes;
    for (OperationId id = 0; id < operation_count(); ++id) { hashes.push_back(hash_lower(operation_row(id).name)); }
    return hashes;
  }();
  return event.operation == kUnknownOperation ? hash_lower(event.get(TextField::kOperationName))
                                              : kHashes[event.operation];
}

std::uint64_t duplicate_hash(const AccessEvent& event, std::uint64_t caller) {
  // The texts are hashed apart and joined as fixed words: no buffer has to be built.
  const std::array<std::uint64_t, 7> words = {static_cast<std::uint64_t>(event.time.milliseconds()),
                                              operation_hash(event),
                                              hash64(event.uri()),
                                              caller,
                                              event.address.high,
                                              event.address.low,
                                              std::uint64_t{event.address.known}};
  std::array<char, sizeof(words)> bytes{};
  std::memcpy(bytes.data(), words.data(), sizeof(words));
  return hash64(std::string_view(bytes.data(), bytes.size()));
}

template <typename... T>
void append_values(std::string& out, const T&... values) {
  std::array<char, (sizeof(T) + ...)> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  char* to = bytes.data();
  ((std::memcpy(to, &values, sizeof(T)), to += sizeof(T)), ...);
  out.append(bytes.data(), bytes.size());
}

template <typename T>
bool read_value(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(T)) { return false; }
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}

template <typename Enum>
bool read_enum(std::string_view& bytes, Enum last, Enum& value) {
  return read_value(bytes, value) && value <= last;
}

// A slice's offset and size are 16 bits wide.
constexpr std::size_t kLongestText = std::size_t{2} * 0xFFFF;

}  // namespace

std::strong_ordering compare_identity(const AccessEvent& left, const AccessEvent& right) {
  if (left.operation != right.operation) { return left.operation <=> right.operation; }
  if (left.operation == kUnknownOperation) {
    const auto order = compare_lower(left.get(TextField::kOperationName), right.get(TextField::kOperationName));
    if (order != 0) { return order; }
  }
  if (const auto order = compare_text(left.uri(), right.uri()); order != 0) { return order; }
  if (const auto order = compare_text(left.caller_key(), right.caller_key()); order != 0) { return order; }
  return left.address <=> right.address;
}

std::strong_ordering compare_correlation(const AccessEvent& left, const AccessEvent& right) {
  const bool left_empty = left.correlation_id().empty();
  const bool right_empty = right.correlation_id().empty();
  if (left_empty != right_empty) { return left_empty <=> right_empty; }
  return compare_text(left.correlation_id(), right.correlation_id());
}

std::strong_ordering compare_remainder(const AccessEvent& left, const AccessEvent& right) {
  const auto fixed = [](const AccessEvent& event) {
    return std::tuple(event.operation_kind, event.caller_kind, event.outcome, event.denial_kind, event.network_path,
                      event.rbac_authorization, event.policy_marks, event.http_status);
  };
  if (const auto order = fixed(left) <=> fixed(right); order != 0) { return order; }
  for (std::size_t field = 0; field < kTextFieldCount; ++field) {
    const auto order = compare_text(left.get(static_cast<TextField>(field)), right.get(static_cast<TextField>(field)));
    if (order != 0) { return order; }
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_within_hash(const AccessEvent& left, const AccessEvent& right) {
  if (const auto order = compare_identity(left, right); order != 0) { return order; }
  if (const auto order = compare_correlation(left, right); order != 0) { return order; }
  return compare_remainder(left, right);
}

bool same_canonical_event(const AccessEvent& left, const AccessEvent& right) {
  return left.time.milliseconds() == right.time.milliseconds() && compare_within_hash(left, right) == 0;
}

bool CanonicalOrder::operator()(const AccessEvent& left, const AccessEvent& right) const {
  const std::int64_t left_milliseconds = left.time.milliseconds();
  const std::int64_t right_milliseconds = right.time.milliseconds();
  if (left_milliseconds != right_milliseconds) { return left_milliseconds < right_milliseconds; }
  const std::uint64_t left_hash = duplicate_hash(left);
  const std::uint64_t right_hash = duplicate_hash(right);
  if (left_hash != right_hash) { return left_hash < right_hash; }
  return compare_within_hash(left, right) < 0;
}

void hash_keys(AccessEvent& event) {
  KeyHashes hashes{true, hash64(event.caller_key()), hash64(event.vault_id()), 0};
  hashes.duplicate = duplicate_hash(event, hashes.caller);
  event.hashes = hashes;
}

std::uint64_t caller_hash(const AccessEvent& event) {
  return event.hashes.known ? event.hashes.caller : hash64(event.caller_key());
}

std::uint64_t vault_hash(const AccessEvent& event) {
  return event.hashes.known ? event.hashes.vault : hash64(event.vault_id());
}

std::uint64_t duplicate_hash(const AccessEvent& event) {
  return event.hashes.known ? event.hashes.duplicate : duplicate_hash(event, hash64(event.caller_key()));
}

bool is_duplicate(const AccessEvent& left, const AccessEvent& right) {
  if (left.time.milliseconds() != right.time.milliseconds() || compare_identity(left, right) != 0) { return false; }
  return left.correlation_id().empty() || right.correlation_id().empty() ||
         left.correlation_id() == right.correlation_id();
}

std::uint64_t canonical_hash(const AccessEvent& event) {
  HashInput input;
  input.add(duplicate_hash(event));
  for (const std::uint64_t value :
       {std::uint64_t(event.operation_kind), std::uint64_t(event.caller_kind), std::uint64_t(event.outcome),
        std::uint64_t(event.denial_kind), std::uint64_t(event.network_path), std::uint64_t(event.rbac_authorization),
        std::uint64_t{event.policy_marks}, std::uint64_t{event.http_status}}) {
    input.add(value);
  }
  for (std::size_t field = 0; field < kTextFieldCount; ++field) { input.add(event.get(static_cast<TextField>(field))); }
  return hash64(input.bytes());
}

void append_event(std::string& out, const AccessEvent& event) {
  append_values(out, event.time.ticks, event.address.high, event.address.low,
                static_cast<std::uint8_t>(event.address.known), event.place.input, event.place.line, event.place.byte,
                event.operation, event.operation_kind, event.caller_kind, event.outcome, event.denial_kind,
                event.network_path, event.rbac_authorization, event.policy_marks, event.http_status, event.slices,
                static_cast<std::uint32_t>(event.text.size()));
  out.append(event.text);
}

bool read_event(std::string_view& bytes, AccessEvent& event) {
  std::uint8_t address_known = 0;
  std::uint32_t text_size = 0;
  const bool fits = read_value(bytes, event.time.ticks) && read_value(bytes, event.address.high) &&
                    read_value(bytes, event.address.low) && read_value(bytes, address_known) && address_known <= 1 &&
                    read_value(bytes, event.place.input) && read_value(bytes, event.place.line) &&
                    read_value(bytes, event.place.byte) && read_value(bytes, event.operation) &&
                    read_enum(bytes, OperationKind::kOther, event.operation_kind) &&
                    read_enum(bytes, CallerKind::kFirstParty, event.caller_kind) &&
                    read_enum(bytes, Outcome::kOther, event.outcome) &&
                    read_enum(bytes, DenialKind::kFirstParty, event.denial_kind) &&
                    read_enum(bytes, NetworkPath::kTrustedService, event.network_path) &&
                    read_enum(bytes, TriState::kTrue, event.rbac_authorization) &&
                    read_value(bytes, event.policy_marks) && read_value(bytes, event.http_status) &&
                    read_value(bytes, event.slices) && read_value(bytes, text_size);
  if (!fits || text_size > kLongestText || text_size > bytes.size()) { return false; }
  if (event.operation != kUnknownOperation && event.operation >= operation_count()) { return false; }
  for (const TextSlice& slice : event.slices) {
    if (std::size_t{slice.offset} + slice.size > text_size) { return false; }
  }
  event.address.known = address_known == 1;
  event.text.assign(bytes.substr(0, text_size));
  bytes.remove_prefix(text_size);
  hash_keys(event);
  return true;
}

}  // namespace keyvigil
