#include "source/csv_framing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "event/csv.h"

namespace keyvigil {

void CsvRowEnd::begin(std::uint64_t position) {
  *this = CsvRowEnd{dialect_};
  position_ = position;
}

CsvRowEnd::Outcome CsvRowEnd::advance(const FrameWindow& window, std::uint64_t stop) {
  while (position_ < stop) {
    const char byte = window.byte(position_);
    switch (cell_) {
      case Cell::kStart:
        if (byte == dialect_.line_end) return Outcome::kEnd;
        if (byte != dialect_.separator) cell_ = byte == '"' ? Cell::kQuoted : Cell::kPlain;
        break;
      case Cell::kPlain:
        if (byte == dialect_.line_end) return Outcome::kEnd;
        if (byte == dialect_.separator) cell_ = Cell::kStart;
        break;
      case Cell::kQuoted:
        if (byte == '"') cell_ = Cell::kQuote;
        if (byte == dialect_.line_end) {
          if (line_ends_ == 0) first_line_end_ = position_;
          ++line_ends_;
        }
        break;
      case Cell::kQuote:
        if (byte == dialect_.line_end) return Outcome::kEnd;
        if (byte == '"') {
          cell_ = Cell::kQuoted;
        } else if (byte == dialect_.separator) {
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

CsvFraming::CsvFraming(Head head, std::size_t record_limit_bytes, SettleDateOrder settle)
    : row_begin_(head.rows_begin),
      line_(head.line),
      dialect_(head.dialect),
      row_end_(head.dialect),
      header_(std::move(head.header)),
      settle_(std::move(settle)),
      form_{RecordForm::kRowCsv, 1, std::move(head.columns)},
      record_limit_bytes_(record_limit_bytes) {
  row_end_.begin(row_begin_);
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
      if (!ended_) begin_row(row_end_.position() + 1, row_end_.line_ends() + 1);
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
  if (end > row_begin_ && window.byte(end - 1) == '\r') --end;
  const std::string_view row = window.text(row_begin_, end);
  // Exports joined with `cat` carry their header again.
  if (row.find_first_not_of(" \t\r\n") == std::string_view::npos || row == header_) return window.count_blank();
  const FrameSpan span{row_begin_, end, line_};
  if (!times_judged_ && !judge_times(window, row, span)) return;
  window.emit(span, form_);
}

// The first row that has a time tells how times are written. False: the table had to be refused.
bool CsvFraming::judge_times(FrameWindow& window, std::string_view row, const FrameSpan& span) {
  TableColumns& columns = *form_.columns;
  std::string scratch;
  std::vector<std::string_view> cells;
  const bool complete = split_csv_row(row, scratch, cells, columns.separator()) && cells.size() == columns.size();
  if (complete && columns.text_column()) return judge_text(window, cells[*columns.text_column()], span);
  if (!complete || !columns.time_column() || cells[*columns.time_column()].empty()) return true;
  const std::string time(cells[*columns.time_column()]);
  times_judged_ = true;
  const std::optional<LocaleTime> written = read_locale_time(time);
  if (columns.date_order() || !written) return true;
  DateOrderEvidence evidence;
  evidence.add(*written);
  std::optional<DateOrder> order;
  std::string failure;
  if (evidence.is_settled() || written->year_first) {
    order = evidence.order();
  } else if (settle_) {
    const Result<std::optional<DateOrder>> settled = settle_();
    if (settled) order = *settled;
    if (!settled) failure = fmt::format(" (the table could not be read twice: {})", settled.error().message);
  }
  if (order) {
    columns.set_date_order(*order);
    return true;
  }
  window.refuse(
      RefusalCause::kUnknownForm, span,
      fmt::format("expected times whose order of day and month is clear, found only such as \"{}\" at line {}, which "
                  "can be read both ways, in the table (at most 1 GiB of it was looked at){}; export again with the "
                  "portal's language set to "
                  "English (United States), or with `az monitor log-analytics query`, which writes ISO times",
                  printable(time), line_, failure));
  ended_ = true;
  return false;
}

// Whether the texts of a collector's table are JSON; empty ones tell nothing.
bool CsvFraming::judge_text(FrameWindow& window, std::string_view cell, const FrameSpan& span) {
  const std::size_t first = cell.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return true;
  times_judged_ = true;
  if (cell[first] == '{' || cell[first] == '[') return true;
  window.refuse(
      RefusalCause::kUnknownForm, span,
      fmt::format("expected a table of AzureDiagnostics or AZKVAuditLogs, or a collector's table with records "
                  "as JSON text, found text such as \"{}\" in its column at line {}",
                  printable(cell), line_));
  ended_ = true;
  return false;
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
  const void* found = size == 0 ? nullptr : std::memchr(window.at(from), dialect_.line_end, size);
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
