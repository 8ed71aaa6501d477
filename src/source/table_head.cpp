#include "source/table_head.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "event/csv.h"

namespace keyvigil {

namespace {

constexpr std::array kSeparators{',', ';', '\t', '|'};
constexpr int kLinesBeforeHeader = 2;

struct FirstLine {
  std::uint64_t end = 0;   // of its text
  std::uint64_t next = 0;  // begin of the next line, or the end of the text
  char line_end = '\n';
};

// The first line from `begin` on; nothing where its end is not in hand.
std::optional<FirstLine> first_line(const FrameWindow& window, std::uint64_t begin, std::uint64_t stop, bool complete) {
  const std::string_view text = window.text(begin, stop);
  const std::size_t found = text.find_first_of("\r\n");
  if (found == std::string_view::npos || (text[found] == '\r' && found + 1 == text.size())) {
    if (!complete || stop < window.end()) return std::nullopt;
    return FirstLine{begin + std::min(found, text.size()), stop, '\n'};
  }
  const bool pair = text[found] == '\r' && text[found + 1] == '\n';
  return FirstLine{begin + found, begin + found + (pair ? 2 : 1), pair ? '\n' : text[found]};
}

std::vector<std::string> cells_of(std::string_view row, char separator) {
  std::string scratch;
  std::vector<std::string_view> cells;
  if (!split_csv_row(row, scratch, cells, separator)) return {};
  return std::vector<std::string>(cells.begin(), cells.end());
}

// The mark in Excel's sep=; line. False: the line is none.
bool read_separator_line(std::string_view line, std::optional<char>& separator) {
  if (line.size() > 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
  constexpr std::string_view kName = "sep=";
  if (line.size() != kName.size() + 1 || !equal_without_case(line.substr(0, kName.size()), kName)) return false;
  separator = line.back();
  return true;
}

bool is_type_line(std::string_view line) {
  constexpr std::string_view kName = "#TYPE";
  return equal_without_case(line.substr(0, kName.size()), kName);
}

// TimeGenerated [Local Time], or any other zone than UTC: the same name with [UTC], and where it stands.
std::optional<std::size_t> find_zoned_name(std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t mark = names[i].find(" [");
    if (mark == std::string::npos || names[i].back() != ']') continue;
    const std::string utc = names[i].substr(0, mark) + " [UTC]";
    if (names[i] == utc || !TableColumns::resolve({utc}).time_column()) continue;
    names[i] = utc;
    return i;
  }
  return std::nullopt;
}

// Columns in which exports of Splunk and Elasticsearch hold what was sent to them.
std::optional<std::size_t> find_text_column(const std::vector<std::string>& names) {
  constexpr std::array<std::string_view, 6> kNames{"_raw", "event.original", "message", "rawdata", "body", "_source"};
  for (const std::string_view wanted : kNames) {
    const auto found = std::ranges::find_if(names, [&](const auto& name) { return equal_without_case(name, wanted); });
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  return std::nullopt;
}

void judge_names(TableHead& found) {
  found.head.columns = TableColumns::resolve(found.names);
  if (found.head.columns.is_audit_table()) {
    found.outcome = TableHead::Outcome::kTable;
    return;
  }
  if (const auto text = find_text_column(found.names); text && found.names.size() > 1) {
    found.head.columns.set_text_column(*text);
    found.outcome = TableHead::Outcome::kTable;
    return;
  }
  std::vector<std::string> in_utc = found.names;
  const std::optional<std::size_t> zoned = find_zoned_name(in_utc);
  if (!zoned || !TableColumns::resolve(in_utc).is_audit_table()) return;
  found.outcome = TableHead::Outcome::kLocalTime;
  found.time_name = found.names[*zoned];
}

}  // namespace

TableHead find_table_head(const FrameWindow& window, std::uint64_t position, std::uint64_t line, std::uint64_t stop,
                          bool complete) {
  TableHead found;
  std::optional<char> separator;
  std::optional<FirstLine> row = first_line(window, position, stop, complete);
  for (int i = 0; row && i < kLinesBeforeHeader; ++i) {
    const std::string_view text = window.text(position, row->end);
    if (!read_separator_line(text, separator) && !is_type_line(text)) break;
    position = row->next;
    ++line;
    row = first_line(window, position, stop, complete);
  }
  if (!row) {
    if (!complete) found.outcome = TableHead::Outcome::kNeedsBytes;
    return found;
  }
  found.head.header = window.text(position, row->end);
  found.head.rows_begin = row->next;
  found.head.line = line + 1;
  found.head.dialect.line_end = row->line_end;
  for (const char candidate : kSeparators) {
    const char mark = separator.value_or(candidate);
    std::vector<std::string> names = cells_of(found.head.header, mark);
    if (names.size() <= found.names.size()) continue;
    found.head.dialect.separator = mark;
    found.names = std::move(names);
    judge_names(found);
    if (found.outcome != TableHead::Outcome::kOther) break;
  }
  found.head.columns.set_separator(found.head.dialect.separator);
  return found;
}

}  // namespace keyvigil
