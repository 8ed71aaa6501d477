// Any bytes as a file: plain, compressed, zip or Avro. Nothing is read past an end, expansion is bounded, every record
// is decoded, and the size of batches changes nothing.
#include "base/check.h"
#include "estate/decode_pool.h"
#include "source/file_source.h"
#include "unit/source/framed.h"

namespace {

using namespace keyvigil;

Framed read_all(std::string_view bytes, std::size_t batch_bytes) {
  static Decoder decoder;
  static DecodedBatch decoded;
  FileSourceOptions options;
  options.batch_bytes = batch_bytes;
  options.record_limit_bytes = 4096;
  options.expansion.free_bytes = std::uint64_t{1} << 20;
  FileSource source = FileSource::of_bytes(bytes, "input", options);
  Framed framed;
  RawBatch batch;
  while (true) {
    const Result<bool> more = source.next(batch);
    if (!more || !*more) break;
    add_batch(batch, framed);
    decode_batch(batch, 0, true, decoder, decoded);
  }
  return framed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  // In a buffer of exactly this size.
  const std::vector<char> bytes(data, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  const Framed whole = read_all(text, std::size_t{64} << 10);
  const Framed cut = read_all(text, 61);
  CHECK(whole.records == cut.records);
  // Of an input of unknown form, what follows its beginning is not read, so damage in it may be met or not.
  const bool known = std::ranges::find(whole.causes, RefusalCause::kUnknownForm) == whole.causes.end();
  CHECK(!known || whole.causes == cut.causes);
  return 0;
}
