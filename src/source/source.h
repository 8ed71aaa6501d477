// Source: where records come from, one input at a time, in the order in which the input holds them.
//
// A source finds records in bytes ("framing") and never looks inside them: decoding is event/decode.h, and may run
// on another thread than the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/decode.h"

namespace keyvigil {

enum class RecordForm : std::uint8_t { kJson, kRowJson, kRowCsv };

struct RawRecord {
  std::size_t offset = 0;  // into RawBatch::bytes
  std::size_t size = 0;
  std::uint64_t line = 0;  // 1-based
  std::uint64_t byte = 0;  // 0-based, in the decompressed input
};

// What the source itself had to refuse or skip: bytes in which no record could be found.
struct FramingRefusal {
  RefusalCause cause = RefusalCause::kUnknownForm;
  std::uint64_t line = 0;
  std::uint64_t byte = 0;
  std::string message;
  std::string sample;  // the first bytes of it, at most 256
};

// Records of one form, in input order, with kRecordPadding readable bytes after the last.
struct RawBatch {
  std::vector<char> bytes;
  std::vector<RawRecord> records;
  RecordForm form = RecordForm::kJson;
  std::optional<TableColumns> columns;  // for the row forms
  std::vector<FramingRefusal> refused;
  std::uint64_t blank_records = 0;  // blank lines, empty envelopes
  bool ends_in_array = false;       // the input ended inside an array of records: it was cut
  std::uint64_t input_bytes = 0;    // bytes of the input as stored (compressed) that this batch used up

  [[nodiscard]] std::string_view view(const RawRecord& record) const {
    return std::string_view(bytes.data() + record.offset, record.size);
  }
};

class Source {
 public:
  virtual ~Source() = default;
  // Fills `batch` (its buffers are reused); false: there will be no more. Damaged input is no error: it is in
  // batch.refused. An error means that the operating system could not read.
  [[nodiscard]] virtual Result<bool> next(RawBatch& batch) = 0;
};

}  // namespace keyvigil
