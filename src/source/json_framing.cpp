#include "source/json_framing.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/ascii.h"
#include "source/json_bytes.h"

namespace keyvigil {

namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kEnvelopeWindowBytes = 32;
constexpr std::uint64_t kColumnsLimitBytes = std::uint64_t{1} << 20;

// The first quote, backslash or line end, sixteen bytes at once, in GCC's and clang's portable vectors.
const char* find_in_string(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;
  while (end - at >= static_cast<std::ptrdiff_t>(sizeof(Bytes16))) {
    Bytes16 bytes;
    std::memcpy(&bytes, at, sizeof(bytes));
    const Bytes16 found = Bytes16(bytes == '"') | Bytes16(bytes == '\\') | Bytes16(bytes == '\n');
    std::array<std::uint64_t, 2> words;
    std::memcpy(words.data(), &found, sizeof(words));
    if (words[0] != 0) return at + std::countr_zero(words[0]) / 8;
    if (words[1] != 0) return at + 8 + std::countr_zero(words[1]) / 8;
    at += sizeof(Bytes16);
  }
  while (at < end && *at != '"' && *at != '\\' && *at != '\n') ++at;
  return at;
}

enum class LineStart : std::uint8_t { kRecord, kEnvelope, kUnclear };

// Looks at the first bytes of a line only: is its first key "records", "results" or "tables"?
LineStart judge_line_start(std::string_view line, bool complete) {
  if (line.front() == '[') return LineStart::kEnvelope;
  if (line.front() != '{') return LineStart::kRecord;
  const std::size_t window = std::min(line.size(), kEnvelopeWindowBytes);
  std::size_t at = 1;
  while (at < window && is_blank(line[at])) ++at;
  if (at + 1 < line.size() && line[at + 1] != 'r' && line[at + 1] != 't') return LineStart::kRecord;
  constexpr std::string_view kRecords = "\"records\"";
  constexpr std::string_view kResults = "\"results\"";
  constexpr std::string_view kTables = "\"tables\"";
  for (const std::string_view key : {kRecords, kResults, kTables}) {
    const std::string_view found = line.substr(at, key.size());
    if (found == key) return LineStart::kEnvelope;
    const bool cut = found.size() < key.size() && !complete;
    if (cut && key.substr(0, found.size()) == found) return LineStart::kUnclear;
  }
  return LineStart::kRecord;
}

// Arrays whose elements are records: of blobs and Event Hubs, of PowerShell and hunting, of Azure Resource Manager.
bool names_records(std::string_view key) {
  return equal_without_case(key, "records") || equal_without_case(key, "results") || equal_without_case(key, "value");
}
// The SDK for JavaScript writes columnDescriptors, which does not fit a key that is cut.
bool names_columns(std::string_view key) {
  return equal_without_case(key, "columns") || key == "columnDescriptor";
}
// The first keys of tables: frames of Kusto v2, and tables that an SDK's user wrote to a file.
bool begins_table(std::string_view key) {
  return key == "FrameType" || equal_without_case(key, "name") || equal_without_case(key, "TableName") ||
         names_columns(key);
}

}  // namespace

JsonFraming::JsonFraming(const Place& start, std::size_t record_limit_bytes)
    : place_(start), record_limit_bytes_(record_limit_bytes) {}

std::uint64_t JsonFraming::held_from() const {
  if (state_ == State::kLine) return unit_.begin.position;
  if (state_ == State::kScan && in_unit() && !unit_.refused) return unit_.begin.position;
  return place_.position;
}

Framing JsonFraming::advance(FrameWindow& window) {
  while (state_ != State::kEnded) {
    if (window.full()) return Framing::kBatchEnds;
    waits_ = false;
    switch (state_) {
      case State::kBetween:
        between(window);
        break;
      case State::kLine:
        take_lines(window);
        break;
      case State::kScan:
        scan(window);
        break;
      case State::kSkipLine:
        skip_line(window);
        break;
      case State::kResync:
        resync(window);
        break;
      case State::kSeek:
        seek(window);
        break;
      case State::kEnded:
        break;
    }
    if (window.full() || (place_.position < window.end() && !waits_)) continue;
    if (!window.ended) return Framing::kNeedsBytes;
    if (state_ != State::kLine) end_input(window);
  }
  return window.full() ? Framing::kBatchEnds : Framing::kDone;
}

void JsonFraming::new_line() {
  ++place_.position;
  ++place_.line;
  place_.line_begin = place_.position;
  fresh_ = true;
}

void JsonFraming::between(FrameWindow& window) {
  while (place_.position < window.end()) {
    const char byte = window.byte(place_.position);
    if (byte == '\n') {
      if (fresh_) window.count_blank();
      new_line();
    } else if (is_blank(byte)) {
      ++place_.position;
    } else if (byte == ',' || (after_break_ && is_closer(byte))) {
      ++place_.position;
      fresh_ = false;
    } else {
      return start_value(window);
    }
  }
}

void JsonFraming::start_value(FrameWindow& window) {
  if (lines_ && fresh_) {
    unit_ = Unit{};
    unit_.begin = place_;
    state_ = State::kLine;
    return take_lines(window);
  }
  if (is_opener(window.byte(place_.position))) return begin_scan(place_);
  // The sample must not depend on how the input was cut into reads.
  const std::uint64_t in_hand = window.end() - place_.position;
  const char* begin = window.at(place_.position);
  const char* line_end = find_line_end(begin, std::min<std::uint64_t>(in_hand, kSampleBytes));
  if (line_end == nullptr && in_hand < kSampleBytes && !window.ended) {
    waits_ = true;
    return;
  }
  const std::uint64_t size = line_end == nullptr ? in_hand : static_cast<std::uint64_t>(line_end - begin);
  window.refuse(RefusalCause::kNotJson, {place_.position, place_.position + size, place_.line},
                fmt::format("expected a JSON value at line {}, found text that begins none; skipped to the next line "
                            "that begins with {{ or [",
                            place_.line));
  fresh_ = false;
  state_ = State::kSeek;
}

// The hot path: nothing of a line is looked at but its first bytes and its last.
void JsonFraming::take_lines(FrameWindow& window) {
  while (true) {
    const std::uint64_t begin = unit_.begin.position;
    const std::uint64_t stop = std::min(window.end(), begin + record_limit_bytes_ + 1);
    const char* found = find_line_end(window.at(place_.position), stop - place_.position);
    const std::uint64_t line_end =
        found == nullptr ? stop : window.base + static_cast<std::uint64_t>(found - window.bytes.data());
    if (place_.position == begin) {
      const bool complete = found != nullptr || window.ended || stop < window.end();
      const LineStart start = judge_line_start(window.text(begin, line_end), complete);
      if (start == LineStart::kEnvelope) return begin_scan(unit_.begin);
      if (start == LineStart::kUnclear) {
        waits_ = true;
        return;
      }
    }
    if (found == nullptr) {
      place_.position = stop;
      if (stop == begin + record_limit_bytes_ + 1) {
        const std::uint64_t sample_end = begin + std::min<std::uint64_t>(record_limit_bytes_, kSampleBytes);
        window.refuse(RefusalCause::kTooLong, {begin, sample_end, unit_.begin.line},
                      fmt::format("line {} is longer than the record limit of {} bytes; skipped to its end",
                                  unit_.begin.line, record_limit_bytes_));
        fresh_ = false;
        state_ = State::kSkipLine;
      } else if (window.ended) {
        take_line(window, stop, false);
      } else {
        waits_ = true;
      }
      return;
    }
    take_line(window, line_end, true);
    if (state_ != State::kLine) return;
    if (window.full() || place_.position >= window.end() || window.byte(place_.position) != '{') {
      state_ = State::kBetween;
      return;
    }
    unit_.begin = place_;
  }
}

void JsonFraming::take_line(FrameWindow& window, std::uint64_t line_end, bool has_line_end) {
  std::uint64_t end = line_end;
  while (is_blank(window.byte(end - 1))) --end;
  const bool closed = window.byte(end - 1) == '}';
  // A line that is not closed is either the first of a value over many lines, or cut: the scan finds out.
  if (window.byte(unit_.begin.position) == '{' && !closed) return begin_scan(unit_.begin);
  window.emit({unit_.begin.position, end, unit_.begin.line}, json_form_);
  after_break_ = false;
  place_.position = line_end;
  if (has_line_end) {
    new_line();
  } else {
    state_ = State::kBetween;
    fresh_ = false;
  }
}

void JsonFraming::skip_line(FrameWindow& window) {
  const char* found = find_line_end(window.at(place_.position), window.end() - place_.position);
  if (found == nullptr) {
    place_.position = window.end();
    return;
  }
  place_.position = window.base + static_cast<std::uint64_t>(found - window.bytes.data());
  new_line();
  state_ = State::kBetween;
}

void JsonFraming::begin_scan(const Place& at) {
  place_ = at;
  state_ = State::kScan;
  value_first_on_line_ = fresh_;
  value_line_ = at.line;
  depth_ = 0;
  roles_[0] = Role::kArray;
  over_depth_ = 0;
  previous_ = 0;
  in_string_ = false;
  escaped_ = false;
  in_key_ = false;
  drop_unit();
}

void JsonFraming::drop_unit() {
  unit_ = Unit{};
  candidate_.reset();
  raw_line_end_.reset();
  string_ended_ = false;
}

void JsonFraming::end_scan(FrameWindow& window) {
  tables_.end_answer(window);
  state_ = State::kBetween;
  lines_ = value_first_on_line_ && value_line_ == place_.line;
  after_break_ = false;
}

void JsonFraming::scan(FrameWindow& window) {
  while (state_ == State::kScan && !window.full()) {
    std::uint64_t stop = window.end();
    if (in_unit() && !unit_.refused) stop = std::min(stop, unit_.begin.position + unit_limit());
    if (place_.position >= stop) {
      if (stop == window.end()) return;
      if (raw_line_end_) {
        take_back(window);
      } else {
        refuse_long(window);
      }
      continue;
    }
    if (in_string_) {
      scan_string(window, stop);
      continue;
    }
    const char byte = window.byte(place_.position);
    if (byte == '\n') {
      new_line();
    } else if (is_blank(byte)) {
      ++place_.position;
    } else {
      scan_token(window, byte);
    }
  }
}

void JsonFraming::scan_string(FrameWindow& window, std::uint64_t stop) {
  const char* const begin = window.at(place_.position);
  const char* const end = window.at(stop);
  const char* at = begin;
  if (escaped_) {
    escaped_ = *at == '\n';
    if (!escaped_) ++at;
  }
  if (!escaped_) at = find_in_string(at, end);
  const auto size = static_cast<std::size_t>(at - begin);
  if (in_key_) key_.append(begin, std::min(size, kKeyBytes - std::min(kKeyBytes, key_.size())));
  place_.position += size;
  if (at == end) return;
  if (*at == '\n') return meet_raw_line_end(window);
  ++place_.position;
  if (*at == '\\') {
    escaped_ = true;
    if (in_key_) key_ += '\\';
    in_key_ = false;
    return;
  }
  if (in_key_) end_key();
  in_string_ = false;
  in_key_ = false;
  if (raw_line_end_) string_ended_ = true;
  previous_ = 'v';
  if (unit_.scalar) unit_.end = place_.position;
}

bool JsonFraming::reads_keys() const {
  if (role() == Role::kElement) return may_be_table_ || previous_ == '{';
  return role() == Role::kTopObject || role() == Role::kEnvelope || role() == Role::kTable;
}

// An element's first key tells whether the others are looked at.
void JsonFraming::end_key() {
  if (role() != Role::kElement || !is_first_key_) return;
  may_be_table_ = begins_table(key_);
  if (key_ != "FrameType") return;
  drop_unit();  // a frame is no record; one without columns says nothing
  roles_[depth_] = Role::kTable;
}

void JsonFraming::scan_token(FrameWindow& window, char byte) {
  if (string_ended_) {
    string_ended_ = false;
    // What seemed to be inside a string was outside: the string had been cut, and the line end was one.
    if (byte != ',' && byte != ':' && !is_closer(byte)) return take_back(window);
  }
  if (is_opener(byte)) return open(window, byte);
  if (is_closer(byte)) return close(window, byte);
  const bool starts_element = !in_unit() && over_depth_ == 0 && (role() == Role::kElements || role() == Role::kRows);
  if (byte == ',') {
    if (unit_.scalar && depth_ == unit_.depth) end_unit(window, unit_.end);
  } else if (starts_element) {
    begin_unit(UnitKind::kRecord, byte);
    unit_.scalar = true;
  }
  if (byte == '"') {
    in_string_ = true;
    in_key_ = (previous_ == '{' || previous_ == ',') && over_depth_ == 0 && reads_keys();
    if (in_key_) {
      is_first_key_ = previous_ == '{';
      key_.clear();
    }
  }
  previous_ = byte == ',' || byte == ':' ? byte : 'v';
  ++place_.position;
  fresh_ = false;
  if (unit_.scalar) unit_.end = place_.position;
}

// A { that opens a line where records may begin, at a place where JSON allows none: what came before was cut.
bool JsonFraming::found_next_record(FrameWindow& window) {
  const std::uint64_t indent = place_.position - place_.line_begin;
  const bool at_column = indent == 0 || (in_unit() && indent == unit_.indent);
  if (!fresh_ || !at_column) return false;
  const bool inside = in_unit() && depth_ > unit_.depth;
  const bool between_members = !in_unit() && (role() == Role::kEnvelope || role() == Role::kTable);
  if (!inside && !between_members) return false;
  const bool legal = over_depth_ == 0 && (is_object(role()) ? previous_ == ':' : previous_ == '[' || previous_ == ',');
  if (!legal) {
    break_here(window, "a new object where the value before it is not closed");
    return true;
  }
  if (inside && !candidate_ && !unit_.refused) candidate_ = place_;
  return false;
}

void JsonFraming::open(FrameWindow& window, char byte) {
  if (byte == '{' && depth_ > 0 && found_next_record(window)) return;
  const std::size_t depth_in_unit = in_unit() ? depth_ - unit_.depth : depth_;
  if (over_depth_ > 0 || depth_in_unit >= kDepthLimit) {
    if (raw_line_end_) return take_back(window);
    if (over_depth_ == 0 && !unit_.refused) refuse_deep(window);
    ++over_depth_;
  } else {
    const Role opened = role_of_opened(window, byte);
    roles_[++depth_] = opened;
  }
  previous_ = byte;
  ++place_.position;
  fresh_ = false;
}

JsonFraming::Role JsonFraming::role_of_opened(FrameWindow& window, char byte) {
  const Role plain = byte == '{' ? Role::kObject : Role::kArray;
  if (depth_ == 0) {
    if (byte == '[') return open_elements(Role::kElements);
    begin_unit(UnitKind::kRecord, byte);
    return Role::kTopObject;
  }
  const bool member_array = byte == '[' && previous_ == ':';
  switch (role()) {
    case Role::kElements:
    case Role::kRows: {
      if (in_unit()) return plain;
      begin_unit(UnitKind::kRecord, byte);
      may_be_table_ = false;
      return byte == '{' && role() == Role::kElements ? Role::kElement : plain;
    }
    case Role::kTables:
      if (byte != '{') return plain;
      tables_.begin_table();
      ++elements_;
      return Role::kTable;
    case Role::kTopObject:
    case Role::kEnvelope:
    case Role::kElement:
    case Role::kTable:
      return member_array ? open_member(window, plain) : plain;
    case Role::kObject:
    case Role::kArray:
      break;
  }
  return plain;
}

// An array that is a member of what may be an envelope or a table.
JsonFraming::Role JsonFraming::open_member(FrameWindow& window, Role plain) {
  const bool columns = names_columns(key_);
  if (role() == Role::kTable) {
    if (columns) return open_columns();
    return equal_without_case(key_, "rows") ? open_rows(window) : plain;
  }
  if (columns && (role() == Role::kTopObject || may_be_table_)) {
    drop_unit();
    roles_[depth_] = Role::kTable;
    return open_columns();
  }
  const bool tables = equal_without_case(key_, "tables");
  if (role() == Role::kElement || (!tables && !names_records(key_))) return plain;
  drop_unit();
  roles_[depth_] = Role::kEnvelope;
  return open_elements(tables ? Role::kTables : Role::kElements);
}

JsonFraming::Role JsonFraming::open_columns() {
  begin_unit(UnitKind::kColumns, '[');
  return Role::kArray;
}

JsonFraming::Role JsonFraming::open_elements(Role opened) {
  elements_ = 0;
  container_line_ = place_.line;
  return opened;
}

JsonFraming::Role JsonFraming::open_rows(FrameWindow& window) {
  const bool known = tables_.begin_rows(window, {place_.position, place_.position + 1, place_.line});
  return known ? open_elements(Role::kRows) : Role::kArray;
}

void JsonFraming::close(FrameWindow& window, char byte) {
  if (unit_.scalar && depth_ == unit_.depth) end_unit(window, unit_.end);
  if (over_depth_ == 0 && is_object(role()) != (byte == '}')) {
    return break_and_skip(window, "a closing bracket that fits no open one");
  }
  ++place_.position;
  fresh_ = false;
  previous_ = 'v';
  if (over_depth_ > 0) {
    --over_depth_;
    return;
  }
  const Role closed = role();
  --depth_;
  if (in_unit() && depth_ == unit_.depth) {
    end_unit(window, place_.position);
  } else if ((closed == Role::kElements || closed == Role::kRows || closed == Role::kTables) && elements_ == 0) {
    window.count_blank();
  }
  if (closed == Role::kRows) elements_ = 1;  // the tables around them are not empty
  if (depth_ == 0) end_scan(window);
}

void JsonFraming::begin_unit(UnitKind kind, char byte) {
  drop_unit();
  unit_.kind = kind;
  unit_.object = byte == '{';
  unit_.depth = depth_;
  unit_.indent = fresh_ ? place_.position - place_.line_begin : 0;
  unit_.begin = place_;
  ++elements_;
}

void JsonFraming::end_unit(FrameWindow& window, std::uint64_t end) {
  const Unit unit = unit_;
  const FrameSpan span{unit.begin.position, end, unit.begin.line};
  if (raw_line_end_) {
    refuse_raw_line_end(window, span);
    return drop_unit();
  }
  drop_unit();
  if (unit.refused) return;
  if (unit.kind == UnitKind::kColumns) return tables_.take_columns(window, span);
  window.emit(span, roles_[unit.depth] == Role::kRows ? tables_.row_form() : json_form_);
  after_break_ = false;
}

std::uint64_t JsonFraming::unit_limit() const {
  const std::uint64_t limit = record_limit_bytes_;
  return unit_.kind == UnitKind::kColumns ? std::min(limit, kColumnsLimitBytes) : limit;
}

}  // namespace keyvigil
