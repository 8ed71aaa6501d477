// Any row: the cells are views into the row or the scratch space, and a row that splits can be joined again. Any table
// of any dialect: cuts change nothing. Any text as a time of some locale.
#include "base/check.h"
#include "base/locale_time.h"
#include "event/csv.h"
#include "unit/source/framed.h"

namespace {

using namespace keyvigil;

std::string quoted(std::string_view cell) {
  std::string out = "\"";
  for (const char byte : cell) out += byte == '"' ? std::string("\"\"") : std::string(1, byte);
  return out + "\"";
}

void split(std::string_view text, char separator) {
  std::string scratch;
  std::vector<std::string_view> cells;
  if (!split_csv_row(text, scratch, cells, separator)) return;
  std::string joined;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    joined += (i == 0 ? std::string() : std::string(1, separator)) + quoted(cells[i]);
  }
  std::string again_scratch;
  std::vector<std::string_view> again;
  CHECK(split_csv_row(joined, again_scratch, again, separator));
  CHECK(cells == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const char separator = ",;\t|"[data[0] % 4U];
  const std::string_view line_end = std::array<std::string_view, 3>{"\n", "\r", "\r\n"}[data[0] / 4U % 3U];
  split(text, separator);
  if (const auto time = read_locale_time(text)) {
    for (const DateOrder order : {DateOrder::kMonthFirst, DateOrder::kDayFirst}) (void)to_event_time(*time, order);
  }
  std::string table = "TimeGenerated";
  table += separator;
  table += "OperationName";
  table += line_end;
  table += text;
  FramingOptions options;
  options.record_limit_bytes = 64;
  options.batch_bytes = 4096;
  const Framed whole = frame(table, options);
  options.batch_bytes = 5;
  CHECK(whole == frame(table, options, {3, 1}));
  return 0;
}
