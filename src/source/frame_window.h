// FrameWindow: the bytes in hand and the batch being filled from them; shared by the JSON and the CSV framing.
//
// Positions are absolute: 0-based bytes of the decompressed input. `bytes` holds [base, base + filled).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "source/source.h"

namespace keyvigil {

inline constexpr std::size_t kDefaultRecordLimitBytes = std::size_t{16} << 20;
inline constexpr std::size_t kSampleBytes = 256;

// Why a framing gave the control back.
enum class Framing : std::uint8_t { kNeedsBytes, kBatchEnds, kDone };

// What the records of one batch have in common. `table` 0: no table; else one number per table met.
struct FrameForm {
  RecordForm form = RecordForm::kJson;
  std::uint64_t table = 0;
  std::optional<TableColumns> columns;
};

struct FrameSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t line = 0;
};

class FrameWindow {
 public:
  std::vector<char> bytes;
  std::size_t filled = 0;
  std::uint64_t base = 0;
  bool ended = false;  // no bytes follow

  [[nodiscard]] std::uint64_t end() const { return base + filled; }
  // `position` may be end(), from where nothing may be read.
  [[nodiscard]] const char* at(std::uint64_t position) const {
    check_in_hand(position, position);
    return bytes.data() + (position - base);
  }
  [[nodiscard]] char byte(std::uint64_t position) const {
    check_in_hand(position, position + 1);
    return bytes[position - base];
  }
  [[nodiscard]] std::string_view text(std::uint64_t begin, std::uint64_t end) const {
    CHECK(base <= begin && begin <= end && end <= this->end());
    return std::string_view(bytes.data() + (begin - base), end - begin);
  }

  // The batch that the next records go to. A record that had to wait for it goes in first.
  void begin_batch(RawBatch& batch);

  // A record of another form than the batch's waits for the next batch: then full() holds.
  void emit(const FrameSpan& span, const FrameForm& form);
  void refuse(RefusalCause cause, const FrameSpan& span, std::string message);
  void refuse(FramingRefusal refusal) { batch_->refused.push_back(std::move(refusal)); }
  // A refusal that may be needed later, when its bytes are gone.
  [[nodiscard]] FramingRefusal refusal(RefusalCause cause, const FrameSpan& span, std::string message) const;
  void count_blank() { ++batch_->blank_records; }
  void note_cut_array() { batch_->ends_in_array = true; }

  // The framing must stop: a record waits, or as many refusals as one batch should carry.
  [[nodiscard]] bool full() const { return waiting_.has_value() || batch_->refused.size() >= kRefusalsPerBatch; }
  [[nodiscard]] std::uint64_t held_from(std::uint64_t framing_holds) const;

 private:
  // For each single byte in the instrumented builds only: the framings look at every one of them.
  void check_in_hand([[maybe_unused]] std::uint64_t begin, [[maybe_unused]] std::uint64_t end) const {
#ifdef _GLIBCXX_ASSERTIONS
    CHECK(base <= begin && end <= this->end());
#endif
  }

  struct Waiting {
    FrameSpan span;
    FrameForm form;
  };
  static constexpr std::size_t kRefusalsPerBatch = 1024;

  void append(const FrameSpan& span);

  RawBatch* batch_ = nullptr;
  std::uint64_t batch_table_ = 0;
  std::optional<Waiting> waiting_;
};

// The first bytes of a text for a sentence: what cannot be printed is escaped.
[[nodiscard]] std::string printable(std::string_view text);

// How many bytes may be read again after a broken value: as many as were read once, so that time stays linear.
class RescanBudget {
 public:
  [[nodiscard]] bool take(std::uint64_t from, std::uint64_t to) {
    if (used_ + (to - from) > to + kFreeBytes) return false;
    used_ += to - from;
    return true;
  }

 private:
  static constexpr std::uint64_t kFreeBytes = std::uint64_t{1} << 20;
  std::uint64_t used_ = 0;
};

}  // namespace keyvigil
