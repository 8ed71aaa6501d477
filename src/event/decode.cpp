#include "event/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>

#include "base/ascii.h"
#include "base/hash.h"
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

// Member names of one kind of object, each with the two names that followed it lately: records of one source have their
// members in nearly the same order, so the next name is nearly always known beforehand and one comparison settles it.
class NameChain {
 private:
  static constexpr std::size_t kWordBytes = 8;
  static constexpr std::size_t kHeadBytes = 4 * kWordBytes;
  static constexpr std::size_t kLinksLimit = 128;
  static constexpr std::size_t kNameLimitBytes = 120;

 public:
  // Both quotes and the colon are compared too. The first bytes go as four words, the rest of a long name one by one.
  struct alignas(64) Link {
    std::array<std::uint64_t, 4> head{};
    std::array<std::uint64_t, 4> mask{};
    Link* next = nullptr;  // never null once in the chain: its start stands for none
    Link* other_next = nullptr;
    std::uint32_t size = 0;  // of `text`; 0: no name stands here
    MemberAction action;
    std::string text;  // "name":
  };

  NameChain() { (void)add({}); }

  // Before an object's first member.
  [[nodiscard]] Link* start() { return links_.front().get(); }

  // `after`: the link of the member before; `name` points to the quote of a name. Null where another name stands there,
  // or its colon does not follow at once. REQUIRES: kHeadBytes readable bytes at `name`.
  [[nodiscard]] static Link* expected(Link* after, const char* name) {
    Link* next = after->next;
    if (is_at(*next, name)) { return next; }
    Link* other = after->other_next;
    if (!is_at(*other, name)) { return nullptr; }
    after->next = other;
    after->other_next = next;
    return other;
  }
  // Finds or adds the name and expects it here from now on. Null: there is no room for it.
  [[nodiscard]] Link* learn(Link* after, std::string_view name, Context context) {
    const std::string text = fmt::format("\"{}\":", name);
    const auto found = std::ranges::find_if(links_, [&](const auto& link) { return link->text == text; });
    Link* link = nullptr;
    if (found != links_.end()) {
      link = found->get();
    } else {
      if (links_.size() == kLinksLimit || name.size() > kNameLimitBytes) { return nullptr; }
      link = add(text);
      link->action = find_member(context, name);
    }
    after->other_next = std::exchange(after->next, link);
    return link;
  }

 private:
  [[nodiscard]] Link* add(std::string_view text) {
    links_.push_back(std::make_unique<Link>());
    Link* link = links_.back().get();
    const std::size_t head = std::min(text.size(), kHeadBytes);
    std::copy_n(text.data(), head, reinterpret_cast<char*>(link->head.data()));
    std::fill_n(reinterpret_cast<unsigned char*>(link->mask.data()), head, static_cast<unsigned char>(0xFF));
    link->size = static_cast<std::uint32_t>(text.size());
    link->text = text;
    link->next = link->other_next = links_.front().get();
    return link;
  }
  [[nodiscard]] static std::uint64_t difference(const Link& link, const char* name, std::size_t word) {
    std::uint64_t found = 0;
    std::memcpy(&found, name + word * kWordBytes, kWordBytes);
    return (found ^ link.head[word]) & link.mask[word];
  }
  [[nodiscard]] static bool is_at(const Link& link, const char* name) {
    if ((difference(link, name, 0) | difference(link, name, 1)) != 0) { return false; }
    if (link.size <= 2 * kWordBytes) { return link.size != 0; }
    if ((difference(link, name, 2) | difference(link, name, 3)) != 0) { return false; }
    return link.size <= kHeadBytes ||
           std::memcmp(name + kHeadBytes, link.text.data() + kHeadBytes, link.size - kHeadBytes) == 0;
  }

  std::vector<std::unique_ptr<Link>> links_;
};

// One JSON text being read: the record, or a text that stands inside one of its strings.
struct Document {
  JsonIndex index;
  JsonCursor cursor;
  bool has_escapes = false;  // a backslash anywhere: names and strings cannot be taken as they stand
  bool strict = false;       // what is passed over is looked at too: of a damaged inner text nothing is kept
  std::string bytes;         // of an inner text: copied, because reading goes past the end, and fields point into it
};
constexpr std::size_t kInnerDocumentsLimit = 12;  // a record has at most nine columns that hold JSON

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
      const Field mark = context == Context::kNetworkAcls   ? Field::kNetworkAcls
                         : context == Context::kIpRules     ? Field::kAclsIpRules
                         : context == Context::kSubnetRules ? Field::kAclsSubnetRules
                                                            : Field::kCount;
      actions[kContextTarget + below] = {MemberAction::Kind::kEnter, mark, context};
    }
    return actions;
  }();
  return kActions[target];
}

void clear_below(RecordFields& fields, Context context) {
  if (context == Context::kIdentity || context == Context::kClaim) {
    fields.clear(Field::kObjectId, Field::kAuthorizationScope);
  }
  if (context == Context::kProperties) { fields.clear(Field::kId, Field::kAssignmentScope); }
}

bool is_rules(Context context) {
  return context == Context::kIpRules || context == Context::kSubnetRules;
}

struct Rules {
  std::uint64_t sum = 0;
  std::size_t count = 0;
  void add(std::string_view rule) {
    sum += hash64(lower_case(rule));
    ++count;
  }
};

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
  std::array<NameChain, static_cast<std::size_t>(Context::kCount)> names;
  RecordFields fields;
  std::string scratch;
  std::vector<std::string_view> cells;
  std::string time_text;             // of a row whose time is in a locale's order, in ours
  std::array<std::string, 2> rules;  // of addresses and of subnets, in short

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
  [[nodiscard]] bool read_value_member(Document& document, Field field);
  [[nodiscard]] bool read_rules(Document& document, Field field);
  [[nodiscard]] bool read_rule(Document& document, Rules& found);
  [[nodiscard]] bool read_scalar(Document& document, std::string_view& text);
  [[nodiscard]] bool read_inner(std::string_view text, const MemberAction& action);

  [[nodiscard]] const MemberAction* find_action(Document& document, Context context, NameChain::Link*& link);
  [[nodiscard]] bool read_cell(std::string_view cell, const MemberAction& action);
  void put_in_order(std::string_view& time_cell, DateOrder order);
};

// What to do with the member whose name stands at the cursor, where another was expected. `link` is that of the member
// before, and becomes this one's. Null where there is none, or it is damaged.
const MemberAction* Decoder::State::find_action(Document& document, Context context, NameChain::Link*& link) {
  if (!document.cursor.at_name()) { return nullptr; }
  NameChain& chain = names[static_cast<std::size_t>(context)];
  const std::string_view token = document.cursor.token();
  std::string_view text = token.substr(1, token.size() - 2);
  const bool escaped = document.has_escapes && has_backslash(text);
  if (escaped && !document.index.unescape(token, text)) { return nullptr; }
  NameChain::Link* learned = escaped ? nullptr : chain.learn(link, text, context);
  link = learned == nullptr ? chain.start() : learned;
  return learned == nullptr ? &find_member(context, text) : &learned->action;
}

// Nearly every member is an expected one that is passed over, or a string that is kept as it stands: these are settled
// here. The cursor is a copy, which the compiler can hold in registers.
bool Decoder::State::read_object(Document& document, Context context) {
  const bool plain_strings = !document.has_escapes;
  const bool strict = document.strict;
  JsonCursor cursor = document.cursor;
  cursor.step();
  bool more = !cursor.take('}');
  NameChain::Link* link = names[static_cast<std::size_t>(context)].start();
  while (more) {
    // Name, colon, value, and what follows.
    constexpr std::size_t kMemberPlaces = 4;
    if (cursor.places_left() < kMemberPlaces) { return false; }
    const MemberAction* action = nullptr;
    if (NameChain::Link* expected = NameChain::expected(link, cursor.ahead(0))) {
      link = expected;
      action = &link->action;
    } else {
      document.cursor = cursor;
      action = find_action(document, context, link);
      if (action == nullptr) { return false; }
    }
    const char* value = cursor.ahead(2);
    const char* after = cursor.ahead(3);
    const bool is_string = *value == '"' && after[-1] == '"';
    if (is_string && plain_strings && action->kind == MemberAction::Kind::kStore) {
      fields.set(action->field, {value + 1, static_cast<std::size_t>(after - value) - 2});
      cursor.step_over(3);
    } else if (action->kind == MemberAction::Kind::kSkip && JsonCursor::is_scalar_start(*value) && !strict) {
      cursor.step_over(3);
    } else {
      cursor.step_over(2);
      document.cursor = cursor;
      if (!read_member(document, *action)) { return false; }
      cursor = document.cursor;
    }
    more = cursor.take(',');
    if (!more && !cursor.take('}')) { return false; }
  }
  document.cursor = cursor;
  return true;
}

bool Decoder::State::read_member(Document& document, const MemberAction& action) {
  if (action.kind == MemberAction::Kind::kSkip) {
    const bool looked_at = document.strict && JsonCursor::is_scalar_start(document.cursor.peek());
    std::string_view text;
    return looked_at ? read_scalar(document, text) : document.cursor.skip_value();
  }
  if (action.kind == MemberAction::Kind::kEnter) { return read_below(document, action); }
  const char first = document.cursor.peek();
  if (first == '{' && has_value_member(action.field)) { return read_value_member(document, action.field); }
  std::string_view text;
  if (!read_scalar(document, text)) { return false; }
  if (action.kind == MemberAction::Kind::kFill && fields.has(action.field)) { return true; }
  const bool container = first == '{' || first == '[';
  // A status or flag that is a container is there, and unreadable.
  const bool taken = first == '"' || is_number_or_flag(action.field) || (container && is_container_mark(action.field));
  if (taken) { fields.set(action.field, text); }
  return true;
}

bool Decoder::State::read_value_member(Document& document, Field field) {
  JsonCursor& cursor = document.cursor;
  std::string_view text;
  cursor.step();
  for (bool more = !cursor.take('}'); more; more = !cursor.take('}')) {
    if (!cursor.at_name() || !read_scalar(document, text) || !cursor.take(':')) { return false; }
    const bool is_value = text == "value" && cursor.peek() == '"';
    if (!read_scalar(document, text)) { return false; }
    if (is_value) { fields.set(field, text); }
    if (cursor.peek() != '}' && !cursor.take(',')) { return false; }
  }
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
    if (action.field != Field::kCount && !is_rules(action.context)) { fields.set(action.field, "{"); }
    return read_object(document, action.context);
  }
  if (first == '[') {
    return is_rules(action.context) ? read_rules(document, action.field) : read_list_below(document, action);
  }
  std::string_view text;
  if (!read_scalar(document, text)) { return false; }
  if (text.empty() || text == "None") { return true; }
  if (action.field != Field::kCount && !is_rules(action.context)) { fields.set(action.field, text); }
  return first != '"' || read_inner(text, action);
}

// A rule is a text in the list, or each text of an object in it.
bool Decoder::State::read_rule(Document& document, Rules& found) {
  JsonCursor& cursor = document.cursor;
  std::string_view text;
  if (cursor.peek() != '{') {
    const bool is_text = cursor.peek() == '"';
    if (!read_scalar(document, text)) { return false; }
    if (is_text) { found.add(text); }
    return true;
  }
  cursor.step();
  for (bool more = !cursor.take('}'); more; more = !cursor.take('}')) {
    if (!cursor.at_name() || !read_scalar(document, text) || !cursor.take(':')) { return false; }
    const bool is_text = cursor.peek() == '"';
    if (!read_scalar(document, text)) { return false; }
    if (is_text) { found.add(text); }
    if (cursor.peek() != '}' && !cursor.take(',')) { return false; }
  }
  return true;
}

bool Decoder::State::read_rules(Document& document, Field field) {
  JsonCursor& cursor = document.cursor;
  Rules found;
  cursor.step();
  for (bool more = !cursor.take(']'); more; more = !cursor.take(']')) {
    if (!read_rule(document, found)) { return false; }
    if (cursor.peek() != ']' && !cursor.take(',')) { return false; }
  }
  std::string& kept = rules[field == Field::kAclsIpRules ? 0 : 1];
  kept = fmt::format("{}:{:016x}", found.count, found.sum);
  fields.set(field, kept);
  return true;
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

// Text that is no JSON object tells nothing, except for an identity: leaving out who called would be wrong. So may
// AdditionalFields that are cut.
bool Decoder::State::read_inner(std::string_view text, const MemberAction& action) {
  text = trimmed(text);
  const char start = is_rules(action.context) ? '[' : '{';
  const bool cut_columns = action.context == Context::kAdditional && text.starts_with('{');
  const bool optional = action.context != Context::kIdentity && !cut_columns;
  if (text.empty() || text.front() != start || inner_used == kInnerDocumentsLimit) { return optional; }
  if (inner_used == inner_documents.size()) { inner_documents.emplace_back(); }
  Document& inner = inner_documents[inner_used++];
  inner.bytes.assign(text);
  inner.bytes.append(kRecordPadding, '\0');
  const std::string_view copy = std::string_view(inner.bytes).substr(0, text.size());
  inner.has_escapes = has_backslash(copy);
  inner.strict = true;
  // Of a damaged text nothing is kept.
  const RecordFields before = fields;
  bool fits = inner.index.build(copy, inner.cursor) == nullptr;
  fits = fits && (start == '[' ? read_rules(inner, action.field) : read_object(inner, action.context));
  fits = fits && inner.cursor.at_end();
  if (!fits) { fields = before; }
  return fits || optional;
}

bool Decoder::State::read_cell(std::string_view cell, const MemberAction& action) {
  if (action.kind == MemberAction::Kind::kStore) { fields.set(action.field, cell); }
  if (action.kind != MemberAction::Kind::kEnter || trimmed(cell).empty() || cell == "None") { return true; }
  clear_below(fields, action.context);
  if (action.field != Field::kCount && !is_rules(action.context)) { fields.set(action.field, cell); }
  return read_inner(cell, action);
}

// What cannot be read stays as it is, and is refused with its text.
void Decoder::State::put_in_order(std::string_view& time_cell, DateOrder order) {
  const auto written = read_locale_time(time_cell);
  const auto time = written ? to_event_time(*written, order) : std::nullopt;
  if (!time) { return; }
  time_text = to_iso_ticks(*time);
  time_cell = time_text;
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
    if (text.front() != '"' && !is_json_scalar(text)) { return not_json("object", "it does not start with {"); }
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
    if (!state.read_member(state.record, action)) { return not_json("array", kDamage); }
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
  if (!split_csv_row(row, state.scratch, state.cells, columns.separator())) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            "expected cells as in RFC 4180, found a quote that is not closed, or text after a closing quote"};
  }
  if (state.cells.size() != columns.size()) {
    return {DecodeKind::kRefused, RefusalCause::kBadTable, SkipCause::kEmpty,
            fmt::format("expected {} cells, one for each column, found {}", columns.size(), state.cells.size())};
  }
  if (columns.date_order() && columns.time_column()) {
    state.put_in_order(state.cells[*columns.time_column()], *columns.date_order());
  }
  for (std::size_t column = 0; column < columns.size(); ++column) {
    if (!state.read_cell(state.cells[column], to_action(columns.target(column)))) {
      return not_json("object in the Identity or AdditionalFields column", kDamage);
    }
  }
  return interpret(state.fields, event);
}

TableColumns TableColumns::resolve(const std::vector<std::string>& names) {
  TableColumns columns;
  bool has_operation = false;
  for (const std::string& name : names) {
    const MemberAction action = find_member(Context::kRoot, without_zone_mark(name));
    std::uint8_t target = kNoTarget;
    if (action.kind == MemberAction::Kind::kStore) { target = static_cast<std::uint8_t>(action.field); }
    if (action.kind == MemberAction::Kind::kEnter) {
      target = static_cast<std::uint8_t>(kContextTarget + static_cast<unsigned>(action.context));
    }
    if (action.kind == MemberAction::Kind::kStore && action.field == Field::kTime) {
      columns.time_column_ = columns.targets_.size();
    }
    has_operation = has_operation || (action.kind == MemberAction::Kind::kStore &&
                                      (action.field == Field::kOperation || action.field == Field::kActivityOperation));
    columns.targets_.push_back(target);
  }
  columns.is_audit_table_ = columns.time_column_.has_value() && has_operation;
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
    case SkipCause::kActivity:
      return "Activity Log, nothing that lets anybody in";
    case SkipCause::kEmpty:
      return "empty";
    case SkipCause::kCount:
      break;
  }
  return "unknown";
}

}  // namespace keyvigil
