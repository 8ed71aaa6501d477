// Framer: bytes of one input to batches of records. The form is found from the bytes, never from a file's name.
//
// Text in UTF-16 is read as if it were UTF-8, and places count its bytes as UTF-8.
// One thread. The bytes are read straight into the batch's buffer; nothing is held but the batch and one record.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "source/csv_framing.h"
#include "source/frame_window.h"
#include "source/json_framing.h"
#include "source/utf8_reader.h"

namespace keyvigil {

// Raw records and the events made of them should fit a core's second-level cache together.
inline constexpr std::size_t kDefaultBatchBytes = std::size_t{64} << 10;

struct FramingOptions {
  std::size_t batch_bytes = kDefaultBatchBytes;
  std::size_t record_limit_bytes = kDefaultRecordLimitBytes;
  // Of a CSV table whose times can be read both ways: known beforehand, or found out when it is met.
  std::optional<DateOrder> date_order;
  SettleDateOrder settle_date_order;
};

class Framer {
 public:
  // `line` and `byte` are the place of the first byte that `read` gives.
  Framer(ReadBytes read, const FramingOptions& options, std::uint64_t line = 1, std::uint64_t byte = 0);

  // As Source::next.
  [[nodiscard]] Result<bool> next(RawBatch& batch);

  // The line that the next byte belongs to.
  [[nodiscard]] std::uint64_t line() const;
  // Decompressed bytes taken in so far.
  [[nodiscard]] std::uint64_t position() const { return window_.end(); }

 private:
  enum class Form : std::uint8_t { kUnclear, kJson, kCsv, kRefused };

  [[nodiscard]] Framing advance();
  [[nodiscard]] Framing find_form();
  [[nodiscard]] std::optional<char> find_first_byte();
  [[nodiscard]] Framing find_form_of_text();
  [[nodiscard]] Framing refuse_input(std::string expected_and_found);
  [[nodiscard]] Result<void> read_more(bool holds_records);
  void make_room(bool holds_records);
  void hand_over(RawBatch& batch);
  [[nodiscard]] std::uint64_t held_from() const;

  Utf8Reader text_;
  FramingOptions options_;
  FrameWindow window_;
  Form form_ = Form::kUnclear;
  bool byte_order_mark_checked_ = false;
  JsonFraming::Place place_;  // while the form is unclear
  std::optional<JsonFraming> json_;
  std::optional<CsvFraming> csv_;
};

// The records inside one value that the decoder called an envelope; `line` and `byte` are that value's place.
// Splits one level: an envelope inside an envelope comes out whole. Batches own their bytes.
[[nodiscard]] std::vector<RawBatch> split_envelope(std::string_view value, std::uint64_t line, std::uint64_t byte,
                                                   std::size_t record_limit_bytes = kDefaultRecordLimitBytes);

}  // namespace keyvigil
