// Any bytes, any cuts: records lie in their batch, none is longer than the limit, and cuts change nothing.
#include "base/check.h"
#include "unit/source/framed.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace keyvigil;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  FramingOptions options;
  options.record_limit_bytes = std::size_t{1} + data[0] * std::size_t{4};
  options.batch_bytes = 4096;
  const Framed whole = frame(text, options);
  options.batch_bytes = std::size_t{1} + data[1];
  const Framed cut = frame(text, options, {data[1] % 7U, 1, data[0] % 11U});
  CHECK(whole == cut);
  for (const FramedRecord& record : whole.records) {
    CHECK(record.text.size() <= options.record_limit_bytes);
    CHECK(text.substr(record.byte, record.text.size()) == record.text);
  }
  return 0;
}
