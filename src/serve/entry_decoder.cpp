#include "serve/entry_decoder.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLeastBatchBytes = std::size_t{16} << 10;
constexpr std::uint64_t kLikelyExpansion = 16;  // of compressed bodies

}  // namespace

EntryDecoder::~EntryDecoder() {
  for (Work& work : ahead_) {
    if (work.job) { pool_.cancel(*work.job); }
  }
}

void EntryDecoder::begin(std::span<const StoredEntry> entries) {
  CHECK(entries_.empty() && !source_ && ahead_.empty());
  entries_ = entries;
}

std::unique_ptr<DecodePool::Job> EntryDecoder::take_job() {
  if (spare_.empty()) { return std::make_unique<DecodePool::Job>(); }
  auto job = std::move(spare_.back());
  spare_.pop_back();
  return job;
}

Result<std::optional<EntryDecoder::Piece>> EntryDecoder::next() {
  if (handed_out_) {
    if (handed_out_->job) { spare_.push_back(std::move(handed_out_->job)); }
    handed_out_.reset();
  }
  if (auto filled = refill(); !filled) { return tl::unexpected(filled.error()); }
  if (ahead_.empty()) { return std::nullopt; }
  handed_out_ = std::move(ahead_.front());
  ahead_.pop_front();
  if (!handed_out_->job) { return Piece{handed_out_->entry, nullptr, handed_out_->last}; }
  pool_.wait(*handed_out_->job);
  return Piece{handed_out_->entry, &handed_out_->job->decoded, handed_out_->last};
}

Result<void> EntryDecoder::refill() {
  const std::size_t wanted = std::size_t{2} * pool_.threads();
  while (ahead_.size() < wanted && (source_ || !entries_.empty())) {
    if (auto read = read_on(); !read) { return read; }
  }
  return {};
}

// One piece more: of the entry at hand, or of the next one.
Result<void> EntryDecoder::read_on() {
  if (!source_) {
    entry_ = &entries_.front();
    entries_ = entries_.subspan(1);
    const std::string& body = entry_->entry.body;
    if (entry_->entry.kind != JournalKind::kInput || body.empty()) {
      ahead_.push_back({entry_, nullptr, true});
      return {};
    }
    FileSourceOptions options;
    options.batch_bytes = std::clamp<std::size_t>(body.size() * kLikelyExpansion, kLeastBatchBytes, kDefaultBatchBytes);
    source_ = FileSource::of_bytes(body, entry_->entry.input, options);
  }
  auto job = take_job();
  auto more = source_->next(job->raw);
  if (!more) { return tl::unexpected(more.error()); }
  if (*more) {
    pool_.submit(*job);
    ahead_.push_back({entry_, std::move(job), false});
    return {};
  }
  // That a batch was the last one is known only now; it may have been handed out already.
  source_.reset();
  spare_.push_back(std::move(job));
  ahead_.push_back({entry_, nullptr, true});
  return {};
}

}  // namespace keyvigil
