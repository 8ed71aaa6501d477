#include "estate/decode_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "event/csv.h"
#include "source/collector_text.h"
#include "source/framer.h"

namespace keyvigil {
namespace {

constexpr std::size_t kSampleBytes = 256;
constexpr int kEnvelopeDepth = 4;  // envelopes inside envelopes, and collectors' objects

class BatchDecoder {
 public:
  BatchDecoder(std::uint32_t input, bool keep_refused_whole, Decoder& decoder, DecodedBatch& batch)
      : input_(input), keep_refused_whole_(keep_refused_whole), decoder_(decoder), batch_(batch) {}

  void decode(const RawBatch& raw, int depth) {
    for (const FramingRefusal& refusal : raw.refused) {
      batch_.refusals.push_back({refusal.cause, {input_, refusal.line, refusal.byte}, refusal.message, refusal.sample});
      ++batch_.records;
    }
    batch_.skipped[static_cast<std::size_t>(SkipCause::kEmpty)] += raw.blank_records;
    for (const RawRecord& record : raw.records) { decode_record(raw, record, depth); }
  }

 private:
  void decode_record(const RawBatch& raw, const RawRecord& record, int depth) {
    if (batch_.count == batch_.events.size()) { batch_.events.emplace_back(); }
    AccessEvent& event = batch_.events[batch_.count];
    const std::string_view bytes = raw.view(record);
    if (raw.columns && raw.columns->text_column()) { return decode_text_cell(raw, record, bytes, depth); }
    Decoded decoded = decode_bytes(raw, bytes, event);
    switch (decoded.kind) {
      case DecodeKind::kEvent:
        event.place = {input_, record.line, record.byte};
        hash_keys(event);
        ++batch_.count;
        batch_.unreadable_addresses += decoded.address_unreadable ? 1U : 0U;
        break;
      case DecodeKind::kSkipped:
        ++batch_.skipped[static_cast<std::size_t>(decoded.skip)];
        break;
      case DecodeKind::kRefused:
        if (raw.form == RecordForm::kJson && decode_inside(decoded.refusal, record, bytes, depth)) { return; }
        refuse(decoded.refusal, std::move(decoded.message), record, bytes);
        break;
      case DecodeKind::kEnvelope:
        if (depth == kEnvelopeDepth) {
          refuse(RefusalCause::kTooDeep, "expected records, found envelopes inside envelopes", record, bytes);
          break;
        }
        for (const RawBatch& inner : split_envelope(bytes, record.line, record.byte)) { decode(inner, depth + 1); }
        return;
    }
    ++batch_.records;
  }

  // Records that a collector put inside an object of its own.
  bool decode_inside(RefusalCause cause, const RawRecord& record, std::string_view bytes, int depth) {
    const bool may_hold_records =
        cause == RefusalCause::kNotARecord || cause == RefusalCause::kNoTime || cause == RefusalCause::kNoOperation;
    if (!may_hold_records || depth == kEnvelopeDepth) { return false; }
    const auto text = text_inside(bytes);
    if (!text) { return false; }
    for (const RawBatch& inner : split_envelope(*text, record.line, record.byte)) { decode(inner, depth + 1); }
    return true;
  }

  // A row of a collector's table.
  void decode_text_cell(const RawBatch& raw, const RawRecord& record, std::string_view row, int depth) {
    std::string scratch;
    std::vector<std::string_view> cells;
    const bool fits = split_csv_row(row, scratch, cells, raw.columns->separator());
    const std::size_t column = *raw.columns->text_column();
    if (!fits || cells.size() != raw.columns->size() || depth == kEnvelopeDepth) {
      refuse(RefusalCause::kBadTable,
             fmt::format("expected {} cells, one for each column, found {}", raw.columns->size(), cells.size()), record,
             row);
      ++batch_.records;
      return;
    }
    for (const RawBatch& inner : split_envelope(cells[column], record.line, record.byte)) { decode(inner, depth + 1); }
  }

  Decoded decode_bytes(const RawBatch& raw, std::string_view bytes, AccessEvent& event) {
    switch (raw.form) {
      case RecordForm::kRowJson:
        return decoder_.decode_row_json(bytes, raw.columns.value(), event);
      case RecordForm::kRowCsv:
        return decoder_.decode_row_csv(bytes, raw.columns.value(), event);
      case RecordForm::kJson:
        break;
    }
    return decoder_.decode_json(bytes, event);
  }

  void refuse(RefusalCause cause, std::string message, const RawRecord& record, std::string_view bytes) {
    const std::size_t kept = keep_refused_whole_ ? bytes.size() : std::min(bytes.size(), kSampleBytes);
    batch_.refusals.push_back(
        {cause, {input_, record.line, record.byte}, std::move(message), std::string(bytes.substr(0, kept))});
  }

  std::uint32_t input_;
  bool keep_refused_whole_;
  Decoder& decoder_;
  DecodedBatch& batch_;
};

}  // namespace

void decode_batch(const RawBatch& raw, std::uint32_t input, bool keep_refused_whole, Decoder& decoder,
                  DecodedBatch& batch) {
  batch.count = 0;
  batch.refusals.clear();
  batch.skipped.fill(0);
  batch.records = 0;
  batch.unreadable_addresses = 0;
  batch.input_bytes = raw.input_bytes;
  BatchDecoder(input, keep_refused_whole, decoder, batch).decode(raw, 0);
}

DecodePool::DecodePool(unsigned threads, bool keep_refused_whole) : keep_refused_whole_(keep_refused_whole) {
  for (unsigned i = 1; i < threads; ++i) {
    workers_.emplace_back([this] { work(); });
  }
}

DecodePool::~DecodePool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_) { worker.join(); }
}

// The first job that can begin: a source is read by one job at a time, and the earliest stands first.
std::deque<DecodePool::Job*>::iterator DecodePool::next_job() {
  return std::ranges::find_if(waiting_, [](const Job* job) { return job->reading == nullptr || !job->reading->busy; });
}

// REQUIRES: the lock is held, and the job has left waiting_. Gives the lock back while it works.
void DecodePool::run(Job& job, Decoder& decoder, std::unique_lock<std::mutex>& lock) {
  job.state = Job::State::kRunning;
  if (Reading* reading = job.reading; reading != nullptr) {
    reading->busy = true;
    lock.unlock();
    job.more = reading->ended ? Result<bool>(false) : reading->source->next(job.raw);
    reading->ended = !job.more || !*job.more;
    lock.lock();
    reading->busy = false;
    if (!waiting_.empty()) { changed_.notify_all(); }
  }
  lock.unlock();
  if (job.more && *job.more) { decode_batch(job.raw, job.input, keep_refused_whole_, decoder, job.decoded); }
  lock.lock();
  job.state = Job::State::kDone;
  changed_.notify_all();
}

void DecodePool::work() {
  Decoder decoder;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || next_job() != waiting_.end(); });
    if (stopping_) { return; }
    const auto next = next_job();
    Job& job = **next;
    waiting_.erase(next);
    run(job, decoder, lock);
  }
}

void DecodePool::submit(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    job.state = Job::State::kWaiting;
    waiting_.push_back(&job);
  }
  changed_.notify_all();
}

void DecodePool::wait(Job& job) {
  std::unique_lock lock(mutex_);
  while (job.state != Job::State::kDone) {
    // Where nobody has begun it, doing it here is never slower than waiting; where somebody has, there may be another.
    const auto next = job.state == Job::State::kWaiting ? std::ranges::find(waiting_, &job) : next_job();
    if (next == waiting_.end()) {
      changed_.wait(lock);
      continue;
    }
    Job& taken = **next;
    waiting_.erase(next);
    run(taken, own_decoder_, lock);
  }
  job.state = Job::State::kIdle;
}

void DecodePool::cancel(Job& job) {
  std::unique_lock lock(mutex_);
  if (job.state == Job::State::kIdle) { return; }
  if (job.state == Job::State::kWaiting) {
    std::erase(waiting_, &job);
  } else {
    changed_.wait(lock, [&job] { return job.state == Job::State::kDone; });
  }
  job.state = Job::State::kIdle;
}

}  // namespace keyvigil
