#include "source/csv_framing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace keyvigil {

void CsvRowEnd::begin(std::uint64_t position) {
  *this = CsvRowEnd{};
  position_ = position;
}

CsvRowEnd::Outcome CsvRowEnd::advance(const FrameWindow& window, std::uint64_t stop) {
  while (position_ < stop) {
    const char byte = *window.at(position_);
    switch (cell_) {
      case Cell::kStart:
        if (byte == '\n') return Outcome::kEnd;
        if (byte != ',') cell_ = byte == '"' ? Cell::kQuoted : Cell::kPlain;
        break;
      case Cell::kPlain:
        if (byte == '\n') return Outcome::kEnd;
        if (byte == ',') cell_ = Cell::kStart;
        break;
      case Cell::kQuoted:
        if (byte == '"') cell_ = Cell::kQuote;
        if (byte == '\n') {
          if (line_ends_ == 0) first_line_end_ = position_;
          ++line_ends_;
        }
        break;
      case Cell::kQuote:
        if (byte == '\n') return Outcome::kEnd;
        if (byte == '"') {
          cell_ = Cell::kQuoted;
        } else if (byte == ',') {
          cell_ = Cell::kStart;
        } else if (byte != '\r') {
          return Outcome::kBroken;
        }
        break;
    }
    ++position_;
  }
  return Outcome::kNeedsBytes;
}

CsvFraming::CsvFraming(std::uint64_t position, std::uint64_t line, std::string header, TableColumns columns,
                       std::size_t record_limit_bytes)
    : row_begin_(position),
      line_(line),
      header_(std::move(header)),
      form_{RecordForm::kRowCsv, 1, std::move(columns)},
      record_limit_bytes_(record_limit_bytes) {
  row_end_.begin(position);
}

Framing CsvFraming::advance(FrameWindow& window) {
  while (!window.full()) {
    if (ended_) return Framing::kDone;
    if (skips_line_) {
      if (!skip_line(window)) return Framing::kNeedsBytes;
      continue;
    }
    const std::uint64_t stop = std::min(window.end(), row_begin_ + record_limit_bytes_ + 1);
    const CsvRowEnd::Outcome outcome = row_end_.advance(window, stop);
    if (outcome == CsvRowEnd::Outcome::kEnd) {
      take_row(window, row_end_.position());
      begin_row(row_end_.position() + 1, row_end_.line_ends() + 1);
    } else if (outcome == CsvRowEnd::Outcome::kBroken) {
      take_broken_row(window, "text behind a closing quote");
    } else if (stop == row_begin_ + record_limit_bytes_ + 1) {
      take_long_row(window);
    } else if (!window.ended) {
      return Framing::kNeedsBytes;
    } else if (row_end_.in_quotes()) {
      take_broken_row(window, "no closing quote");
    } else {
      if (row_begin_ < window.end()) take_row(window, window.end());
      ended_ = true;
    }
  }
  return Framing::kBatchEnds;
}

void CsvFraming::begin_row(std::uint64_t position, std::uint64_t lines_passed) {
  row_begin_ = position;
  line_ += lines_passed;
  row_end_.begin(position);
}

void CsvFraming::take_row(FrameWindow& window, std::uint64_t end) {
  if (end > row_begin_ && *window.at(end - 1) == '\r') --end;
  const std::string_view row = window.text(row_begin_, end);
  // Exports joined with `cat` carry their header again.
  if (row.find_first_not_of(" \t") == std::string_view::npos || row == header_) return window.count_blank();
  window.emit({row_begin_, end, line_}, form_);
}

// The quote was most likely never closed, so the line ends behind it are row ends.
void CsvFraming::take_broken_row(FrameWindow& window, const char* why) {
  const bool many_lines = row_end_.line_ends() > 0;
  const std::uint64_t end = many_lines ? row_end_.first_line_end() : row_end_.position();
  window.refuse(RefusalCause::kBadTable, {row_begin_, end, line_},
                fmt::format("expected a CSV row at line {}, found {} at line {}; skipped to the next line", line_, why,
                            line_ + row_end_.line_ends()));
  if (many_lines && budget_.take(end, row_end_.position())) return begin_row(end + 1, 1);
  line_ += row_end_.line_ends();
  skips_line_ = true;
}

void CsvFraming::take_long_row(FrameWindow& window) {
  if (row_end_.line_ends() > 0) return take_broken_row(window, "no closing quote within the record limit");
  window.refuse(RefusalCause::kTooLong,
                {row_begin_, row_begin_ + std::min<std::uint64_t>(record_limit_bytes_, kSampleBytes), line_},
                fmt::format("line {} is longer than the record limit of {} bytes; skipped to its end", line_,
                            record_limit_bytes_));
  skips_line_ = true;
}

bool CsvFraming::skip_line(FrameWindow& window) {
  const std::uint64_t from = row_end_.position();
  const std::size_t size = window.end() - from;
  const void* found = size == 0 ? nullptr : std::memchr(window.at(from), '\n', size);
  if (found == nullptr) {
    row_end_.begin(window.end());
    ended_ = window.ended;
    return ended_;
  }
  skips_line_ = false;
  begin_row(window.base + static_cast<std::uint64_t>(static_cast<const char*>(found) - window.bytes.data()) + 1, 1);
  return true;
}

}  // namespace keyvigil
