// RecentEvents: what happened lately, so that an alert holds what made it and not only what came after.
//
// Two logs in the order of decision: of everybody, and of callers under suspicion, whose events a busy estate would
// push out of the first. A watch begins with the first suspicion of a caller and lasts for 24 hours after the last one.
// Events older than kKeptTicks go by themselves; what goes earlier, for want of room, is told by is_complete().
// Bounds: RecentEventsLimits. A log costs one copy an event; looking back walks it. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/event_time.h"
#include "base/snapshot.h"
#include "engine/decision.h"
#include "event/access_event.h"

namespace keyvigil {

struct RecentEventsLimits {
  std::size_t bytes = std::size_t{64} << 20U;          // of everybody's events
  std::size_t watched_bytes = std::size_t{64} << 20U;  // of those of watched callers
  std::size_t watched_callers = 20'000;                // the one suspected longest ago goes first, ties by hash
};

// Events in texts with an index, the oldest first, in segments that are forgotten whole.
class EventLog {
 public:
  static constexpr std::size_t kSegmentBytes = std::size_t{1} << 20U;

  struct Entry {
    std::uint64_t sequence = 0;
    std::int64_t ticks = 0;
    std::uint64_t caller = 0;  // hashes
    std::uint64_t vault = 0;
    std::uint32_t offset = 0;  // in the text of its segment
    std::uint8_t marks = 0;
    auto fields() { return std::tie(sequence, ticks, caller, vault, offset, marks); }
  };
  struct Segment {
    std::string text;
    std::vector<Entry> entries;
    std::int64_t newest_ticks = INT64_MIN;
    auto fields() { return std::tie(text, entries, newest_ticks); }
  };

  // Forgets what there is no room for within `limit_bytes`, and what is older than `before_ticks`.
  void add(const AccessEvent& event, std::uint64_t sequence, std::uint8_t marks, std::size_t limit_bytes,
           std::int64_t before_ticks);
  [[nodiscard]] const std::deque<Segment>& segments() const { return segments_; }
  // REQUIRES: the entry is one of the segment.
  [[nodiscard]] static AccessEvent event(const Segment& segment, const Entry& entry);
  // The newest event that went for want of room.
  [[nodiscard]] std::int64_t forgotten_ticks() const { return forgotten_ticks_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  auto fields() { return std::tie(segments_, forgotten_ticks_, forgotten_); }
  // After loading.
  [[nodiscard]] bool take_up();

 private:
  void begin_segment(std::size_t limit_bytes, std::int64_t before_ticks);
  void forget_segment(bool for_want_of_room);

  std::deque<Segment> segments_;
  Segment spare_;            // the memory of a segment that was forgotten, for the next one; not saved
  std::uint64_t bytes_ = 0;  // of the texts; derived
  std::int64_t forgotten_ticks_ = INT64_MIN;
  std::uint64_t forgotten_ = 0;
};

class RecentEvents {
 public:
  static constexpr std::int64_t kWatchTicks = EventTime::kTicksPerDay;
  // The pieces of one alert lie within a day, and what a piece speaks of may have begun a day before it.
  static constexpr std::int64_t kKeptTicks = 2 * EventTime::kTicksPerDay + EventTime::kTicksPerHour;

  explicit RecentEvents(const RecentEventsLimits& limits = {}) : limits_(limits) {}

  // The caller of the event is under suspicion from now on, or still.
  void watch(const AccessEvent& event);
  void add(const AccessEvent& event, const EventMarks& marks);

  using Visit = std::function<void(const AccessEvent& event, const EventMarks& marks)>;
  // In the order of decision: events of that time or later.
  void each_of_caller(std::uint64_t caller, EventTime since, const Visit& visit) const;
  void each_of_vault(std::uint64_t vault, EventTime since, const Visit& visit) const;
  // Changes of who may do what, by whomever and wherever.
  void each_policy_change(EventTime since, const Visit& visit) const;
  // Whether nothing of the caller, or of a vault, from then on was forgotten.
  [[nodiscard]] bool is_complete_for_caller(std::uint64_t caller, EventTime since) const;
  [[nodiscard]] bool is_complete_for_vault(EventTime since) const;

  // Events that went before their time, for want of room.
  [[nodiscard]] std::uint64_t forgotten() const { return log_.forgotten() + watched_log_.forgotten(); }
  [[nodiscard]] std::size_t watch_count() const { return watches_.size(); }

  void save(SnapshotWriter& writer) const;
  // False: the bytes are damaged, and nothing is remembered.
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  struct Watch {
    std::int64_t since_ticks = 0;
    std::int64_t last_ticks = 0;  // of the last suspicion
    auto fields() { return std::tie(since_ticks, last_ticks); }
  };
  using Watches = absl::flat_hash_map<std::uint64_t, Watch>;  // by the caller's hash

  template <typename Matches>
  void each(const Matches& matches, EventTime since, const Visit& visit) const;
  void forget_watch(std::uint64_t caller);

  RecentEventsLimits limits_;
  EventLog log_;
  EventLog watched_log_;
  std::uint64_t sequence_ = 0;
  std::uint64_t first_of_run_ = 0;  // sequence; earlier events were loaded, and their places are another run's
  std::int64_t now_ticks_ = INT64_MIN;
  Watches watches_;
  std::set<std::pair<std::int64_t, std::uint64_t>> by_age_;  // derived
};

}  // namespace keyvigil
