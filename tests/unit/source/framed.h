// What a framer finds in a text, as plain values that tests can compare.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "source/framer.h"

namespace keyvigil {

struct FramedRecord {
  std::string text;
  std::uint64_t line = 0;
  std::uint64_t byte = 0;
  RecordForm form = RecordForm::kJson;
  friend bool operator==(const FramedRecord&, const FramedRecord&) = default;
};

struct Framed {
  std::vector<FramedRecord> records;
  std::vector<std::string> refused;  // cause, place, message and sample
  std::vector<RefusalCause> causes;
  std::vector<std::uint64_t> refused_lines;
  std::uint64_t blank_records = 0;
  std::size_t largest_batch_bytes = 0;

  friend bool operator==(const Framed& left, const Framed& right) {
    return left.records == right.records && left.refused == right.refused && left.blank_records == right.blank_records;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const FramedRecord& record : records) out.push_back(record.text);
    return out;
  }
};

inline void add_batch(const RawBatch& batch, Framed& framed) {
  for (const RawRecord& record : batch.records) {
    CHECK(record.offset + record.size + kRecordPadding <= batch.bytes.size());
    CHECK((batch.form == RecordForm::kJson) != batch.columns.has_value());
    framed.records.push_back({std::string(batch.view(record)), record.line, record.byte, batch.form});
  }
  for (const FramingRefusal& refusal : batch.refused) {
    framed.refused.push_back(std::to_string(static_cast<int>(refusal.cause)) + "@" + std::to_string(refusal.line) +
                             ":" + std::to_string(refusal.byte) + " " + refusal.message + " <" + refusal.sample + ">");
    framed.causes.push_back(refusal.cause);
    framed.refused_lines.push_back(refusal.line);
  }
  framed.blank_records += batch.blank_records;
  framed.largest_batch_bytes = std::max(framed.largest_batch_bytes, batch.bytes.size());
}

// `cuts`: sizes of the successive reads, used again and again; empty: as much as there is room for.
inline Framed frame(std::string_view text, const FramingOptions& options = {},
                    const std::vector<std::size_t>& cuts = {}) {
  std::size_t taken = 0;
  std::size_t reads = 0;
  const auto read = [&](char* to, std::size_t room) -> Result<std::size_t> {
    std::size_t size = std::min(room, text.size() - taken);
    if (!cuts.empty()) size = std::min(size, std::max<std::size_t>(cuts[reads++ % cuts.size()], 1));
    if (size > 0) std::memcpy(to, text.data() + taken, size);
    taken += size;
    return size;
  };
  Framer framer(read, options);
  Framed framed;
  RawBatch batch;
  for (Result<bool> more = framer.next(batch); more && *more; more = framer.next(batch)) add_batch(batch, framed);
  return framed;
}

}  // namespace keyvigil
