#include "intel/column_table.h"

#include <algorithm>

#include "base/ascii.h"
#include "event/csv.h"

namespace keyvigil {
namespace {

constexpr std::size_t kRowBytes = std::size_t{1} << 20;  // with the line ends inside its cells

std::string column_name(std::string_view cell) {
  constexpr std::string_view kZone = "[utc]";
  std::string name = lower_case(trim(cell));
  if (name.ends_with(kZone)) { name.resize(name.size() - kZone.size()); }
  std::erase(name, ' ');
  return name;
}

// A quoted cell begins right behind its comma in what the splitter reads.
void remove_blanks_behind_commas(std::string_view row, std::string& out) {
  out.clear();
  bool quoted = false;
  bool at_cell = true;
  for (const char c : row) {
    if (!quoted && at_cell && (c == ' ' || c == '\t')) { continue; }
    if (c == '"') { quoted = !quoted; }
    at_cell = !quoted && c == ',';
    out += c;
  }
}

std::vector<std::string> header_names(std::string_view line) {
  std::string plain;
  remove_blanks_behind_commas(line, plain);
  std::string scratch;
  std::vector<std::string_view> cells;
  std::vector<std::string> names;
  if (!split_csv_row(plain, scratch, cells)) { return names; }
  for (const std::string_view cell : cells) { names.push_back(column_name(cell)); }
  return names;
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool has_columns(std::string_view line, std::initializer_list<std::string_view> columns) {
  constexpr std::size_t kHeaderBytes = std::size_t{64} * 1024;
  if (line.size() > kHeaderBytes || line.find(',') == std::string_view::npos) { return false; }
  const std::vector<std::string> names = header_names(strip_comment_marks(line));
  return std::all_of(columns.begin(), columns.end(), [&](std::string_view column) { return has_name(names, column); });
}

void ColumnTable::read_comment(std::string_view comment) {
  const std::string_view remark = strip_comment_marks(comment);
  std::string_view rest = remark;
  if (take_word(rest) == "END") { promised_ = read_number<std::uint64_t>(take_word(rest)); }
  if (has_header()) { return; }
  if (!take_header(remark)) { comments_.read(comment); }
}

bool ColumnTable::take_header(std::string_view row) {
  std::vector<std::string> names = header_names(row);
  if (!has_name(names, key_)) { return false; }
  columns_ = std::move(names);
  return true;
}

// Up to the line on which the quotes are closed.
std::string_view ColumnTable::with_continuation(std::string_view row) {
  const auto quotes = [](std::string_view text) { return std::count(text.begin(), text.end(), '"'); };
  auto open = quotes(row) % 2;
  TextLine line;
  while (open != 0 && row.size() < kRowBytes && lines_.next(line)) {
    if (line.text.empty()) { continue; }  // a blank line has no place in memory
    open = (open + quotes(line.text)) % 2;
    row = std::string_view(row.data(), static_cast<std::size_t>(line.text.data() + line.text.size() - row.data()));
  }
  return row;
}

bool ColumnTable::split(std::string_view row) {
  remove_blanks_behind_commas(row, plain_);
  if (split_csv_row(plain_, scratch_, cells_)) { return true; }
  cells_.clear();
  return false;
}

bool ColumnTable::next() {
  TextLine line;
  while (lines_.next(line)) {
    if (line.text.empty()) { continue; }
    if (is_comment(line.text)) {
      read_comment(line.text);
      continue;
    }
    if (!has_header()) {
      if (take_header(line.text)) { continue; }
      misfit_ = line;
      return false;
    }
    number_ = line.number;
    row_ = with_continuation(line.text);
    readable_ = split(row_);
    return true;
  }
  return false;
}

std::string_view ColumnTable::cell(std::string_view column) const {
  const auto at = std::find(columns_.begin(), columns_.end(), column);
  const auto place = static_cast<std::size_t>(at - columns_.begin());
  return at == columns_.end() || place >= cells_.size() ? std::string_view{} : trim(cells_[place]);
}

}  // namespace keyvigil
