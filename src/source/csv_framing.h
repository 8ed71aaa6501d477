// CsvFraming: finds the rows in a CSV export, RFC 4180: quotes may hold commas, line ends and doubled quotes. The mark
// between cells and the line end are those of the header, and times may be in any locale's order.
//
// A row with a broken quote loses itself: reading goes on at the next line. No row longer than the limit is held.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "source/frame_window.h"

namespace keyvigil {

struct CsvDialect {
  char separator = ',';
  char line_end = '\n';  // a carriage return before it belongs to it; or a carriage return alone
};

// Settles the order of day and month over the whole table, however long it is. Nothing: the table does not tell.
using SettleDateOrder = std::function<Result<std::optional<DateOrder>>()>;

// Finds the end of one row; goes on where it stopped when more bytes are in hand.
class CsvRowEnd {
 public:
  enum class Outcome : std::uint8_t {
    kEnd,         // position() is the line end behind the row
    kNeedsBytes,  // everything in [begin, stop) belongs to the row
    kBroken,      // text behind a closing quote at position()
  };

  explicit CsvRowEnd(const CsvDialect& dialect) : dialect_(dialect) {}
  void begin(std::uint64_t position);
  [[nodiscard]] Outcome advance(const FrameWindow& window, std::uint64_t stop);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool in_quotes() const { return cell_ == Cell::kQuoted; }
  // Line ends inside the row, all of them within quotes, and the first of them (0: none).
  [[nodiscard]] std::uint64_t line_ends() const { return line_ends_; }
  [[nodiscard]] std::uint64_t first_line_end() const { return first_line_end_; }

 private:
  enum class Cell : std::uint8_t { kStart, kPlain, kQuoted, kQuote };

  CsvDialect dialect_;
  std::uint64_t position_ = 0;
  std::uint64_t line_ends_ = 0;
  std::uint64_t first_line_end_ = 0;
  Cell cell_ = Cell::kStart;
};

class CsvFraming {
 public:
  struct Head {
    std::uint64_t rows_begin = 0;  // behind the header row's line end, or the end of the input
    std::uint64_t line = 1;        // of it
    CsvDialect dialect;
    std::string header;  // without its line end
    TableColumns columns;
  };
  // `settle` may be empty where the columns have their date order.
  CsvFraming(Head head, std::size_t record_limit_bytes, SettleDateOrder settle);

  [[nodiscard]] Framing advance(FrameWindow& window);
  [[nodiscard]] std::uint64_t held_from() const { return skips_line_ ? row_end_.position() : row_begin_; }
  [[nodiscard]] std::uint64_t line() const { return line_; }

 private:
  [[nodiscard]] bool judge_times(FrameWindow& window, std::string_view row, const FrameSpan& span);
  [[nodiscard]] bool judge_text(FrameWindow& window, std::string_view cell, const FrameSpan& span);
  void begin_row(std::uint64_t position, std::uint64_t lines_passed);
  void take_row(FrameWindow& window, std::uint64_t end);
  void take_broken_row(FrameWindow& window, const char* why);
  void take_long_row(FrameWindow& window);
  // False: the line's end is not in hand yet.
  [[nodiscard]] bool skip_line(FrameWindow& window);

  std::uint64_t row_begin_;
  std::uint64_t line_;
  bool skips_line_ = false;
  bool ended_ = false;
  bool times_judged_ = false;
  CsvDialect dialect_;
  CsvRowEnd row_end_;
  RescanBudget budget_;
  std::string header_;
  SettleDateOrder settle_;
  FrameForm form_;
  std::size_t record_limit_bytes_;
};

}  // namespace keyvigil
