// Any bytes as one JSON record, and as one row of a table: nothing throws, and what nlohmann accepts is read as the
// twin reads it. Differences of shape that the twin does not model (a number where text belongs) are left out.
#include <cstdio>

// The reference is not a library: fuzz programs are built without the tests.
#include "reference/decoder_twin.cpp"

namespace {

using namespace keyvigil;

void judge_record(Decoder& decoder, std::string_view text) {
  const TwinAnswer got = decode_exactly(decoder, text, '}');
  const bool marked = text.size() >= 3 && text.substr(0, 3) == "\xEF\xBB\xBF";
  const bool limited = got.kind == DecodeKind::kRefused &&
                       (got.refusal == RefusalCause::kTooDeep || got.refusal == RefusalCause::kTooLong);
  if (marked || limited || nesting_depth(text) > 64) { return; }
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_discarded()) { return; }
  const std::string differs = difference(decode_by_twin(parsed), got);
  if (differs.empty()) { return; }
  std::fprintf(stderr, "%.*s\n%s", static_cast<int>(text.size()), text.data(), differs.c_str());
  std::abort();
}

void judge_rows(Decoder& decoder, std::string_view text) {
  static const TableColumns columns = TableColumns::resolve(
      {"TimeGenerated [UTC]", "OperationName", "ResourceId", "httpStatusCode_d", "identity_claim_oid_g", "Identity"});
  const ExactBuffer buffer(text);
  AccessEvent event;
  (void)decoder.decode_row_json(buffer.view(), columns, event);
  (void)decoder.decode_row_csv(text, columns, event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decoder decoder;
  const std::string text(data, data + size);
  judge_record(decoder, text);
  judge_rows(decoder, text);
  return 0;
}
