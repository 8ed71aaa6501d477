// The slow, obvious twin of the decoder: the same rules, written plainly over a whole parsed document.
//
// It judges the fast decoder: what the two say of the same record must be equal. Written from the facts about the log
// (docs and real records), never from the decoder. One table row is judged as the object {column: cell}.
// It shares with the decoder only base/ and the two tables (operations, first-party applications).
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "event/access_event.h"
#include "event/decode.h"

namespace keyvigil {

struct TwinAnswer {
  DecodeKind kind = DecodeKind::kRefused;
  RefusalCause refusal = RefusalCause::kNotJson;  // means something only where kind == kRefused
  SkipCause skip = SkipCause::kEmpty;             // means something only where kind == kSkipped
  AccessEvent event;                              // means something only where kind == kEvent
};

[[nodiscard]] TwinAnswer decode_by_twin(const nlohmann::json& record);

// Deepest nesting of arrays and objects in JSON text, counted without parsing it; brackets in strings do not count.
[[nodiscard]] std::size_t nesting_depth(std::string_view text);

// One row of a CSV file to cells, by the plainest state machine. False where a quote is damaged.
[[nodiscard]] bool split_csv_by_twin(std::string_view row, std::vector<std::string>& cells);

// All fields on lines of their own, for the message of a failed comparison.
[[nodiscard]] std::string describe(const AccessEvent& event);
[[nodiscard]] std::string describe(const TwinAnswer& answer);

// Empty where both say the same; else what differs. Causes of refusal are compared exactly.
[[nodiscard]] std::string difference(const TwinAnswer& expected, const TwinAnswer& got);

// A record in a heap block of exactly its size and the padding, so that a sanitizer sees every byte read too far.
// The padding is readable but arbitrary, as in a file where the next record follows.
class ExactBuffer {
 public:
  explicit ExactBuffer(std::string_view text, char padding = ' ')
      : size_(text.size()), bytes_(std::make_unique<char[]>(text.size() + kRecordPadding)) {
    if (!text.empty()) { std::memcpy(bytes_.get(), text.data(), text.size()); }
    std::memset(bytes_.get() + size_, padding, kRecordPadding);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

// In the header, so that programs without a decoder need none.
[[nodiscard]] inline TwinAnswer to_answer(const Decoded& decoded, AccessEvent event) {
  TwinAnswer answer;
  answer.kind = decoded.kind;
  answer.refusal = decoded.refusal;
  answer.skip = decoded.skip;
  answer.event = std::move(event);
  return answer;
}

[[nodiscard]] inline TwinAnswer decode_exactly(Decoder& decoder, std::string_view text, char padding = ' ') {
  const ExactBuffer buffer(text, padding);
  AccessEvent event;
  const Decoded decoded = decoder.decode_json(buffer.view(), event);
  return to_answer(decoded, std::move(event));
}

}  // namespace keyvigil
