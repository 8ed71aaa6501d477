#include "source/json_framing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace keyvigil {

namespace {

constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kEnvelopeWindowBytes = 32;
constexpr std::uint64_t kColumnsLimitBytes = std::uint64_t{1} << 20;

bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r';
}
bool is_opener(char byte) {
  return byte == '{' || byte == '[';
}
bool is_closer(char byte) {
  return byte == '}' || byte == ']';
}

const char* find_line_end(const char* begin, std::uint64_t size) {
  return static_cast<const char*>(std::memchr(begin, '\n', size));
}

enum class LineStart : std::uint8_t { kRecord, kEnvelope, kUnclear };

// Looks at the first bytes of a line only: is its first key "records" or "tables"?
LineStart judge_line_start(std::string_view line, bool complete) {
  if (line.front() == '[') return LineStart::kEnvelope;
  if (line.front() != '{') return LineStart::kRecord;
  const std::size_t window = std::min(line.size(), kEnvelopeWindowBytes);
  std::size_t at = 1;
  while (at < window && is_blank(line[at])) ++at;
  if (at + 1 < line.size() && line[at + 1] != 'r' && line[at + 1] != 't') return LineStart::kRecord;
  constexpr std::string_view kRecords = "\"records\"";
  constexpr std::string_view kTables = "\"tables\"";
  for (const std::string_view key : {kRecords, kTables}) {
    const std::string_view found = line.substr(at, key.size());
    if (found == key) return LineStart::kEnvelope;
    const bool cut = found.size() < key.size() && !complete;
    if (cut && key.substr(0, found.size()) == found) return LineStart::kUnclear;
  }
  return LineStart::kRecord;
}

// The names in [{"name":"TimeGenerated","type":"datetime"}, ...]; nothing where it is not that.
std::optional<std::vector<std::string>> column_names(std::string_view text) {
  const nlohmann::json columns = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!columns.is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const nlohmann::json& column : columns) {
    if (!column.is_object()) return std::nullopt;
    const auto name = column.find("name");
    if (name == column.end() || !name->is_string()) return std::nullopt;
    names.push_back(name->get<std::string>());
  }
  return names;
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

// Moves to the first byte of the next line that is no blank. False: it is not in hand yet.
bool JsonFraming::find_line_start(FrameWindow& window) {
  while (place_.position < window.end()) {
    const char byte = window.byte(place_.position);
    if (byte == '\n') {
      new_line();
    } else if (!fresh_) {
      const char* found = find_line_end(window.at(place_.position), window.end() - place_.position);
      place_.position =
          found == nullptr ? window.end() : window.base + static_cast<std::uint64_t>(found - window.bytes.data());
    } else if (is_blank(byte)) {
      ++place_.position;
    } else {
      return true;
    }
  }
  return false;
}

void JsonFraming::seek(FrameWindow& window) {
  while (find_line_start(window)) {
    if (is_opener(window.byte(place_.position))) {
      state_ = State::kBetween;
      return;
    }
    fresh_ = false;
  }
}

// After a broken value over many lines: its neighbours stand at its own indent, the next top-level value at none.
void JsonFraming::resync(FrameWindow& window) {
  while (find_line_start(window)) {
    const char byte = window.byte(place_.position);
    const std::uint64_t indent = place_.position - place_.line_begin;
    const bool in_container = broken_.depth > 0;
    if (byte == '{' && (indent == 0 || indent == broken_.indent)) {
      return resume_at(place_, broken_.depth, in_container && indent == broken_.indent);
    }
    if (is_closer(byte) && indent <= broken_.indent) {
      const bool own_end = indent == broken_.indent && (byte == '}') == broken_.object;
      if (own_end || in_container) {
        resume_at(place_, broken_.depth, in_container);
        previous_ = 'v';
        if (!own_end) return;
        ++place_.position;
        fresh_ = false;
        return;
      }
    }
    fresh_ = false;
  }
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
  unit_ = Unit{};
  candidate_.reset();
}

void JsonFraming::end_scan() {
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
      refuse_long(window);
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
  while (!escaped_ && at < end && *at != '"' && *at != '\\' && *at != '\n') ++at;
  const auto size = static_cast<std::size_t>(at - begin);
  if (in_key_) key_.append(begin, std::min(size, kKeyBytes - std::min(kKeyBytes, key_.size())));
  place_.position += size;
  if (at == end) return;
  if (*at == '\n') return break_and_skip(window, "a line end inside a string");
  ++place_.position;
  if (*at == '\\') {
    escaped_ = true;
    if (in_key_) key_ += '\\';
    in_key_ = false;
    return;
  }
  in_string_ = false;
  in_key_ = false;
  previous_ = 'v';
  if (unit_.scalar) unit_.end = place_.position;
}

void JsonFraming::scan_token(FrameWindow& window, char byte) {
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
    const bool has_members = role() == Role::kTopObject || role() == Role::kEnvelope || role() == Role::kTable;
    in_key_ = has_members && over_depth_ == 0 && (previous_ == '{' || previous_ == ',');
    if (in_key_) key_.clear();
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
    case Role::kRows:
      if (!in_unit()) begin_unit(UnitKind::kRecord, byte);
      return plain;
    case Role::kTopObject:
    case Role::kEnvelope:
      if (!member_array || (key_ != "records" && key_ != "tables")) return plain;
      unit_ = Unit{};
      candidate_.reset();
      roles_[depth_] = Role::kEnvelope;
      return open_elements(key_ == "records" ? Role::kElements : Role::kTables);
    case Role::kTables:
      if (byte != '{') return plain;
      table_state_ = TableState::kNoColumns;
      ++elements_;
      return Role::kTable;
    case Role::kTable:
      if (!member_array) return plain;
      if (key_ == "columns") {
        begin_unit(UnitKind::kColumns, byte);
        return plain;
      }
      return key_ == "rows" ? open_rows(window) : plain;
    case Role::kObject:
    case Role::kArray:
      break;
  }
  return plain;
}

JsonFraming::Role JsonFraming::open_elements(Role opened) {
  elements_ = 0;
  container_line_ = place_.line;
  return opened;
}

JsonFraming::Role JsonFraming::open_rows(FrameWindow& window) {
  if (table_state_ == TableState::kResolved) return open_elements(Role::kRows);
  if (table_state_ == TableState::kNoColumns) {
    window.refuse(RefusalCause::kBadTable, {place_.position, place_.position + 1, place_.line},
                  fmt::format("the table's \"rows\" at line {} stand before its \"columns\"; expected the columns "
                              "first, as the Log Analytics API writes them; the rows are skipped",
                              place_.line));
  }
  return Role::kArray;
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
  if (depth_ == 0) end_scan();
}

void JsonFraming::begin_unit(UnitKind kind, char byte) {
  unit_ = Unit{};
  unit_.kind = kind;
  unit_.object = byte == '{';
  unit_.depth = depth_;
  unit_.indent = fresh_ ? place_.position - place_.line_begin : 0;
  unit_.begin = place_;
  candidate_.reset();
  ++elements_;
}

void JsonFraming::end_unit(FrameWindow& window, std::uint64_t end) {
  const Unit unit = unit_;
  unit_ = Unit{};
  candidate_.reset();
  if (unit.refused) return;
  const FrameSpan span{unit.begin.position, end, unit.begin.line};
  if (unit.kind == UnitKind::kColumns) return end_columns(window, span);
  window.emit(span, roles_[unit.depth] == Role::kRows ? table_form_ : json_form_);
  after_break_ = false;
}

void JsonFraming::end_columns(FrameWindow& window, const FrameSpan& span) {
  table_state_ = TableState::kRefused;
  const std::optional<std::vector<std::string>> names = column_names(window.text(span.begin, span.end));
  if (!names) {
    window.refuse(RefusalCause::kBadTable, span,
                  fmt::format("expected \"columns\" to be an array of {{\"name\":...}} objects, found something else "
                              "at line {}; the rows are skipped",
                              span.line));
    return;
  }
  TableColumns columns = TableColumns::resolve(*names);
  if (!columns.is_audit_table()) {
    window.refuse(RefusalCause::kUnknownForm, span,
                  fmt::format("the table at line {} is no AzureDiagnostics or AZKVAuditLogs table: it has no time and "
                              "operation columns; its rows are skipped",
                              span.line));
    return;
  }
  table_form_ = FrameForm{RecordForm::kRowJson, ++tables_, std::move(columns)};
  table_state_ = TableState::kResolved;
}

std::uint64_t JsonFraming::unit_limit() const {
  const std::uint64_t limit = record_limit_bytes_;
  return unit_.kind == UnitKind::kColumns ? std::min(limit, kColumnsLimitBytes) : limit;
}

void JsonFraming::refuse_long(FrameWindow& window) {
  const bool columns = unit_.kind == UnitKind::kColumns;
  if (columns) table_state_ = TableState::kRefused;
  const std::uint64_t begin = unit_.begin.position;
  window.refuse(columns ? RefusalCause::kBadTable : RefusalCause::kTooLong,
                {begin, begin + std::min<std::uint64_t>(unit_limit(), kSampleBytes), unit_.begin.line},
                fmt::format("the value that begins at line {} is longer than the limit of {} bytes; it is skipped",
                            unit_.begin.line, unit_limit()));
  unit_.refused = true;
  candidate_.reset();
}

void JsonFraming::refuse_deep(FrameWindow& window) {
  const Place begin = in_unit() ? unit_.begin : place_;
  if (unit_.kind == UnitKind::kColumns) table_state_ = TableState::kRefused;
  window.refuse(RefusalCause::kTooDeep, {begin.position, place_.position, begin.line},
                fmt::format("the value that begins at line {} is nested deeper than {} levels; it is skipped",
                            begin.line, kDepthLimit));
  unit_.refused = in_unit();
  candidate_.reset();
}

void JsonFraming::refuse_broken(FrameWindow& window, std::uint64_t end, const char* why) {
  after_break_ = true;
  if (unit_.kind == UnitKind::kColumns) table_state_ = TableState::kRefused;
  if (unit_.refused) return;
  const Place begin = in_unit() ? unit_.begin : place_;
  window.refuse(RefusalCause::kNotJson, {begin.position, end, begin.line},
                fmt::format("expected complete JSON from line {} on, found {} at line {}; skipped to the next place "
                            "where a record can begin",
                            begin.line, why, place_.line));
}

bool JsonFraming::restart_at_candidate(FrameWindow& window, const char* why) {
  if (!candidate_ || unit_.refused || !budget_.take(candidate_->position, place_.position)) return false;
  refuse_broken(window, candidate_->position, why);
  resume_after_unit(*candidate_);
  return true;
}

void JsonFraming::break_here(FrameWindow& window, const char* why) {
  if (restart_at_candidate(window, why)) return;
  refuse_broken(window, place_.position, why);
  resume_after_unit(place_);
}

void JsonFraming::break_and_skip(FrameWindow& window, const char* why) {
  if (restart_at_candidate(window, why)) return;
  refuse_broken(window, place_.position, why);
  broken_ = unit_;
  const bool unit_on_line = broken_.kind != UnitKind::kNone && broken_.begin.line == place_.line;
  const bool container_on_line = broken_.depth == 0 || container_line_ == place_.line;
  const bool skips_line = !in_unit() || (unit_on_line && container_on_line);
  unit_ = Unit{};
  candidate_.reset();
  in_string_ = false;
  fresh_ = false;
  state_ = skips_line ? State::kSkipLine : State::kResync;
}

// Goes on at `at`, which opens a line: among the elements where it stands in their column, else at the top.
void JsonFraming::resume_after_unit(const Place& at) {
  const bool in_column = in_unit() && at.position - at.line_begin == unit_.indent;
  resume_at(at, unit_.depth, in_column && unit_.depth > 0 && container_line_ != unit_.begin.line);
}

void JsonFraming::resume_at(const Place& at, std::size_t depth, bool in_container) {
  place_ = at;
  fresh_ = true;
  unit_ = Unit{};
  candidate_.reset();
  in_string_ = false;
  escaped_ = false;
  over_depth_ = 0;
  depth_ = in_container ? depth : 0;
  previous_ = ',';
  state_ = in_container ? State::kScan : State::kBetween;
}

void JsonFraming::end_input(FrameWindow& window) {
  if (state_ == State::kScan) {
    const char* const why = "the end of the input inside a value";
    if (restart_at_candidate(window, why)) return;
    refuse_broken(window, place_.position, why);
  }
  state_ = State::kEnded;
}

}  // namespace keyvigil
