#include "serve/clock_doubt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "estate/decode_pool.h"
#include "source/file_source.h"

namespace keyvigil {
namespace {

double minutes(std::int64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(EventTime::kTicksPerMinute);
}

}  // namespace

void RecordTimes::add(EventTime time) {
  ++records_;
  if (time.ticks <= now_ticks_ + kAheadTicks) {
    newest_other_ticks_ = std::max(newest_other_ticks_, time.ticks);
    return;
  }
  ++ahead_;
  earliest_ahead_ticks_ = std::min(earliest_ahead_ticks_, time.ticks);
  latest_ahead_ticks_ = std::max(latest_ahead_ticks_, time.ticks);
}

bool RecordTimes::agree_that_the_clock_is_slow() const {
  if (ahead_ == 0) { return false; }
  if (2 * ahead_ >= records_) { return true; }
  return earliest_ahead_ticks_ - kStrayTicks <= newest_other_ticks_;
}

std::optional<std::string> ClockDoubt::hold(std::string_view piece, const RecordTimes& times) {
  const std::uint64_t name = hash64(piece);
  const std::lock_guard lock(mutex_);
  if (!times.agree_that_the_clock_is_slow()) {
    pieces_.erase(name);
    return std::nullopt;
  }
  const Clock::time_point now = now_();
  if (pieces_.size() >= kPiecesLimit && !pieces_.contains(name)) {
    pieces_.erase(std::ranges::min_element(pieces_, {}, [](const auto& one) { return one.second.last; }));
  }
  Piece& held = pieces_.try_emplace(name, Piece{now, now, {}}).first->second;
  held.last = now;
  held.newest = times.newest_ahead();
  if (times.is_single() && now - held.first >= kSingleHeld) {
    pieces_.erase(name);
    return std::nullopt;
  }
  ++holds_;
  return fmt::format(
      "its records are up to {:.0f} minutes ahead of this machine's clock, which seems to be slow; set "
      "the clock right: until then they are not taken",
      minutes(times.lead_ticks()));
}

ClockDoubt::Held ClockDoubt::held(EventTime now) const {
  const std::lock_guard lock(mutex_);
  Held held;
  held.holds = holds_;
  for (const auto& [name, piece] : pieces_) {
    const std::int64_t lead_ticks = piece.newest.ticks - now.ticks;
    if (lead_ticks <= RecordTimes::kAheadTicks || now_() - piece.last >= kForgotten) { continue; }
    ++held.pieces;
    held.lead_ticks = std::max(held.lead_ticks, lead_ticks);
  }
  return held;
}

RecordTimes times_of_records(std::string_view body, EventTime now) {
  RecordTimes times(now);
  FileSource source = FileSource::of_bytes(body, "input", {});
  RawBatch raw;
  Decoder decoder;
  DecodedBatch batch;
  for (auto more = source.next(raw); more && *more; more = source.next(raw)) {
    decode_batch(raw, 0, false, decoder, batch);
    for (std::size_t i = 0; i < batch.count; ++i) { times.add(batch.events[i].time); }
  }
  return times;
}

}  // namespace keyvigil
