#include "source/frame_window.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace keyvigil {

std::string printable(std::string_view text) {
  std::string out;
  for (const char byte : text.substr(0, 40)) {
    const bool plain = byte >= ' ' && byte <= '~';
    out += plain ? std::string(1, byte) : fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

void FrameWindow::begin_batch(RawBatch& batch) {
  batch_ = &batch;
  batch.records.clear();
  batch.refused.clear();
  batch.form = RecordForm::kJson;
  batch.columns.reset();
  batch.blank_records = 0;
  batch.ends_in_array = false;
  batch.input_bytes = 0;
  batch_table_ = 0;
  if (!waiting_) return;
  const Waiting waiting = std::move(*waiting_);
  waiting_.reset();
  emit(waiting.span, waiting.form);
}

void FrameWindow::emit(const FrameSpan& span, const FrameForm& form) {
  if (batch_->records.empty()) {
    batch_->form = form.form;
    batch_table_ = form.table;
    if (form.table != 0) batch_->columns = form.columns;
  } else if (batch_table_ != form.table) {
    waiting_ = Waiting{span, form};
    return;
  }
  append(span);
}

void FrameWindow::append(const FrameSpan& span) {
  batch_->records.push_back(RawRecord{span.begin - base, span.end - span.begin, span.line, span.begin});
}

void FrameWindow::refuse(RefusalCause cause, const FrameSpan& span, std::string message) {
  refuse(refusal(cause, span, std::move(message)));
}

FramingRefusal FrameWindow::refusal(RefusalCause cause, const FrameSpan& span, std::string message) const {
  const std::uint64_t sample_end = std::min({span.end, span.begin + kSampleBytes, end()});
  std::string sample;
  if (span.begin >= base && span.begin < sample_end) sample = std::string(text(span.begin, sample_end));
  return FramingRefusal{cause, span.line, span.begin, std::move(message), std::move(sample)};
}

std::uint64_t FrameWindow::held_from(std::uint64_t framing_holds) const {
  return waiting_ ? std::min(waiting_->span.begin, framing_holds) : framing_holds;
}

}  // namespace keyvigil
