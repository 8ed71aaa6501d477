// CsvFraming: finds the rows in a CSV export, RFC 4180: quotes may hold commas, line ends and doubled quotes.
//
// A row with a broken quote loses itself: reading goes on at the next line. No row longer than the limit is held.
#pragma once

#include <cstdint>
#include <string>

#include "source/frame_window.h"

namespace keyvigil {

// Finds the end of one row; goes on where it stopped when more bytes are in hand.
class CsvRowEnd {
 public:
  enum class Outcome : std::uint8_t {
    kEnd,         // position() is the line end behind the row
    kNeedsBytes,  // everything in [begin, stop) belongs to the row
    kBroken,      // text behind a closing quote at position()
  };

  void begin(std::uint64_t position);
  [[nodiscard]] Outcome advance(const FrameWindow& window, std::uint64_t stop);

  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool in_quotes() const { return cell_ == Cell::kQuoted; }
  // Line ends inside the row, all of them within quotes, and the first of them (0: none).
  [[nodiscard]] std::uint64_t line_ends() const { return line_ends_; }
  [[nodiscard]] std::uint64_t first_line_end() const { return first_line_end_; }

 private:
  enum class Cell : std::uint8_t { kStart, kPlain, kQuoted, kQuote };

  std::uint64_t position_ = 0;
  std::uint64_t line_ends_ = 0;
  std::uint64_t first_line_end_ = 0;
  Cell cell_ = Cell::kStart;
};

class CsvFraming {
 public:
  // Starts on the first byte behind the header row's line end. `header` without its line end.
  CsvFraming(std::uint64_t position, std::uint64_t line, std::string header, TableColumns columns,
             std::size_t record_limit_bytes);

  [[nodiscard]] Framing advance(FrameWindow& window);
  [[nodiscard]] std::uint64_t held_from() const { return skips_line_ ? row_end_.position() : row_begin_; }
  [[nodiscard]] std::uint64_t line() const { return line_; }

 private:
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
  CsvRowEnd row_end_;
  RescanBudget budget_;
  std::string header_;
  FrameForm form_;
  std::size_t record_limit_bytes_;
};

}  // namespace keyvigil
