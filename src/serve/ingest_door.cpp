#include "serve/ingest_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "estate/decode_pool.h"
#include "source/file_source.h"

namespace keyvigil {
namespace {

constexpr std::size_t kInputNameBytes = 256;
constexpr int kRetrySoon = 10;
constexpr int kRetryLater = 30;
constexpr int kRetryMuchLater = 600;

bool is_named_by_sender(std::string_view input) {
  return input.starts_with("ingest/");
}

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

void count_refusals(const DecodedBatch& batch, IngestAnswer& answer) {
  for (const Refusal& refusal : batch.refusals) {
    if (answer.refused++ == 0) { answer.first_refusal = refusal.message; }
    ++answer.refused_by_cause[std::string(to_string(refusal.cause))];
  }
}

// As the loop will refuse them: it judges by the time at which they were received.
void count_strays(const RecordTimes& times, EventTime now, IngestAnswer& answer) {
  if (times.ahead() == 0) { return; }
  if (answer.refused == 0) {
    answer.first_refusal =
        fmt::format("expected times that are at most {} minutes ahead of this machine's clock ({}), found {}",
                    RecordTimes::kAheadTicks / EventTime::kTicksPerMinute, to_iso_milliseconds(now),
                    to_iso_milliseconds(times.newest_ahead()));
  }
  answer.refused += times.ahead();
  answer.refused_by_cause[std::string(to_string(RefusalCause::kFuture))] += times.ahead();
}

}  // namespace

IngestDoor::IngestDoor(LiveLoop& loop, ClockDoubt& clock, const IngestLimits& limits, std::function<EventTime()> now)
    : loop_(&loop), clock_(&clock), now_(std::move(now)), limits_(limits) {
  for (auto& [name, last] : loop_->inputs_by_http()) {
    if (is_named_by_sender(name)) { inputs_[name] = {"", last}; }
  }
}

void IngestDoor::limit_to(const IngestLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

IngestLimits IngestDoor::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

// ---- names of inputs ----

IngestDoor::Entry IngestDoor::enter(const std::string& input, const std::string& sender) {
  if (!is_named_by_sender(input)) { return Entry::kKnown; }
  const std::lock_guard lock(mutex_);
  if (const auto known = inputs_.find(input); known != inputs_.end()) {
    if (known->second.sender.empty()) { known->second.sender = sender; }
    known->second.last = now_();
    return Entry::kKnown;
  }
  const auto own = std::ranges::count(inputs_, sender, [](const auto& one) { return one.second.sender; });
  if (static_cast<std::size_t>(own) >= limits_.inputs_of_sender || input.size() > kInputNameBytes) {
    return Entry::kFull;
  }
  if (inputs_.size() >= limits_.inputs && !displace_one()) { return Entry::kFull; }
  inputs_[input] = {sender, now_()};
  return Entry::kNew;
}

// The one of an earlier run that is unused for longest.
bool IngestDoor::displace_one() {
  auto oldest = inputs_.end();
  for (auto one = inputs_.begin(); one != inputs_.end(); ++one) {
    if (!one->second.sender.empty()) { continue; }
    if (oldest == inputs_.end() || one->second.last < oldest->second.last) { oldest = one; }
  }
  if (oldest == inputs_.end() || !tell_removed({&oldest->first, 1})) { return false; }
  inputs_.erase(oldest);
  return true;
}

Result<void> IngestDoor::tell_removed(std::span<const std::string> inputs) const {
  std::vector<JournalEntry> entries;
  for (const std::string& input : inputs) {
    JournalEntry& entry = entries.emplace_back();
    entry.kind = JournalKind::kRemoved;
    entry.input = input;
    entry.received_ticks = now_().ticks;
  }
  auto appended = loop_->append(entries);
  return appended ? Result<void>() : tl::unexpected(appended.error());
}

Result<bool> IngestDoor::forget(const std::string& input) {
  const std::lock_guard lock(mutex_);
  const auto known = inputs_.find(input);
  if (known == inputs_.end()) { return false; }
  if (auto told = tell_removed({&input, 1}); !told) { return tl::unexpected(told.error()); }
  inputs_.erase(known);
  return true;
}

void IngestDoor::forget_unused() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> unused;
  for (const auto& [name, known] : inputs_) {
    if (!now_().is_within(kForgottenDays * EventTime::kTicksPerDay, known.last.ticks)) { unused.push_back(name); }
  }
  if (unused.empty() || !tell_removed(unused)) { return; }  // next time, where the disk refuses
  for (const std::string& name : unused) { inputs_.erase(name); }
}

// ---- bodies ----

IngestAnswer IngestDoor::look_at(const std::string& input, std::string_view body, const Principal& principal,
                                 EventTime now, const IngestLimits& limits) const {
  IngestAnswer answer;
  FileSource source = FileSource::of_bytes(body, input, {});
  RawBatch raw;
  Decoder decoder;
  DecodedBatch batch;
  RecordTimes times(now);
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
    if (raw.ends_in_array) {
      return refusal(IngestOutcome::kMalformed,
                     "expected the array of records to be closed, found the end of the body inside it: it was cut, and "
                     "nothing of it was taken; send it whole");
    }
    decode_batch(raw, 0, false, decoder, batch);
    answer.records += batch.records;
    count_refusals(batch, answer);
    for (std::size_t i = 0; i < batch.count; ++i) { times.add(batch.events[i].time); }
    if (!principal.subscriptions) { continue; }
    if (const auto foreign = foreign_subscription(batch, principal)) {
      return refusal(IngestOutcome::kForeign,
                     fmt::format("'{}' may not send records of subscription '{}'", principal.name, *foreign));
    }
  }
  if (answer.refused > 0 && answer.refused == answer.records) {
    return refusal(IngestOutcome::kMalformed, answer.first_refusal);
  }
  if (const auto why = clock_->hold(fmt::format("{}\n{:x}", input, hash64(body)), times)) {
    return refusal(IngestOutcome::kFailed, *why, kRetryLater);
  }
  count_strays(times, now, answer);
  return answer;
}

IngestAnswer IngestDoor::take(const std::string& input, std::string_view body, const Principal& principal) {
  if (body.empty()) { return refusal(IngestOutcome::kMalformed, "expected records, found an empty body"); }
  const IngestLimits limits = this->limits();
  if (loop_->waiting_bytes() > limits.waiting_bytes) {
    return refusal(IngestOutcome::kBusy, "records come faster than they are decided; send again later", kRetrySoon);
  }
  const EventTime now = now_();
  IngestAnswer answer = look_at(input, body, principal, now, limits);
  if (answer.outcome != IngestOutcome::kStored || answer.records == 0) { return answer; }
  const Entry entered = enter(input, principal.name);
  if (entered == Entry::kFull) {
    return refusal(IngestOutcome::kBusy,
                   fmt::format("expected one of the rules and streams that are in use, {} of one sender and {} in all "
                               "at most, found another one; use one of them, or have one removed (DELETE "
                               "/v1/sources/ingest/RULE/STREAM)",
                               limits.inputs_of_sender, limits.inputs),
                   kRetryMuchLater);
  }
  JournalEntry entry;
  entry.input = input;
  entry.received_ticks = now.ticks;
  entry.body = body;
  auto appended = loop_->append({&entry, 1});
  if (appended) { return answer; }
  if (entered == Entry::kNew) {
    const std::lock_guard lock(mutex_);
    inputs_.erase(input);
  }
  const bool full = appended.error().kind == ErrorKind::kLimit;
  return refusal(full ? IngestOutcome::kBusy : IngestOutcome::kFailed, appended.error().message, kRetryLater);
}

}  // namespace keyvigil
