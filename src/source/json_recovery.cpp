// JsonFraming: what becomes of values that are broken, too long or too deep, and where reading goes on.
#include <algorithm>

#include <fmt/format.h>

#include "source/json_bytes.h"
#include "source/json_framing.h"

namespace keyvigil {

namespace {

constexpr const char* kRawLineEnd = "a line end inside a string";

}  // namespace

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

void JsonFraming::refuse_long(FrameWindow& window) {
  const bool columns = unit_.kind == UnitKind::kColumns;
  if (columns) tables_.give_up_columns();
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
  if (unit_.kind == UnitKind::kColumns) tables_.give_up_columns();
  window.refuse(RefusalCause::kTooDeep, {begin.position, place_.position, begin.line},
                fmt::format("the value that begins at line {} is nested deeper than {} levels; it is skipped",
                            begin.line, kDepthLimit));
  unit_.refused = in_unit();
  candidate_.reset();
}

void JsonFraming::refuse_broken(FrameWindow& window, std::uint64_t end, const char* why) {
  after_break_ = true;
  if (unit_.kind == UnitKind::kColumns) tables_.give_up_columns();
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
  if (raw_line_end_) return take_back(window);
  if (restart_at_candidate(window, why)) return;
  refuse_broken(window, place_.position, why);
  resume_after_unit(place_);
}

void JsonFraming::break_and_skip(FrameWindow& window, const char* why) {
  if (raw_line_end_) return take_back(window);
  if (restart_at_candidate(window, why)) return;
  refuse_broken(window, place_.position, why);
  broken_ = unit_;
  const bool unit_on_line = broken_.kind != UnitKind::kNone && broken_.begin.line == place_.line;
  const bool container_on_line = broken_.depth == 0 || container_line_ == place_.line;
  const bool skips_line = !in_unit() || (unit_on_line && container_on_line);
  drop_unit();
  in_string_ = false;
  fresh_ = false;
  state_ = skips_line ? State::kSkipLine : State::kResync;
}

// A line end inside a string: either a writer that does not escape it, and the value goes on, or a line that was cut.
// What follows tells: a string ends before a comma, a colon or a bracket, and the value's brackets close.
void JsonFraming::meet_raw_line_end(FrameWindow& window) {
  if (!raw_line_end_) {
    if (restart_at_candidate(window, kRawLineEnd)) return;
    if (!in_unit() || unit_.refused) return break_and_skip(window, kRawLineEnd);
    raw_line_end_ = place_;
  }
  new_line();
  fresh_ = false;
  escaped_ = false;
}

// It was a line that had been cut: goes back to where it ends.
void JsonFraming::take_back(FrameWindow& window) {
  const Place line_end = *raw_line_end_;
  raw_line_end_.reset();
  string_ended_ = false;
  candidate_.reset();
  if (budget_.take(line_end.position, place_.position)) place_ = line_end;
  break_and_skip(window, kRawLineEnd);
}

void JsonFraming::refuse_raw_line_end(FrameWindow& window, const FrameSpan& span) {
  if (unit_.kind == UnitKind::kColumns) tables_.give_up_columns();
  window.refuse(RefusalCause::kNotJson, span,
                fmt::format("expected line ends inside strings to be escaped, found one as it is at line {}; the value "
                            "from line {} to line {} is skipped",
                            raw_line_end_->line, span.line, place_.line));
}

// Goes on at `at`, which opens a line: among the elements where it stands in their column, else at the top.
void JsonFraming::resume_after_unit(const Place& at) {
  const bool in_column = in_unit() && at.position - at.line_begin == unit_.indent;
  resume_at(at, unit_.depth, in_column && unit_.depth > 0 && container_line_ != unit_.begin.line);
}

void JsonFraming::resume_at(const Place& at, std::size_t depth, bool in_container) {
  place_ = at;
  fresh_ = true;
  drop_unit();
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
    if (depth_ > 0 && roles_[1] != Role::kTopObject) { window.note_cut_array(); }
    if (raw_line_end_) return take_back(window);
    if (restart_at_candidate(window, why)) return;
    refuse_broken(window, place_.position, why);
  }
  tables_.end_answer(window);
  state_ = State::kEnded;
}

}  // namespace keyvigil
