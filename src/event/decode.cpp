#include "event/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>

#include "event/csv.h"
#include "event/interpret.h"
#include "event/json_index.h"
#include "event/record_fields.h"

namespace keyvigil {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) { text.remove_prefix(1); }
  while (!text.empty() && is_blank(text.back())) { text.remove_suffix(1); }
  return text;
}

bool has_backslash(std::string_view text) {
  return !text.empty() && std::memchr(text.data(), '\\', text.size()) != nullptr;
}

// Records of one source have their members in the same order, so the name that stood at this place in the last record
// is tried before any look-up. Sixteen bytes, closing quote included, are compared as two words; longer names go on
// bytewise.
class ExpectedName {
 public:
  ExpectedName(std::string_view name, MemberAction action) : action_(action), text_(name) {
    text_ += '"';
    const std::size_t head = std::min(text_.size(), kHeadBytes);
    std::memcpy(head_.data(), text_.data(), head);
    std::memset(mask_.data(), 0xFF, head);
  }
  // REQUIRES: kHeadBytes readable bytes at `name`.
  [[nodiscard]] bool is_at(const char* name) const {
    std::array<std::uint64_t, 2> found;
    std::memcpy(found.data(), name, kHeadBytes);
    const std::uint64_t difference = ((found[0] ^ head_[0]) & mask_[0]) | ((found[1] ^ head_[1]) & mask_[1]);
    return difference == 0 && (text_.size() <= kHeadBytes || std::memcmp(name, text_.data(), text_.size()) == 0);
  }
  [[nodiscard]] const MemberAction& action() const { return action_; }
  // Counts the misses: another order has come to stay after so many, while users and applications taking turns is
  // normal.
  [[nodiscard]] bool is_outdated() { return ++misses_ > kMissesLimit; }

 private:
  static constexpr int kMissesLimit = 1000;
  static constexpr std::size_t kHeadBytes = 16;
  std::array<std::uint64_t, 2> head_{};
  std::array<std::uint64_t, 2> mask_{};
  MemberAction action_;
  int misses_ = 0;
  std::string text_;
};
constexpr std::size_t kExpectedLimit = 128;      // members of one object that are remembered
constexpr std::size_t kExpectedNameLimit = 120;  // bytes; a longer name is looked up each time

// One JSON text being read: the record, or a text that stands inside one of its strings.
struct Document {
  JsonIndex index;
  JsonCursor cursor;
  bool has_escapes = false;  // a backslash anywhere: names and strings cannot be taken as they stand
  std::string bytes;         // of an inner text: copied, because reading goes past the end, and fields point into it
};
constexpr std::size_t kInnerDocumentsLimit = 8;  // a record has at most six columns that hold JSON

// The columns' names are those of JSON rows; the portal adds the time zone to some.
std::string_view without_zone_mark(std::string_view name) {
  constexpr std::string_view kMark = " [UTC]";
  if (name.ends_with(kMark)) { name.remove_suffix(kMark.size()); }
  return name;
}

constexpr std::uint8_t kNoTarget = 0xFF;
constexpr std::uint8_t kContextTarget = 0x80;  // target = kContextTarget + context, for dynamic columns
static_assert(kFieldCount < kContextTarget);

const MemberAction& to_action(std::uint8_t target) {
  static constexpr auto kActions = [] {
    std::array<MemberAction, 256> actions{};
    for (std::size_t field = 0; field < kFieldCount; ++field) {
      actions[field] = {MemberAction::Kind::kStore, static_cast<Field>(field), Context::kCount};
    }
    for (std::size_t below = 0; below < static_cast<std::size_t>(Context::kCount); ++below) {
      const auto context = static_cast<Context>(below);
      const Field mark = context == Context::kNetworkAcls ? Field::kNetworkAcls : Field::kCount;
      actions[kContextTarget + below] = {MemberAction::Kind::kEnter, mark, context};
    }
    return actions;
  }();
  return kActions[target];
}

void clear_below(RecordFields& fields, Context context) {
  if (context == Context::kIdentity) { fields.clear(Field::kObjectId, Field::kAzureResourceId); }
  if (context == Context::kProperties) { fields.clear(Field::kId, Field::kAclsDefaultAction); }
}

Decoded not_json(std::string_view expected, std::string_view found) {
  return {DecodeKind::kRefused, RefusalCause::kNotJson, SkipCause::kEmpty,
          fmt::format("expected one complete JSON {}, found damage: {}", expected, found)};
}
constexpr std::string_view kDamage = "its brackets, commas, names or values do not fit together";

Decoded plain(DecodeKind kind) {
  return {kind, RefusalCause::kNotARecord, SkipCause::kEmpty, {}};
}

}  // namespace

struct Decoder::State {
  Document record;
  std::deque<Document> inner_documents;
  std::size_t inner_used = 0;
  std::array<std::vector<ExpectedName>, static_cast<std::size_t>(Context::kCount)> expected;
  RecordFields fields;
  std::string scratch;
  std::vector<std::string_view> cells;

  [[nodiscard]] const char* start(std::string_view text) {
    fields.clear();
    inner_used = 0;
    record.has_escapes = has_backslash(text);
    return record.index.build(text, record.cursor);
  }

  // Each reads one value at the cursor and steps over it; false: the text is damaged there.
  [[nodiscard]] bool read_object(Document& document, Context context);
  [[nodiscard]] bool read_member(Document& document, const MemberAction& action);
  [[nodiscard]] bool read_below(Document& document, const MemberAction& action);
  [[nodiscard]] bool read_list_below(Document& document, const MemberAction& action);
  [[nodiscard]] bool read_scalar(Document& document, std::string_view& text);
  [[nodiscard]] bool read_inner(std::string_view text, const MemberAction& action);

  [[nodiscard]] const MemberAction* find_action(Document& document, Context context, std::size_t index);
  [[nodiscard]] bool read_cell(std::string_view cell, const MemberAction& action);
};

// What to do with the member at the cursor, the `index`-th of its object. Null where no name and colon stand there.
const MemberAction* Decoder::State::find_action(Document& document, Context context, std::size_t index) {
  const char* begin = document.cursor.name_begin();
  if (begin == nullptr) { return nullptr; }
  std::vector<ExpectedName>& names = expected[static_cast<std::size_t>(context)];
  if (index < names.size() && names[index].is_at(begin)) { return &names[index].action(); }
  const std::string_view token = document.cursor.token();
  std::string_view name = token.substr(1, token.size() - 2);
  if (document.has_escapes && has_backslash(name)) {
    return document.index.unescape(token, name) ? &find_member(context, name) : nullptr;
  }
  const MemberAction& action = find_member(context, name);
  if (name.size() > kExpectedNameLimit) { return &action; }
  if (index < names.size()) {
    if (names[index].is_outdated()) { names[index] = ExpectedName(name, action); }
  } else if (index == names.size() && index < kExpectedLimit) {
    names.emplace_back(name, action);
  }
  return &action;
}

bool Decoder::State::read_object(Document& document, Context context) {
  JsonCursor& cursor = document.cursor;
  cursor.step();
  if (cursor.take('}')) { return true; }
  for (std::size_t index = 0;; ++index) {
    const MemberAction* action = find_action(document, context, index);
    if (action == nullptr) { return false; }
    cursor.step_over_name();
    const bool fits = action->kind == MemberAction::Kind::kSkip ? cursor.skip_value() : read_member(document, *action);
    if (!fits) { return false; }
    if (cursor.take('}')) { return true; }
    if (!cursor.take(',')) { return false; }
  }
}

bool Decoder::State::read_member(Document& document, const MemberAction& action) {
  if (action.kind == MemberAction::Kind::kEnter) { return read_below(document, action); }
  std::string_view text;
  if (!read_scalar(document, text)) { return false; }
  fields.set(action.field, text);
  return true;
}

// Text of a string, number or boolean; "" for null; "{" or "[" for what has members.
bool Decoder::State::read_scalar(Document& document, std::string_view& text) {
  JsonCursor& cursor = document.cursor;
  const char first = cursor.peek();
  if (first == '{' || first == '[') {
    text = first == '{' ? "{" : "[";
    return cursor.skip_value();
  }
  if (first == '\0' || first == '}' || first == ']' || first == ',' || first == ':') { return false; }
  const std::string_view token = cursor.token();
  cursor.step();
  if (first != '"') {
    text = token == "null" ? std::string_view{} : token;
    return is_json_scalar(token);
  }
  text = token.substr(1, token.size() - 2);
  return !document.has_escapes || !has_backslash(text) || document.index.unescape(token, text);
}

bool Decoder::State::read_below(Document& document, const MemberAction& action) {
  clear_below(fields, action.context);
  const char first = document.cursor.peek();
  if (first == '{') {
    if (action.field != Field::kCount) { fields.set(action.field, "{"); }
    return read_object(document, action.context);
  }
  if (first == '[') { return read_list_below(document, action); }
  std::string_view text;
  if (!read_scalar(document, text)) { return false; }
  if (text.empty() || text == "None") { return true; }
  if (action.field != Field::kCount) { fields.set(action.field, text); }
  return first != '"' || read_inner(text, action);
}

// A list, such as of policies: its first object tells.
bool Decoder::State::read_list_below(Document& document, const MemberAction& action) {
  if (action.field != Field::kCount) { fields.set(action.field, "["); }
  JsonCursor& cursor = document.cursor;
  JsonCursor first = cursor;
  if (!cursor.skip_value()) { return false; }
  first.step();
  if (first.peek() != '{') { return true; }
  const JsonCursor after = std::exchange(cursor, first);
  const bool fits = read_object(document, action.context);
  cursor = after;
  return fits;
}

// Text that is no JSON object tells nothing, except for an identity: leaving out who called would be wrong.
bool Decoder::State::read_inner(std::string_view text, const MemberAction& action) {
  text = trimmed(text);
  if (text.empty() || inner_used == kInnerDocumentsLimit) { return true; }
  const bool optional = action.context != Context::kIdentity;
  if (text.front() != '{') { return optional; }
  if (inner_used == inner_documents.size()) { inner_documents.emplace_back(); }
  Document& inner = inner_documents[inner_used++];
  inner.bytes.assign(text);
  inner.bytes.append(kRecordPadding, '\0');
  const std::string_view copy = std::string_view(inner.bytes).substr(0, text.size());
  inner.has_escapes = has_backslash(copy);
  if (inner.index.build(copy, inner.cursor) != nullptr) { return optional; }
  return (read_object(inner, action.context) && inner.cursor.at_end()) || optional;
}

bool Decoder::State::read_cell(std::string_view cell, const MemberAction& action) {
  if (action.kind == MemberAction::Kind::kStore) { fields.set(action.field, cell); }
  if (action.kind != MemberAction::Kind::kEnter || trimmed(cell).empty() || cell == "None") { return true; }
  clear_below(fields, action.context);
  if (action.field != Field::kCount) { fields.set(action.field, cell); }
  return read_inner(cell, action);
}

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Decoded Decoder::decode_json(std::string_view record, AccessEvent& event) {
  State& state = *state_;
  const std::string_view text = trimmed(record);
  if (text.empty()) { return {DecodeKind::kSkipped, RefusalCause::kNotARecord, SkipCause::kEmpty, {}}; }
  if (const char* damage = state.start(text)) { return not_json("object", damage); }
  JsonCursor& cursor = state.record.cursor;
  if (cursor.peek() == '[') {
    return cursor.skip_value() && cursor.at_end() ? plain(DecodeKind::kEnvelope) : not_json("array", kDamage);
  }
  if (cursor.peek() != '{') {
    return {DecodeKind::kRefused, RefusalCause::kNotARecord, SkipCause::kEmpty,
            "expected a JSON object, found a single value"};
  }
  if (!state.read_object(state.record, Context::kRoot) || !cursor.at_end()) { return not_json("object", kDamage); }
  const bool envelope = state.fields.get(Field::kEnvelope) == "[" && !state.fields.has(Field::kOperation);
  return envelope ? plain(DecodeKind::kEnvelope) : interpret(state.fields, event);
}

Decoded Decoder::decode_row_json(std::string_view row, const TableColumns& columns, AccessEvent& event) {
  State& state = *state_;
  const std::string_view text = trimmed(row);
  if (const char* damage = state.start(text)) { return not_json("array", damage); }
  JsonCursor& cursor = state.record.cursor;
  if (!cursor.take('[')) { return not_json("array", "it does not start with ["); }
  std::size_t count = 0;
  for (bool more = !cursor.take(']'); more; more = cursor.take(',')) {
    const MemberAction& action = to_action(count < columns.size() ? columns.target(count) : kNoTarget);
    ++count;
    const bool fits =
        action.kind == MemberAction::Kind::kSkip ? cursor.skip_value() : state.read_member(state.record, action);
    if (!fits) { return not_json("array", kDamage); }
    if (cursor.take(']')) { break; }
  }
  if (!cursor.at_end()) { return not_json("array", kDamage); }
  if (count != columns.size()) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            fmt::format("expected {} values, one for each column, found {}", columns.size(), count)};
  }
  return interpret(state.fields, event);
}

Decoded Decoder::decode_row_csv(std::string_view row, const TableColumns& columns, AccessEvent& event) {
  State& state = *state_;
  state.fields.clear();
  state.inner_used = 0;
  if (!split_csv_row(row, state.scratch, state.cells)) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            "expected cells as in RFC 4180, found a quote that is not closed, or text after a closing quote"};
  }
  if (state.cells.size() != columns.size()) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            fmt::format("expected {} cells, one for each column, found {}", columns.size(), state.cells.size())};
  }
  for (std::size_t column = 0; column < columns.size(); ++column) {
    if (!state.read_cell(state.cells[column], to_action(columns.target(column)))) {
      return not_json("object in the Identity column", kDamage);
    }
  }
  return interpret(state.fields, event);
}

TableColumns TableColumns::resolve(const std::vector<std::string>& names) {
  TableColumns columns;
  bool has_time = false;
  bool has_operation = false;
  for (const std::string& name : names) {
    const MemberAction action = find_member(Context::kRoot, without_zone_mark(name));
    std::uint8_t target = kNoTarget;
    if (action.kind == MemberAction::Kind::kStore) { target = static_cast<std::uint8_t>(action.field); }
    if (action.kind == MemberAction::Kind::kEnter) {
      target = static_cast<std::uint8_t>(kContextTarget + static_cast<unsigned>(action.context));
    }
    has_time = has_time || (action.kind == MemberAction::Kind::kStore && action.field == Field::kTime);
    has_operation = has_operation || (action.kind == MemberAction::Kind::kStore && action.field == Field::kOperation);
    columns.targets_.push_back(target);
  }
  columns.is_audit_table_ = has_time && has_operation;
  return columns;
}

std::string_view to_string(RefusalCause cause) {
  switch (cause) {
    case RefusalCause::kNotJson:
      return "not JSON";
    case RefusalCause::kNotARecord:
      return "not a record";
    case RefusalCause::kNoTime:
      return "no time";
    case RefusalCause::kNoOperation:
      return "no operation";
    case RefusalCause::kNoVault:
      return "no vault";
    case RefusalCause::kTooLong:
      return "too long";
    case RefusalCause::kTooDeep:
      return "too deep";
    case RefusalCause::kBadTable:
      return "bad table row";
    case RefusalCause::kBadCompression:
      return "bad compression";
    case RefusalCause::kUnknownForm:
      return "unknown form";
    case RefusalCause::kFuture:
      return "future";
    case RefusalCause::kCount:
      break;
  }
  return "unknown";
}

std::string_view to_string(SkipCause cause) {
  switch (cause) {
    case SkipCause::kOtherCategory:
      return "other category";
    case SkipCause::kOtherService:
      return "other service";
    case SkipCause::kEventGrid:
      return "Event Grid event";
    case SkipCause::kEmpty:
      return "empty";
    case SkipCause::kCount:
      break;
  }
  return "unknown";
}

}  // namespace keyvigil
