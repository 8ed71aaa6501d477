#include "event/decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <deque>

#include "event/csv.h"
#include "event/interpret.h"
#include "event/record_fields.h"

namespace keyvigil {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) { return {}; }
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 8259 section 6. simdjson's on-demand reader leaves a number that nobody converts unchecked.
bool is_number(std::string_view token) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < token.size() && is_digit(token[at])) { ++at; }
    return at > begin;
  };
  const auto take = [&](std::string_view any) {
    if (at == token.size() || any.find(token[at]) == std::string_view::npos) { return false; }
    ++at;
    return true;
  };
  take("-");
  if (!take("0") && !digits()) { return false; }
  if (take(".") && !digits()) { return false; }
  if (take("eE")) {
    take("+-");
    if (!digits()) { return false; }
  }
  return at == token.size();
}

// A JSON text that stands inside a string, such as the Identity column of a CSV export: copied, because the parser reads
// past the end, and kept until the record is done, because fields point into it.
struct InnerDocument {
  ondemand::parser parser;
  std::string bytes;
};
constexpr std::size_t kInnerDocumentsLimit = 8;  // a record has at most six such columns

}  // namespace

// Reads every member of a record through read_object: the one place that touches simdjson's iterators. After any error
// the document is dead and is never touched again: simdjson 3.0.1 follows a null pointer if it is read on.
struct Decoder::State {
  ondemand::parser parser;
  std::deque<InnerDocument> inner_documents;
  std::size_t inner_used = 0;
  RecordFields fields;
  std::string scratch;
  std::vector<std::string_view> cells;

  void start() {
    fields.clear();
    inner_used = 0;
  }

  error_code read_object(ondemand::object object, Context context);
  error_code read_member(ondemand::value value, MemberAction action);
  error_code read_below(ondemand::value value, MemberAction action);
  error_code read_scalar(ondemand::value value, std::string_view& text);
  error_code read_inner(std::string_view text, MemberAction action);
  void put_cell(std::uint8_t target, std::string_view text);
};

namespace {

// simdjson 3.0.1 says "out of bounds" where nothing follows the value.
bool at_end(ondemand::document& document) { return document.current_location().error() == simdjson::OUT_OF_BOUNDS; }

// A string's text. simdjson's on-demand reader copies strings byte by byte unless it is compiled for one processor; nearly
// all strings have no escapes and can be read where they stand.
error_code read_string(ondemand::value value, std::string_view& text) {
  const std::string_view token = trimmed(value.raw_json_token());
  const bool quoted = token.size() >= 2 && token.front() == '"' && token.back() == '"';
  if (!quoted || std::memchr(token.data(), '\\', token.size()) != nullptr) { return value.get_string().get(text); }
  text = token.substr(1, token.size() - 2);
  return simdjson::SUCCESS;
}

// The name between the quotes. Escaped names are legal JSON, and so rare that they may cost.
error_code read_name(ondemand::field& member, std::string_view& name) {
  const char* begin = member.key().raw();
  const auto* end = static_cast<const char*>(std::memchr(begin, '"', 256));
  name = end == nullptr ? std::string_view{} : std::string_view(begin, static_cast<std::size_t>(end - begin));
  if (end != nullptr && name.find('\\') == std::string_view::npos) { return simdjson::SUCCESS; }
  return member.unescaped_key().get(name);
}

// The columns' names are those of JSON rows; the portal adds the time zone to some.
std::string_view without_zone_mark(std::string_view name) {
  constexpr std::string_view kMark = " [UTC]";
  if (name.ends_with(kMark)) { name.remove_suffix(kMark.size()); }
  return name;
}

constexpr std::uint8_t kNoTarget = 0xFF;
constexpr std::uint8_t kContextTarget = 0x80;  // target = kContextTarget + context, for dynamic columns
static_assert(kFieldCount < kContextTarget);

MemberAction to_action(std::uint8_t target) {
  if (target == kNoTarget) { return {}; }
  if (target < kContextTarget) { return {MemberAction::Kind::kStore, Field{target}, Context::kCount}; }
  const auto context = static_cast<Context>(target - kContextTarget);
  const Field mark = context == Context::kNetworkAcls ? Field::kNetworkAcls : Field::kCount;
  return {MemberAction::Kind::kEnter, mark, context};
}

void clear_below(RecordFields& fields, Context context) {
  if (context == Context::kIdentity) { fields.clear(Field::kObjectId, Field::kAzureResourceId); }
  if (context == Context::kProperties) { fields.clear(Field::kId, Field::kAclsDefaultAction); }
}

Decoded not_json(std::string_view what, error_code error) {
  return {DecodeKind::kRefused, RefusalCause::kNotJson, SkipCause::kEmpty,
          fmt::format("expected one complete JSON {}, found damage: {}", what, simdjson::error_message(error))};
}

Decoded plain(DecodeKind kind) { return {kind, RefusalCause::kNotARecord, SkipCause::kEmpty, {}}; }

Decoded not_a_record(std::string_view found) {
  return {DecodeKind::kRefused, RefusalCause::kNotARecord, SkipCause::kEmpty,
          fmt::format("expected a JSON object, found {}", found)};
}

}  // namespace

error_code Decoder::State::read_object(ondemand::object object, Context context) {
  for (auto item : object) {
    ondemand::field member;
    if (const auto error = std::move(item).get(member)) { return error; }
    std::string_view name;
    if (const auto error = read_name(member, name)) { return error; }
    const MemberAction action = find_member(context, name);
    if (action.kind == MemberAction::Kind::kSkip) { continue; }
    if (const auto error = read_member(member.value(), action)) { return error; }
  }
  return simdjson::SUCCESS;
}

error_code Decoder::State::read_member(ondemand::value value, MemberAction action) {
  if (action.kind == MemberAction::Kind::kEnter) { return read_below(value, action); }
  std::string_view text;
  if (const auto error = read_scalar(value, text)) { return error; }
  if (!text.empty()) { fields.set(action.field, text); }
  return simdjson::SUCCESS;
}

// Text of a string, number or boolean; "" for null; "{" or "[" for what has members, which is left unread.
error_code Decoder::State::read_scalar(ondemand::value value, std::string_view& text) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) { return error; }
  switch (type) {
    case ondemand::json_type::string: return read_string(value, text);
    case ondemand::json_type::number:
      text = trimmed(value.raw_json_token());
      return is_number(text) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
    case ondemand::json_type::boolean: {
      bool truth = false;
      const auto error = value.get_bool().get(truth);
      text = truth ? "true" : "false";
      return error;
    }
    case ondemand::json_type::null:
      text = {};
      return value.is_null() ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    case ondemand::json_type::object: text = "{"; return simdjson::SUCCESS;
    case ondemand::json_type::array: text = "["; return simdjson::SUCCESS;
  }
  return simdjson::TAPE_ERROR;
}

error_code Decoder::State::read_below(ondemand::value value, MemberAction action) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) { return error; }
  clear_below(fields, action.context);
  if (type == ondemand::json_type::object) {
    if (action.field != Field::kCount) { fields.set(action.field, "{"); }
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) { return error; }
    return read_object(object, action.context);
  }
  if (type == ondemand::json_type::array) {
    if (action.field != Field::kCount) { fields.set(action.field, "["); }
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) { return error; }
    for (auto item : array) {
      // A list of policies: the first names the principal.
      ondemand::value first;
      if (const auto error = std::move(item).get(first)) { return error; }
      ondemand::json_type first_type{};
      if (const auto error = first.type().get(first_type)) { return error; }
      if (first_type != ondemand::json_type::object) { return simdjson::SUCCESS; }
      ondemand::object object;
      if (const auto error = first.get_object().get(object)) { return error; }
      return read_object(object, action.context);
    }
    return simdjson::SUCCESS;
  }
  std::string_view text;
  if (const auto error = read_scalar(value, text)) { return error; }
  if (text.empty() || text == "None") { return simdjson::SUCCESS; }
  if (action.field != Field::kCount) { fields.set(action.field, text); }
  return type == ondemand::json_type::string ? read_inner(text, action) : simdjson::SUCCESS;
}

// Text that is no JSON object tells nothing, except for an identity: leaving out who called would be wrong.
error_code Decoder::State::read_inner(std::string_view text, MemberAction action) {
  text = trimmed(text);
  if (text.empty() || inner_used == kInnerDocumentsLimit) { return simdjson::SUCCESS; }
  const bool needed = action.context == Context::kIdentity;
  if (text.front() != '{') { return needed ? simdjson::INCORRECT_TYPE : simdjson::SUCCESS; }
  if (inner_used == inner_documents.size()) { inner_documents.emplace_back(); }
  InnerDocument& inner = inner_documents[inner_used++];
  inner.bytes.assign(text);
  inner.bytes.append(kRecordPadding, '\0');
  ondemand::document document;
  ondemand::object object;
  error_code error = inner.parser.iterate(inner.bytes.data(), text.size(), inner.bytes.size()).get(document);
  if (error == simdjson::SUCCESS) { error = document.get_object().get(object); }
  if (error == simdjson::SUCCESS) { error = read_object(object, action.context); }
  if (error == simdjson::SUCCESS && !at_end(document)) { error = simdjson::TRAILING_CONTENT; }
  return needed ? error : simdjson::SUCCESS;
}

void Decoder::State::put_cell(std::uint8_t target, std::string_view text) {
  const MemberAction action = to_action(target);
  if (action.kind == MemberAction::Kind::kStore && !text.empty()) { fields.set(action.field, text); }
}

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Decoded Decoder::decode_json(std::string_view record, AccessEvent& event) {
  State& state = *state_;
  state.start();
  const std::string_view text = trimmed(record);
  if (text.empty()) { return {DecodeKind::kSkipped, RefusalCause::kNotARecord, SkipCause::kEmpty, {}}; }
  ondemand::document document;
  const std::size_t readable = text.size() + kRecordPadding;
  if (const auto error = state.parser.iterate(text.data(), text.size(), readable).get(document)) {
    return not_json("object", error);
  }
  ondemand::json_type type{};
  if (const auto error = document.type().get(type)) { return not_json("object", error); }
  if (type == ondemand::json_type::array) { return plain(DecodeKind::kEnvelope); }
  if (type != ondemand::json_type::object) { return not_a_record("a single value"); }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) { return not_json("object", error); }
  if (const auto error = state.read_object(object, Context::kRoot)) { return not_json("object", error); }
  if (!at_end(document)) { return not_json("object", simdjson::TRAILING_CONTENT); }
  const bool envelope = state.fields.get(Field::kEnvelope) == "[" && !state.fields.has(Field::kOperation);
  return envelope ? plain(DecodeKind::kEnvelope) : interpret(state.fields, event);
}

Decoded Decoder::decode_row_json(std::string_view row, const TableColumns& columns, AccessEvent& event) {
  State& state = *state_;
  state.start();
  const std::string_view text = trimmed(row);
  ondemand::document document;
  if (const auto error = state.parser.iterate(text.data(), text.size(), text.size() + kRecordPadding).get(document)) {
    return not_json("array", error);
  }
  ondemand::array array;
  if (const auto error = document.get_array().get(array)) { return not_json("array", error); }
  std::size_t count = 0;
  for (auto item : array) {
    ondemand::value value;
    if (const auto error = std::move(item).get(value)) { return not_json("array", error); }
    const MemberAction action = count < columns.size() ? to_action(columns.target(count)) : MemberAction{};
    ++count;
    if (action.kind == MemberAction::Kind::kSkip) { continue; }
    if (const auto error = state.read_member(value, action)) { return not_json("array", error); }
  }
  if (!at_end(document)) { return not_json("array", simdjson::TRAILING_CONTENT); }
  if (count != columns.size()) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            fmt::format("expected {} values, one for each column, found {}", columns.size(), count)};
  }
  return interpret(state.fields, event);
}

Decoded Decoder::decode_row_csv(std::string_view row, const TableColumns& columns, AccessEvent& event) {
  State& state = *state_;
  state.start();
  if (!split_csv_row(row, state.scratch, state.cells)) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            "expected cells as in RFC 4180, found a quote that is not closed, or text after a closing quote"};
  }
  if (state.cells.size() != columns.size()) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            fmt::format("expected {} cells, one for each column, found {}", columns.size(), state.cells.size())};
  }
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const MemberAction action = to_action(columns.target(column));
    const std::string_view cell = state.cells[column];
    if (action.kind != MemberAction::Kind::kEnter) {
      state.put_cell(columns.target(column), cell);
    } else if (!trimmed(cell).empty() && cell != "None") {
      clear_below(state.fields, action.context);
      if (action.field != Field::kCount) { state.fields.set(action.field, cell); }
      if (const auto error = state.read_inner(cell, action)) { return not_json("object in a dynamic column", error); }
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
    case RefusalCause::kNotJson: return "not JSON";
    case RefusalCause::kNotARecord: return "not a record";
    case RefusalCause::kNoTime: return "no time";
    case RefusalCause::kNoOperation: return "no operation";
    case RefusalCause::kNoVault: return "no vault";
    case RefusalCause::kTooLong: return "too long";
    case RefusalCause::kTooDeep: return "too deep";
    case RefusalCause::kBadTable: return "bad table row";
    case RefusalCause::kBadCompression: return "bad compression";
    case RefusalCause::kUnknownForm: return "unknown form";
    case RefusalCause::kFuture: return "future";
    case RefusalCause::kCount: break;
  }
  return "unknown";
}

std::string_view to_string(SkipCause cause) {
  switch (cause) {
    case SkipCause::kOtherCategory: return "other category";
    case SkipCause::kOtherService: return "other service";
    case SkipCause::kEventGrid: return "Event Grid event";
    case SkipCause::kEmpty: return "empty";
    case SkipCause::kCount: break;
  }
  return "unknown";
}

}  // namespace keyvigil
