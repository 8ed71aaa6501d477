#include "app/ingest_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/decode_pool.h"
#include "source/file_source.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLookedAt = 8;  // records of the first batch
constexpr std::size_t kInputNameBytes = 256;
constexpr int kRetrySoon = 10;
constexpr int kRetryLater = 30;

using IngestOutcome = IngestAnswer::Outcome;

IngestAnswer refusal(IngestOutcome outcome, std::string message, int retry_after_seconds = 0) {
  IngestAnswer answer;
  answer.outcome = outcome;
  answer.message = std::move(message);
  answer.retry_after_seconds = retry_after_seconds;
  return answer;
}

// The subscription of the first event that the principal may not send for.
std::optional<std::string> foreign_subscription(const DecodedBatch& batch, const Principal& principal) {
  for (std::size_t i = 0; i < batch.count; ++i) {
    std::string subscription(batch.events[i].subscription_id());
    if (!principal.sees(subscription)) { return subscription; }
  }
  return std::nullopt;
}

bool holds_nothing_readable(const DecodedBatch& batch) {
  return batch.count == 0 && !batch.refusals.empty() &&
         std::ranges::all_of(batch.skipped, [](std::uint64_t count) { return count == 0; });
}

}  // namespace

IngestDoor::IngestDoor(LiveLoop& loop, const IngestLimits& limits, std::function<EventTime()> now)
    : loop_(&loop), now_(std::move(now)), limits_(limits) {}

void IngestDoor::limit_to(const IngestLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

IngestLimits IngestDoor::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

bool IngestDoor::knows(const std::string& input) {
  const std::lock_guard lock(mutex_);
  if (inputs_.contains(input)) { return true; }
  if (inputs_.size() >= limits_.inputs || input.size() > kInputNameBytes) { return false; }
  inputs_.insert(input);
  return true;
}

IngestAnswer IngestDoor::look_at(const std::string& input, std::string_view body, const Principal& principal,
                                 const IngestLimits& limits) {
  IngestAnswer answer;
  FileSource source = FileSource::of_bytes(body, input, {});
  RawBatch raw;
  Decoder decoder;
  DecodedBatch batch;
  std::uint64_t refused = 0;
  while (true) {
    auto more = source.next(raw);
    if (!more) { return refusal(IngestOutcome::kFailed, more.error().message, kRetrySoon); }
    if (!*more) { break; }
    if (source.plain_bytes() > limits.plain_bytes) {
      return refusal(IngestOutcome::kTooLarge,
                     fmt::format("expected at most {} bytes of records after decompression, found more; send them in "
                                 "several requests",
                                 limits.plain_bytes));
    }
    for (const FramingRefusal& one : raw.refused) {
      const bool hopeless = one.cause == RefusalCause::kUnknownForm || one.cause == RefusalCause::kBadCompression;
      if (hopeless) { return refusal(IngestOutcome::kMalformed, one.message); }
    }
    const bool first = answer.records == 0 && refused == 0;
    answer.records += raw.records.size();
    refused += raw.refused.size();
    if (!first && !principal.subscriptions) { continue; }
    if (!principal.subscriptions && raw.records.size() > kLookedAt) { raw.records.resize(kLookedAt); }
    decode_batch(raw, 0, false, decoder, batch);
    if (first && holds_nothing_readable(batch)) {
      return refusal(IngestOutcome::kMalformed, batch.refusals.front().message);
    }
    if (!principal.subscriptions) { continue; }
    if (const auto foreign = foreign_subscription(batch, principal)) {
      return refusal(IngestOutcome::kForeign,
                     fmt::format("'{}' may not send records of subscription '{}'", principal.name, *foreign));
    }
  }
  if (answer.records == 0 && refused > 0) { return refusal(IngestOutcome::kMalformed, "expected records, found none"); }
  return answer;
}

IngestAnswer IngestDoor::take(const std::string& input, std::string_view body, const Principal& principal) {
  if (body.empty()) { return refusal(IngestOutcome::kMalformed, "expected records, found an empty body"); }
  const IngestLimits limits = this->limits();
  if (loop_->waiting_bytes() > limits.waiting_bytes) {
    return refusal(IngestOutcome::kBusy, "records come faster than they are decided; send again later", kRetrySoon);
  }
  if (!knows(input)) {
    return refusal(IngestOutcome::kMalformed,
                   fmt::format("expected one of {} inputs at most, with names of at most {} bytes; found another one",
                               limits.inputs, kInputNameBytes));
  }
  IngestAnswer answer = look_at(input, body, principal, limits);
  if (answer.outcome != IngestOutcome::kStored || answer.records == 0) { return answer; }
  JournalEntry entry;
  entry.input = input;
  entry.received_ticks = now_().ticks;
  entry.body = body;
  auto appended = loop_->append({&entry, 1});
  if (appended) { return answer; }
  const bool full = appended.error().kind == ErrorKind::kLimit;
  return refusal(full ? IngestOutcome::kBusy : IngestOutcome::kFailed, appended.error().message, kRetryLater);
}

}  // namespace keyvigil
