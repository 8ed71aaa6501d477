// ClockDoubt: whether records say that this machine's clock is slow, and which of them wait until it is right.
//
// A record that is more than kAheadTicks ahead of the clock when it is journalled is refused for good. Where the
// records of one piece of input (a body, a chunk of a file) agree that it is later than the clock says, the piece is
// not taken: its sender keeps it, or its place in the file stays where it is. What that means: docs/decisions/0021.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/event_time.h"

namespace keyvigil {

// The times of the records of one piece.
class RecordTimes {
 public:
  static constexpr std::int64_t kAheadTicks = 10 * EventTime::kTicksPerMinute;
  static constexpr std::int64_t kStrayTicks = EventTime::kTicksPerHour;

  // `now`: this machine's clock.
  explicit RecordTimes(EventTime now) : now_ticks_(now.ticks) {}
  void add(EventTime time);

  // Some are ahead of the clock, and they are no strays: at least half of all, or within an hour after the others.
  [[nodiscard]] bool agree_that_the_clock_is_slow() const;
  // It is one time that says so.
  [[nodiscard]] bool is_single() const { return earliest_ahead_ticks_ == latest_ahead_ticks_; }
  // Those that are refused where the piece is taken.
  [[nodiscard]] std::uint64_t ahead() const { return ahead_; }
  [[nodiscard]] EventTime newest_ahead() const { return EventTime{latest_ahead_ticks_}; }
  // How far that one is ahead.
  [[nodiscard]] std::int64_t lead_ticks() const { return latest_ahead_ticks_ - now_ticks_; }

 private:
  std::int64_t now_ticks_;
  std::uint64_t records_ = 0;
  std::uint64_t ahead_ = 0;
  std::int64_t newest_other_ticks_ = INT64_MIN;
  std::int64_t earliest_ahead_ticks_ = INT64_MAX;
  std::int64_t latest_ahead_ticks_ = INT64_MIN;
};

// Threads: any.
class ClockDoubt {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kPiecesLimit = 1000;
  static constexpr std::chrono::hours kSingleHeld{24};  // a record that nothing confirms waits no longer
  static constexpr std::chrono::hours kForgotten{2};    // what nobody asked about for so long is no longer held

  explicit ClockDoubt(std::function<Clock::time_point()> now = [] { return Clock::now(); }) : now_(std::move(now)) {}

  // Why the piece is not to be taken now; nothing: it may be. `piece` is its name whenever it comes.
  [[nodiscard]] std::optional<std::string> hold(std::string_view piece, const RecordTimes& times);

  struct Held {
    std::uint64_t pieces = 0;     // now
    std::int64_t lead_ticks = 0;  // the largest
    std::uint64_t holds = 0;      // since the start
  };
  // `now`: this machine's clock. What it has reached meanwhile is not held any more, whether it came again or not.
  [[nodiscard]] Held held(EventTime now) const;

 private:
  struct Piece {
    Clock::time_point first;
    Clock::time_point last;
    EventTime newest;  // of its records
  };

  std::function<Clock::time_point()> now_;
  mutable std::mutex mutex_;               // of what follows
  std::map<std::uint64_t, Piece> pieces_;  // by the hash of their names
  std::uint64_t holds_ = 0;
};

// Over all records in `body`, as it is stored: plain, compressed, an archive.
[[nodiscard]] RecordTimes times_of_records(std::string_view body, EventTime now);

}  // namespace keyvigil
