// Any bytes, any cuts: records lie in their batch, none is longer than the limit, cuts change nothing, and every reader
// behind the framer takes each record from a buffer of exactly its size.
#include "base/check.h"
#include "estate/decode_pool.h"
#include "source/collector_text.h"
#include "unit/source/framed.h"

namespace {

using namespace keyvigil;

// One record alone: what stands behind it, but for the padding that was promised, is not ours to read.
RawBatch alone(const RawBatch& batch, const RawRecord& record) {
  RawBatch one;
  const std::string_view text = batch.view(record);
  one.bytes.assign(text.begin(), text.end());
  one.bytes.resize(text.size() + kRecordPadding, '}');
  one.bytes.shrink_to_fit();
  one.records.push_back({0, record.size, record.line, record.byte});
  one.form = batch.form;
  one.columns = batch.columns;
  return one;
}

void read_each(std::string_view text, const FramingOptions& options) {
  static Decoder decoder;
  static DecodedBatch decoded;
  std::size_t taken = 0;
  Framer framer(
      [&](char* to, std::size_t room) -> Result<std::size_t> {
        const std::size_t size = text.copy(to, room, taken);
        taken += size;
        return size;
      },
      options);
  RawBatch batch;
  for (Result<bool> more = framer.next(batch); more && *more; more = framer.next(batch)) {
    for (const RawRecord& record : batch.records) {
      decode_batch(alone(batch, record), 0, true, decoder, decoded);
      (void)text_inside(batch.view(record));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  FramingOptions options;
  options.record_limit_bytes = std::size_t{1} + data[0] * std::size_t{4};
  options.batch_bytes = 4096;
  options.settle_date_order = []() -> Result<std::optional<DateOrder>> { return DateOrder::kDayFirst; };
  const Framed whole = frame(text, options);
  options.batch_bytes = std::size_t{1} + data[1];
  const Framed cut = frame(text, options, {data[1] % 7U, 1, data[0] % 11U});
  CHECK(whole == cut);
  // Of UTF-16 the places count the bytes as UTF-8.
  const bool wide = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
                    text.substr(0, 2).find('\0') != std::string_view::npos;
  for (const FramedRecord& record : whole.records) {
    CHECK(record.text.size() <= options.record_limit_bytes);
    CHECK(wide || text.substr(record.byte, record.text.size()) == record.text);
  }
  read_each(text, options);
  return 0;
}
