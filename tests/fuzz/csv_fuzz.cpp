// Any row: the cells are views into the row or the scratch space, and a row that splits can be joined again.
#include "base/check.h"
#include "event/csv.h"
#include "unit/source/framed.h"

namespace {

std::string quoted(std::string_view cell) {
  std::string out = "\"";
  for (const char byte : cell) out += byte == '"' ? std::string("\"\"") : std::string(1, byte);
  return out + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace keyvigil;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string scratch;
  std::vector<std::string_view> cells;
  if (split_csv_row(text, scratch, cells)) {
    std::string joined;
    for (std::size_t i = 0; i < cells.size(); ++i) joined += (i == 0 ? "" : ",") + quoted(cells[i]);
    std::string again_scratch;
    std::vector<std::string_view> again;
    CHECK(split_csv_row(joined, again_scratch, again));
    CHECK(cells == again);
  }
  const std::string table = "TimeGenerated,OperationName\n" + std::string(text);
  FramingOptions options;
  options.record_limit_bytes = 64;
  options.batch_bytes = 4096;
  const Framed whole = frame(table, options);
  options.batch_bytes = 5;
  CHECK(whole == frame(table, options, {3, 1}));
  return 0;
}
