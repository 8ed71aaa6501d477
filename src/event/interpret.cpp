#include "event/interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "base/hash.h"
#include "event/first_party.h"
#include "event/json_index.h"

namespace keyvigil {
namespace {

// Longer text keeps its start and is told apart by a hash of the whole. Bytes.
constexpr std::size_t kIdLimit = 64;

constexpr std::size_t text_limit(TextField field) {
  switch (field) {
    case TextField::kUri:
      return 1024;
    case TextField::kVaultId:
    case TextField::kManagedIdentity:
    case TextField::kClientInfo:
      return 512;
    case TextField::kObject:
    case TextField::kNetworkAcls:
      return 256;
    case TextField::kOperationName:
    case TextField::kPolicyPrincipal:
      return 128;
    default:
      return 64;
  }
}

// Sixteen bytes at once, in GCC's and clang's portable vectors: bytes between 'A' and 'Z' get bit 5; others, UTF-8
// included, stay.
using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;

void lower_16(const char* from, char* to) {
  Bytes16 bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  const auto from_a = bytes - 'A';
  bytes |= (from_a < 26) & 0x20;
  std::memcpy(to, &bytes, sizeof(bytes));
}

// The same for eight or four bytes in one word. The carries stay within each byte: its top bit is left out of the sums.
template <typename Word>
void lower_word(const char* from, char* to) {
  constexpr Word kOnes = static_cast<Word>(~Word{0}) / 0xFF;
  Word bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  const Word low = bytes & (kOnes * 0x7F);
  const Word from_a = low + kOnes * (0x80 - 'A');
  const Word beyond_z = low + kOnes * (0x7F - 'Z');
  bytes |= ((from_a ^ beyond_z) & ~bytes & (kOnes * 0x80)) >> 2;
  std::memcpy(to, &bytes, sizeof(bytes));
}

template <std::size_t kSize>
void lower_block(const char* from, char* to) {
  if constexpr (kSize <= sizeof(std::uint32_t)) {
    lower_word<std::uint32_t>(from, to);
  } else if constexpr (kSize <= sizeof(std::uint64_t)) {
    lower_word<std::uint64_t>(from, to);
  } else {
    for (std::size_t i = 0; i < kSize; i += sizeof(Bytes16)) { lower_16(from + i, to + i); }
  }
}

// The last block overlaps the one before it: no byte is done alone, and the number of steps hardly depends on the size,
// so that the processor foresees it.
template <std::size_t kSize>
void lower_blocks(const char* from, std::size_t size, char* to) {
  for (std::size_t i = 0; i + kSize < size; i += kSize) { lower_block<kSize>(from + i, to + i); }
  lower_block<kSize>(from + size - kSize, to + size - kSize);
}

// `to` must not overlap `from`.
void copy_lower(const char* from, std::size_t size, char* to) {
  if (size >= 64) { return lower_blocks<64>(from, size, to); }
  if (size >= 32) { return lower_blocks<32>(from, size, to); }
  if (size >= 16) { return lower_blocks<16>(from, size, to); }
  if (size >= 8) { return lower_blocks<8>(from, size, to); }
  if (size >= 4) { return lower_blocks<4>(from, size, to); }
  for (std::size_t i = 0; i < size; ++i) { to[i] = lower_case(from[i]); }
}

bool contains_ignoring_case(std::string_view text, std::string_view lower_case_part) {
  return std::search(text.begin(), text.end(), lower_case_part.begin(), lower_case_part.end(),
                     [](char a, char b) { return lower_case(a) == b; }) != text.end();
}

bool is_true(std::string_view text) {
  return equal_without_case(text, "true") || text == "1";
}
bool is_false(std::string_view text) {
  return equal_without_case(text, "false") || text == "0";
}

// Lays an event's texts one after the other, straight into its text block, and remembers where they stand.
class TextBlock {
 public:
  explicit TextBlock(AccessEvent& event) : event_(event) {
    event_.slices.fill({});
    // The buffer of an event before is used again; what is added to its size has to be cleared, so it is little.
    constexpr std::size_t kRoomBytes = 256;
    event_.text.resize(std::min(event_.text.capacity(), event_.text.size() + kRoomBytes));
  }

  void put_verbatim(TextField field, std::string_view value) {
    const std::size_t size = std::min(value.size(), text_limit(field));
    char* to = set(field, size);
    if (size > 0) { std::memcpy(to, value.data(), size); }
    if (value.size() > size) { mark_cut(field, hash128(value)); }
  }

  void put_lower(TextField field, std::string_view value) {
    const std::size_t size = std::min(value.size(), text_limit(field));
    copy_lower(value.data(), size, set(field, size));
    if (value.size() > size) { mark_cut(field, hash_of_lower(value)); }
  }

  // Ids are compared, so a long one is replaced whole.
  void put_id(TextField field, std::string_view value) {
    if (value.size() > kIdLimit) {
      put_verbatim(field, "hash:" + to_hex(hash_of_lower(value)));
    } else {
      put_lower(field, value);
    }
  }

  // The same bytes under a second name.
  void alias(TextField field, TextField of) { slice(field) = slice(of); }

  [[nodiscard]] std::string_view get(TextField field) const { return event_.get(field); }

  void finish() { event_.text.resize(used_); }

 private:
  static constexpr std::size_t kBlockBytes = [] {
    std::size_t bytes = 0;
    for (std::size_t field = 0; field < kTextFieldCount; ++field) {
      bytes += text_limit(static_cast<TextField>(field));
    }
    return bytes;
  }();
  static_assert(kBlockBytes <= UINT16_MAX);

  [[nodiscard]] static Hash128 hash_of_lower(std::string_view value) {
    std::string lower_case(value.size(), '\0');
    copy_lower(value.data(), value.size(), lower_case.data());
    return hash128(lower_case);
  }
  [[nodiscard]] TextSlice& slice(TextField field) { return event_.slices[static_cast<std::size_t>(field)]; }
  // Where the field's bytes go.
  [[nodiscard]] char* set(TextField field, std::size_t size) {
    slice(field) = {static_cast<std::uint16_t>(used_), static_cast<std::uint16_t>(size)};
    used_ += size;
    if (used_ > event_.text.size()) { event_.text.resize(2 * used_); }
    return event_.text.data() + used_ - size;
  }
  void mark_cut(TextField field, const Hash128& hash_of_whole) {
    const std::string mark = "~" + to_hex(hash_of_whole);
    std::memcpy(event_.text.data() + slice(field).offset + slice(field).size - mark.size(), mark.data(), mark.size());
  }

  AccessEvent& event_;
  std::size_t used_ = 0;
};

Decoded refused(RefusalCause cause, std::string message) {
  return {DecodeKind::kRefused, cause, SkipCause::kEmpty, std::move(message)};
}
Decoded skipped(SkipCause cause) {
  return {DecodeKind::kSkipped, RefusalCause::kNotJson, cause, {}};
}

// What a person reads of a hostile value: short, and without control characters.
std::string shown(std::string_view value) {
  std::string out;
  for (const char c : value.substr(0, 60)) { out += c >= ' ' && c < 127 ? c : '?'; }
  return value.size() > 60 ? out + "..." : out;
}

bool is_event_grid(const RecordFields& fields) {
  constexpr std::string_view kPrefix = "Microsoft.KeyVault.";
  const std::string_view type = fields.first_of(Field::kEventType, Field::kCloudEventType);
  if (type.empty() || fields.has(Field::kOperation)) { return false; }
  return fields.has(Field::kEventData) || equal_without_case(type.substr(0, kPrefix.size()), kPrefix);
}

std::string_view without_query_and_slash(std::string_view uri) {
  uri = uri.substr(0, uri.find('?'));
  uri = uri.substr(0, uri.find('#'));
  while (!uri.empty() && uri.back() == '/') { uri.remove_suffix(1); }
  return uri;
}

// 200, "200", 200.0, 2e2: whole numbers of an HTTP status, however they are written.
std::uint16_t read_status(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && is_digit(text[1]) && is_digit(text[2])) {
    return static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = error == std::errc{} && end == text.data() + text.size() && is_json_scalar(text);
  if (!number || !(value >= 100) || !(value <= 599)) { return 0; }
  const auto status = static_cast<std::uint16_t>(value);
  return static_cast<double>(status) == value ? status : std::uint16_t{0};
}

struct SignatureRow {
  std::string_view signature;
  std::uint16_t status;
};
constexpr auto kSignatures = std::to_array<SignatureRow>({
    {"OK", 200},
    {"Created", 201},
    {"Accepted", 202},
    {"No Content", 204},
    {"Bad Request", 400},
    {"Unauthorized", 401},
    {"Forbidden", 403},
    {"Not Found", 404},
    {"Conflict", 409},
    {"Too Many Requests", 429},
});

std::uint16_t status_of(const RecordFields& fields) {
  const std::string_view text = fields.first_of(Field::kStatus, Field::kOuterStatus);
  if (!text.empty()) { return read_status(text); }
  for (const SignatureRow& row : kSignatures) {
    if (equal_without_case(row.signature, fields.get(Field::kResultSignature))) { return row.status; }
  }
  return 0;
}

bool has_user_mark(const RecordFields& fields) {
  return fields.has(Field::kUpn) || fields.has(Field::kUniqueName) || fields.has(Field::kLongUpn) ||
         fields.has(Field::kLongName) || fields.has(Field::kScope) || fields.has(Field::kLongScope) ||
         equal_without_case(fields.get(Field::kIdentityType), "user");
}

CallerKind caller_kind_of(const RecordFields& fields, const TextBlock& block) {
  const bool identified = !block.get(TextField::kObjectId).empty() || !block.get(TextField::kUserName).empty() ||
                          !block.get(TextField::kAppId).empty() || !block.get(TextField::kManagedIdentity).empty();
  if (!identified) { return CallerKind::kAnonymous; }
  if (has_user_mark(fields)) { return CallerKind::kUser; }
  if (!block.get(TextField::kManagedIdentity).empty()) { return CallerKind::kManagedIdentity; }
  if (fields.has(Field::kTrustedService) || is_first_party_app(block.get(TextField::kAppId))) {
    return CallerKind::kFirstParty;
  }
  return CallerKind::kApp;
}

void put_caller(const RecordFields& fields, TextBlock& block, AccessEvent& event) {
  const std::string_view short_id = fields.first_of(Field::kObjectId, Field::kObjectIdOther);
  const std::string_view long_id = fields.first_of(Field::kLongObjectId, Field::kLongObjectIdOther);
  const std::string_view short_name = fields.first_of(Field::kUpn, Field::kUniqueName);
  const std::string_view long_name = fields.first_of(Field::kLongUpn, Field::kLongName);
  block.put_id(TextField::kObjectId, short_id.empty() ? long_id : short_id);
  block.put_id(TextField::kUserName, short_name.empty() ? long_name : short_name);
  block.put_id(TextField::kAppId, fields.first_of(Field::kAppId, Field::kAppIdOther));
  block.put_lower(TextField::kManagedIdentity, fields.first_of(Field::kManagedIdentityId, Field::kAzureResourceId));
  event.caller_kind = caller_kind_of(fields, block);

  const auto key_is = [&](TextField field) {
    if (block.get(field).empty()) { return false; }
    block.alias(TextField::kCallerKey, field);
    return true;
  };
  if (event.caller_kind == CallerKind::kAnonymous) { return; }
  if (event.caller_kind == CallerKind::kUser) {
    if (!key_is(TextField::kObjectId)) { key_is(TextField::kUserName); }
    return;
  }
  if (key_is(TextField::kAppId)) { return; }
  if (!block.get(TextField::kManagedIdentity).empty()) {
    block.put_id(TextField::kCallerKey, fields.first_of(Field::kManagedIdentityId, Field::kAzureResourceId));
    return;
  }
  key_is(TextField::kObjectId);
}

struct DescriptionRow {
  std::string_view part;  // lower case
  DenialKind kind;
};
// Texts of real and documented refusals; the first that occurs wins.
constexpr auto kDenialDescriptions = std::to_array<DescriptionRow>({
    {"client address", DenialKind::kFirewall},
    {"forbiddenbyfirewall", DenialKind::kFirewall},
    {"public network access is disabled", DenialKind::kConnection},
    {"private link", DenialKind::kConnection},
    {"forbiddenbyconnection", DenialKind::kConnection},
    {"caller is not authorized to perform action", DenialKind::kRbac},
    {"forbiddenbyrbac", DenialKind::kRbac},
    {"forbiddenbypolicy", DenialKind::kPolicy},
});
constexpr auto kStateDescriptions = std::to_array<DescriptionRow>({
    {"is not permitted", DenialKind::kObjectState},
    {"keyoperationforbidden", DenialKind::kObjectState},
    {"is disabled", DenialKind::kObjectState},
    {"first party service", DenialKind::kFirstParty},
});

template <std::size_t N>
std::optional<DenialKind> described(std::string_view description, const std::array<DescriptionRow, N>& rows) {
  const auto row = std::ranges::find_if(
      rows, [&](const DescriptionRow& candidate) { return contains_ignoring_case(description, candidate.part); });
  return row == rows.end() ? std::nullopt : std::optional(row->kind);
}

// What speaks of the object's state comes last: a text may repeat the object's name, which a caller can choose.
DenialKind denial_kind_of(const RecordFields& fields) {
  if (is_false(fields.get(Field::kAddressAuthorized))) { return DenialKind::kFirewall; }
  if (is_false(fields.get(Field::kRbacAuthorized))) { return DenialKind::kRbac; }
  if (is_false(fields.get(Field::kPolicyMatch))) { return DenialKind::kPolicy; }
  const std::string_view description = fields.get(Field::kResultDescription);
  if (const auto kind = described(description, kDenialDescriptions)) { return *kind; }
  if (contains_ignoring_case(description, "does not have") && contains_ignoring_case(description, "permission")) {
    return DenialKind::kPolicy;
  }
  return described(description, kStateDescriptions).value_or(DenialKind::kUnspecified);
}

void judge_status(const RecordFields& fields, AccessEvent& event) {
  event.http_status = status_of(fields);
  event.denial_kind = DenialKind::kNone;
  event.outcome = Outcome::kOther;
  if (event.http_status >= 200 && event.http_status <= 299) {
    event.outcome = Outcome::kSuccess;
  } else if (event.http_status == 401) {
    const bool challenge = event.caller_kind == CallerKind::kAnonymous;
    event.outcome = challenge ? Outcome::kChallenge : Outcome::kDenied;
    event.denial_kind = challenge ? DenialKind::kNone : DenialKind::kToken;
  } else if (event.http_status == 403) {
    event.denial_kind = denial_kind_of(fields);
    const bool denied = event.denial_kind != DenialKind::kObjectState && event.denial_kind != DenialKind::kFirstParty;
    event.outcome = denied ? Outcome::kDenied : Outcome::kOther;
  } else if (event.http_status == 404) {
    event.outcome = Outcome::kNotFound;
  } else if (event.http_status == 429) {
    event.outcome = Outcome::kThrottled;
  }
}

NetworkPath network_path_of(const RecordFields& fields, const IpAddress& address) {
  const std::string_view type = fields.get(Field::kAddressType);
  const std::string_view subnet = fields.first_of(Field::kSubnet, Field::kOuterSubnet);
  if (fields.has(Field::kTrustedService)) { return NetworkPath::kTrustedService; }
  if (fields.has(Field::kPrivateEndpoint) || contains_ignoring_case(type, "private")) {
    return NetworkPath::kPrivateLink;
  }
  if ((!subnet.empty() && subnet != "(unknown)") || contains_ignoring_case(type, "subnet")) {
    return NetworkPath::kServiceEndpoint;
  }
  return address.known && !is_global(address) ? NetworkPath::kPrivateLink : NetworkPath::kPublic;
}

// ---- objects ----

std::string_view next_segment(std::string_view& path) {
  while (!path.empty() && path.front() == '/') { path.remove_prefix(1); }
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// The live object's collection: "secrets" of "secrets" and of "deletedsecrets". Empty for anything else.
std::string_view live_collection(std::string_view segment) {
  constexpr std::string_view kDeleted = "deleted";
  if (segment.size() > kDeleted.size() && equal_without_case(segment.substr(0, kDeleted.size()), kDeleted)) {
    segment.remove_prefix(kDeleted.size());
  }
  std::string_view collection;
  switch (segment.size()) {
    case 4:
      collection = "keys";
      break;
    case 7:
      collection = lower_case(segment[1]) == 'e' ? "secrets" : "storage";
      break;
    case 12:
      collection = "certificates";
      break;
    default:
      return {};
  }
  return equal_without_case(segment, collection) ? segment : std::string_view{};
}

// Thirty-two hexadecimal digits, tested sixteen at once.
bool is_version(std::string_view segment) {
  if (segment.size() != 2 * sizeof(Bytes16)) { return false; }
  Bytes16 misfits{};
  for (const std::size_t at : {std::size_t{0}, sizeof(Bytes16)}) {
    Bytes16 bytes;
    std::memcpy(&bytes, segment.data() + at, sizeof(bytes));
    const Bytes16 digit = bytes - '0';
    const Bytes16 letter = (bytes | 0x20) - 'a';
    misfits |= Bytes16((digit > 9) & (letter > 5));
  }
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), &misfits, sizeof(words));
  return (words[0] | words[1]) == 0;
}

// Second segments that are a verb or a list of the collection, not the name of an object.
bool is_no_name(std::string_view live, std::string_view segment, OperationKind kind) {
  if (segment.empty()) { return true; }
  if (kind == OperationKind::kRestore && equal_without_case(segment, "restore")) { return true; }
  return equal_without_case(live, "certificates") &&
         (equal_without_case(segment, "contacts") || equal_without_case(segment, "issuers"));
}

struct ObjectPath {
  std::string_view collection;
  std::string_view name;
  std::string_view version;
};

ObjectPath object_path_of(std::string_view uri, OperationKind kind) {
  constexpr std::string_view kUsualScheme = "https://";
  std::string_view path = uri;
  if (uri.starts_with(kUsualScheme)) {
    path.remove_prefix(kUsualScheme.size());
  } else {
    const std::size_t scheme = uri.find("://");
    if (scheme == std::string_view::npos) { return {}; }
    path.remove_prefix(scheme + 3);
  }
  path.remove_prefix(std::min(path.find('/'), path.size()));
  const std::string_view live = live_collection(next_segment(path));
  if (live.empty()) { return {}; }
  const std::string_view name = next_segment(path);
  if (is_no_name(live, name, kind)) { return {}; }
  const std::string_view version = next_segment(path);
  return {live, name, is_version(version) ? version : std::string_view{}};
}

void put_object(TextBlock& block, std::string_view id, std::string_view uri, OperationKind kind) {
  const ObjectPath by_id = object_path_of(without_query_and_slash(id), kind);
  // The URI is only looked at where the id leaves something open.
  const bool complete = !by_id.name.empty() && !by_id.version.empty();
  const ObjectPath by_uri = complete ? ObjectPath{} : object_path_of(uri, kind);
  const ObjectPath& path = by_id.name.empty() ? by_uri : by_id;
  if (path.name.empty()) { return; }
  // Nearly always both stand side by side in the address, one slash between.
  const char* begin = path.collection.data();
  if (begin + path.collection.size() + 1 == path.name.data()) {
    block.put_lower(TextField::kObject, {begin, path.collection.size() + 1 + path.name.size()});
  } else {
    block.put_lower(TextField::kObject, fmt::format("{}/{}", path.collection, path.name));
  }
  block.put_lower(TextField::kObjectVersion, by_id.version.empty() ? by_uri.version : by_id.version);
}

// ---- configuration of the vault ----

bool starts_with_vault(std::string_view operation) {
  return equal_without_case(operation.substr(0, 5), "vault");
}

void put_policy(const RecordFields& fields, TextBlock& block, AccessEvent& event) {
  const bool added = fields.has(Field::kAddedPolicy) || fields.has(Field::kAddedPolicyPrincipal);
  const bool removed = fields.has(Field::kRemovedPolicy) || fields.has(Field::kRemovedPolicyPrincipal);
  event.policy_marks = static_cast<std::uint8_t>((added ? kPolicyMarkAdded : 0) | (removed ? kPolicyMarkRemoved : 0) |
                                                 (fields.has(Field::kAddedIpRule) ? kPolicyMarkIpRule : 0));
  block.put_lower(TextField::kPolicyPrincipal,
                  fields.first_of(Field::kAddedPolicyPrincipal, Field::kRemovedPolicyPrincipal));
  const std::string_view rbac = fields.get(Field::kRbacEnabled);
  event.rbac_authorization = is_true(rbac) ? TriState::kTrue : is_false(rbac) ? TriState::kFalse : TriState::kAbsent;
  const std::string_view bypass = fields.get(Field::kAclsBypass);
  const std::string_view action = fields.get(Field::kAclsDefaultAction);
  if (fields.has(Field::kNetworkAcls) || !bypass.empty() || !action.empty()) {
    block.put_lower(TextField::kNetworkAcls, fmt::format("bypass={};defaultaction={}", bypass, action));
  }
}

// ---- the vault ----

bool has_vault(const RecordFields& fields) {
  return fields.has(Field::kResourceId) || fields.has(Field::kResourceIdLower) ||
         (fields.has(Field::kSubscription) && fields.has(Field::kResourceGroup) && fields.has(Field::kResource));
}

// REQUIRES: has_vault().
void put_vault(const RecordFields& fields, TextBlock& block) {
  std::string_view id = fields.first_of(Field::kResourceId, Field::kResourceIdLower);
  while (id.size() > 1 && id.back() == '/') { id.remove_suffix(1); }
  if (!id.empty()) {
    block.put_lower(TextField::kVaultId, id);
    return;
  }
  const bool hsm = equal_without_case(fields.get(Field::kResourceType), "MANAGEDHSMS");
  block.put_lower(TextField::kVaultId,
                  fmt::format("/subscriptions/{}/resourcegroups/{}/providers/microsoft.keyvault/{}/{}",
                              fields.get(Field::kSubscription), fields.get(Field::kResourceGroup),
                              hsm ? "managedhsms" : "vaults", fields.get(Field::kResource)));
}

bool read_time(std::string_view text, EventTime& time) {
  auto read = parse_iso_time(text);
  if (!read) { read = parse_us_time(text); }
  if (read) { time.ticks = read->ticks; }
  return read.has_value();
}

IpAddress read_address(std::string_view text) {
  if (const auto bits = parse_dotted_v4(text)) { return IpAddress::from_v4(*bits); }
  return parse_ip_address(text).value_or(IpAddress{});
}

std::optional<Decoded> reason_to_pass_over(const RecordFields& fields) {
  if (is_event_grid(fields)) { return skipped(SkipCause::kEventGrid); }
  // The policy evaluation table has no category column.
  if (equal_without_case(fields.get(Field::kTableType), "AZKVPolicyEvaluationDetailsLogs")) {
    return skipped(SkipCause::kOtherCategory);
  }
  if (fields.has(Field::kCategory) && !equal_without_case(fields.get(Field::kCategory), "AuditEvent")) {
    return skipped(SkipCause::kOtherCategory);
  }
  if (fields.has(Field::kProvider) && !equal_without_case(fields.get(Field::kProvider), "MICROSOFT.KEYVAULT")) {
    return skipped(SkipCause::kOtherService);
  }
  return std::nullopt;
}

}  // namespace

Decoded interpret(const RecordFields& fields, AccessEvent& event) {
  if (auto decoded = reason_to_pass_over(fields)) { return *std::move(decoded); }
  const std::string_view time = fields.get(Field::kTime);
  const std::string_view operation = fields.get(Field::kOperation);
  if (time.empty() && operation.empty()) {
    return refused(RefusalCause::kNotARecord,
                   "expected a record of a Key Vault audit log (time, operationName, resourceId; or TimeGenerated, "
                   "OperationName), found an object with neither; check that this is an AuditEvent export");
  }
  EventTime event_time;
  if (!read_time(time, event_time)) {
    return refused(RefusalCause::kNoTime,
                   fmt::format("expected a time such as 2024-04-03T14:08:43.4316531Z, found '{}'", shown(time)));
  }
  if (operation.empty()) { return refused(RefusalCause::kNoOperation, "expected operationName, found none"); }

  if (!has_vault(fields)) {
    return refused(RefusalCause::kNoVault, "expected resourceId (the vault's ARM id), found none");
  }

  TextBlock block(event);
  put_vault(fields, block);
  event.time = event_time;
  event.operation = find_operation(operation);
  if (event.operation == kUnknownOperation) {
    block.put_verbatim(TextField::kOperationName, operation);
    event.operation_kind = classify_by_suffix(operation);
  } else {
    event.operation_kind = operation_row(event.operation).kind;
  }
  event.address = read_address(fields.get(Field::kCallerAddress));
  event.policy_marks = 0;
  event.rbac_authorization = TriState::kAbsent;
  put_caller(fields, block, event);
  judge_status(fields, event);
  event.network_path = network_path_of(fields, event.address);

  const std::string_view uri = without_query_and_slash(fields.first_of(Field::kRequestUri, Field::kOuterUri));
  block.put_lower(TextField::kUri, uri);
  const bool about_vault = starts_with_vault(operation);
  if (!about_vault && event.operation_kind != OperationKind::kList) {
    put_object(block, fields.get(Field::kId), uri, event.operation_kind);
  }
  block.put_verbatim(TextField::kClientInfo, fields.first_of(Field::kClientInfo, Field::kOuterClientInfo));
  block.put_id(TextField::kCorrelationId, fields.get(Field::kCorrelationId));
  block.put_verbatim(TextField::kResultSignature, fields.get(Field::kResultSignature));
  if (about_vault) { put_policy(fields, block, event); }
  block.finish();
  return {DecodeKind::kEvent, RefusalCause::kNotJson, SkipCause::kEmpty, {}};
}

}  // namespace keyvigil
