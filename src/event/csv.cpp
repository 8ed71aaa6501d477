#include "event/csv.h"

#include <algorithm>

namespace keyvigil {

namespace {

// The position behind the quoted cell that begins at `at`, or npos where its quote is not closed.
std::size_t end_of_quoted(std::string_view row, std::size_t at, bool& has_doubled_quotes) {
  std::size_t quote = row.find('"', at + 1);
  while (quote != std::string_view::npos && quote + 1 < row.size() && row[quote + 1] == '"') {
    has_doubled_quotes = true;
    quote = row.find('"', quote + 2);
  }
  return quote == std::string_view::npos ? quote : quote + 1;
}

// Appends `text` with its doubled quotes made single; the view points into `scratch`.
std::string_view unescape(std::string_view text, std::string& scratch) {
  const std::size_t begin = scratch.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    scratch += text[at];
    if (text[at] == '"') ++at;
  }
  return std::string_view(scratch).substr(begin);
}

}  // namespace

bool split_csv_row(std::string_view row, std::string& scratch, std::vector<std::string_view>& cells, char separator) {
  cells.clear();
  scratch.clear();
  scratch.reserve(row.size());  // what is unescaped is shorter than the row: the views stay good
  std::size_t at = 0;
  while (true) {
    if (at < row.size() && row[at] == '"') {
      bool has_doubled_quotes = false;
      const std::size_t end = end_of_quoted(row, at, has_doubled_quotes);
      if (end == std::string_view::npos) return false;
      const std::string_view text = row.substr(at + 1, end - at - 2);
      cells.push_back(has_doubled_quotes ? unescape(text, scratch) : text);
      at = end;
      if (at < row.size() && row[at] != separator) return false;
    } else {
      const std::size_t end = std::min(row.find(separator, at), row.size());
      cells.push_back(row.substr(at, end - at));
      at = end;
    }
    if (at == row.size()) return true;
    ++at;
  }
}

}  // namespace keyvigil
