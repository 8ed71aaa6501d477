// ColumnTable: the rows of a list in CSV, by the names of their columns. The header may be a comment, as abuse.ch
// writes it, blanks may follow commas, and a quoted cell may hold line ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "intel/list_header.h"
#include "intel/text_lines.h"

namespace keyvigil {

class ColumnTable {
 public:
  // `key`: the column without which a row is no header. `text` must outlive the table.
  ColumnTable(std::string_view text, std::string_view key) : lines_(text), key_(key) {}

  // The next row under the header; false at the end.
  [[nodiscard]] bool next();
  // Of that row. False: its quotes do not fit, and its cells are empty.
  [[nodiscard]] bool is_readable() const { return readable_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view text() const { return row_; }
  // Trimmed; empty where there is no such column. Names: lower case, without " [UTC]" and blanks.
  [[nodiscard]] std::string_view cell(std::string_view column) const;

  [[nodiscard]] bool has_header() const { return !columns_.empty(); }
  // The first row where there is none, for the message.
  [[nodiscard]] const TextLine& misfit() const { return misfit_; }
  [[nodiscard]] const ListHeader& comments() const { return comments_; }
  // "# END 28 entries"
  [[nodiscard]] std::optional<std::uint64_t> promised_rows() const { return promised_; }

 private:
  [[nodiscard]] bool split(std::string_view row);
  [[nodiscard]] bool take_header(std::string_view row);
  void read_comment(std::string_view comment);
  [[nodiscard]] std::string_view with_continuation(std::string_view row);

  TextLines lines_;
  std::string key_;
  std::vector<std::string> columns_;
  std::vector<std::string_view> cells_;
  std::string plain_;    // the row without blanks behind commas
  std::string scratch_;  // unescaped cells
  std::string_view row_;
  std::uint64_t number_ = 0;
  bool readable_ = false;
  ListHeader comments_;
  std::optional<std::uint64_t> promised_;
  TextLine misfit_;
};

// Whether a line is a header in which these columns stand.
[[nodiscard]] bool has_columns(std::string_view line, std::initializer_list<std::string_view> columns);

}  // namespace keyvigil
