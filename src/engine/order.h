// Order: one stream in canonical order, without duplicates, out of many inputs that are nearly sorted each.
//
// All times are whole milliseconds of event time. An input's watermark is the largest time accepted from it minus the
// lateness; the floor is the smallest watermark of the open inputs and never falls. Events below the floor are final.
// What comes out is a function of the pushes alone, not of when pop() is called.
//
// Files: an event below the floor is disorder: the caller starts over with ExternalSort and pushes its output here as
// one input. Streams: such an event comes out flagged, after everything that was final when it arrived; pop until false
// after every batch. An event older than what an earlier run decided (--state) is flagged in both. A copy of a decided
// event is a duplicate however late it comes; where that is no longer known, the event is left out and counted.
//
// Clock guard: a record more than 24 h ahead of its input's watermark (every record, while the input has none) is
// parked until two vaults or 100 records stand at or after it. Where the input ends, two records do; a lone one is then
// decided but moves no watermark. So fewer than 100 records of one vault are parked per input.
//
// Memory: at most memory_limit_events in the buffer; the younger half of a full buffer goes to disk. Where the disk
// takes nothing, files fail; a stream is short_of_room(): what was pushed stays in memory, and the caller pushes
// nothing more until make_room() succeeds. Ownership: events are swapped in and out, so buffers are reused. Threads:
// one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/snapshot.h"
#include "engine/decided_events.h"
#include "engine/event_slab.h"
#include "engine/spill_run.h"
#include "engine/timeliness.h"
#include "event/access_event.h"

namespace keyvigil {

using InputId = std::uint32_t;

enum class OrderMode : std::uint8_t { kFiles, kStream };

struct OrderOptions {
  OrderMode mode = OrderMode::kFiles;
  std::int64_t lateness_milliseconds = std::int64_t{15} * 60 * 1000;
  std::int64_t jump_milliseconds = std::int64_t{24} * 3600 * 1000;
  std::int64_t late_horizon_milliseconds = std::int64_t{48} * 3600 * 1000;
  std::size_t memory_limit_events = 4'000'000;  // at least 2
  std::size_t decided_limit = 8'000'000;        // 8 bytes each; 0: nothing is remembered, for runs without state
  std::string spill_directory = "/tmp";
};

enum class Arrival : std::uint8_t {
  kAccepted,
  kParked,    // waits for others to confirm its clock
  kLate,      // streams only
  kDisorder,  // files only: the event was not taken, start over with ExternalSort
  kFailed,    // see failure()
};

struct OrderCounts {
  std::uint64_t pushed = 0;
  std::uint64_t released = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t decided_before = 0;  // of the duplicates: came after the time of their first had passed
  std::uint64_t too_old = 0;         // left out: it is no longer known whether they were decided
  std::uint64_t parked = 0;          // ever; a first record that only waits for its input's watermark is none
  std::uint64_t late = 0;            // those beyond the horizon included
  std::uint64_t beyond_late_horizon = 0;
  std::uint64_t spilled = 0;
};

class Order {
 public:
  explicit Order(OrderOptions options);

  // `not_before`: a promise about the input (the hour in a blob's path) that lets others go ahead until then. Gives the
  // smallest id that no open input has.
  [[nodiscard]] InputId open_input(std::optional<EventTime> not_before);
  // REQUIRES: `input` is open. `event` gets other buffers in exchange.
  [[nodiscard]] Arrival push(InputId input, AccessEvent&& event);
  void close_input(InputId input);
  // Files: something came too late for its place, also found by close_input(): start over with ExternalSort.
  [[nodiscard]] bool disorder() const { return disorder_; }
  // Stops the input holding others back, until its next push.
  void idle_input(InputId input);
  // The open input that holds the floor back: the one to read next. Nothing when none is open.
  [[nodiscard]] std::optional<InputId> most_behind();

  // Time has moved to `to` though nothing came: the floor follows it where no open input holds it back.
  void advance(EventTime to);

  // Closes every input and makes everything final.
  void finish();
  // Closes every input; what is not below `first_undecided` stays (see held()) and goes into save().
  // Nothing: everything that is not final yet.
  void hold(std::optional<EventTime> first_undecided);
  // Closes every input. Largest confirmed time of all minus the lateness: what to hold from. Nothing when no clock was
  // confirmed.
  [[nodiscard]] std::optional<EventTime> final_watermark();

  // The next final event; false when there is none now, or after a failure.
  [[nodiscard]] bool pop(AccessEvent& out, Timeliness& timeliness);

  [[nodiscard]] const OrderCounts& counts() const { return counts_; }
  // Events taken and not released: buffered, spilled, parked, late ones waiting.
  [[nodiscard]] std::uint64_t held() const;
  [[nodiscard]] std::size_t buffered_in_memory() const { return buffered_; }
  // Earlier runs decided what is older; nothing: there was none.
  [[nodiscard]] std::optional<EventTime> decided_before() const {
    return decided_before_ == kNever ? std::nullopt : std::optional(EventTime::from_milliseconds(decided_before_));
  }
  // What is known of decided events: how many are forgotten, and of which times they all were.
  [[nodiscard]] const DecidedEvents& decided_events() const { return decided_; }
  // Streams: why the full buffer could not go to disk; nothing: it could, or was not full.
  [[nodiscard]] const std::optional<Error>& short_of_room() const { return short_of_room_; }
  // Tries again; whether there is room now.
  [[nodiscard]] bool make_room();
  // Set once a temporary file could not be written (of streams: read); pop() is false from then on.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

  // Everything that decides what comes out later; equal state gives equal bytes. After finish() or hold() and the last
  // pop(), the saved state is that of a run that has not begun. Options are the caller's and not saved.
  [[nodiscard]] Result<void> save(SnapshotWriter& writer) const;
  [[nodiscard]] Result<std::string> save() const;
  // Into a fresh Order. Refuses damage, and fails with ErrorKind::kNoRoom; the object is unusable then.
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  struct Entry {
    std::int64_t milliseconds = 0;
    std::uint64_t hash = 0;
    EventSlab::Slot slot = 0;
  };
  struct Input {
    std::int64_t latest = kNever;  // largest accepted time, or the promise
    bool open = true;
    bool idle = false;
    bool queued = false;        // stands in watermarks_, of this tenancy
    std::uint32_t tenancy = 0;  // how many inputs had the id before
  };
  struct Watermark {
    std::int64_t latest = kNever;  // may lag behind the input's
    InputId input = 0;
    std::uint32_t tenancy = 0;  // another one than the input's: that one was closed
    friend auto operator<=>(const Watermark&, const Watermark&) = default;
  };
  struct Parked {
    Entry entry;
    std::uint64_t vault = 0;
  };
  struct LateEntry {
    std::int64_t floor = kNever;  // everything below comes out first
    Entry entry;
  };
  enum class Where : std::uint8_t { kNone, kSorted, kSide, kSpilled };
  struct Head {
    Where where = Where::kNone;
    std::int64_t milliseconds = kForever;
    std::uint64_t hash = 0;
  };

  [[nodiscard]] std::int64_t reach(const Input& input) const;
  [[nodiscard]] bool entry_less(const Entry& left, const Entry& right) const;
  void queue(InputId id);
  void refresh_floor();
  void sift_watermark_down();
  [[nodiscard]] Arrival accept(Input& input, const Entry& entry);
  [[nodiscard]] Arrival insert(const Entry& entry);
  void buffer(const Entry& entry);
  [[nodiscard]] Arrival park(InputId id, const Entry& entry);
  void settle(InputId id, bool at_end);
  [[nodiscard]] static std::int64_t confirmed_time(std::span<const Parked> parked, bool at_end);
  void note_unconfirmed(std::int64_t milliseconds);
  void confirm_leftovers();
  void close_all();
  void spill_if_full();
  void spill();
  [[nodiscard]] Result<void> write_spill(const std::vector<Entry>& entries, std::size_t from);
  [[nodiscard]] std::int64_t limit() const { return ended_ ? end_limit_ : floor_; }
  void promote_bucket(std::int64_t limit);
  [[nodiscard]] Head find_head(std::int64_t limit);
  [[nodiscard]] AccessEvent& event_at(const Head& head);
  void drop_head(const Head& head);
  [[nodiscard]] bool pop_head(const Head& head, AccessEvent& out, Timeliness& timeliness);
  [[nodiscard]] bool pop_late(AccessEvent& out, Timeliness& timeliness);
  [[nodiscard]] bool release(const AccessEvent& event, const Head& key, std::int64_t decided_before,
                             Timeliness& timeliness);
  [[nodiscard]] std::vector<Entry> buffered_entries() const;
  [[nodiscard]] Result<void> save_events(const std::vector<Entry>& entries, SnapshotWriter& writer) const;
  [[nodiscard]] Entry put(AccessEvent&& event);

  OrderOptions options_;
  EventSlab slab_;

  std::vector<Input> inputs_;
  std::priority_queue<InputId, std::vector<InputId>, std::greater<>> free_;  // ids of closed inputs
  std::vector<Watermark> watermarks_;              // binary heap, smallest first; keys may be stale, but only too small
  std::map<InputId, std::vector<Parked>> parked_;  // by time
  std::int64_t floor_ = kNever;
  std::int64_t confirmed_latest_ = kNever;
  std::array<std::int64_t, 2> unconfirmed_ = {kNever, kNever};  // largest leftovers of closed inputs, larger first

  // The buffer: buckets of about four seconds; the earliest is sorted when it is first looked at, and what still
  // arrives for it goes to a heap beside it, so that no arrival pattern makes it quadratic.
  std::map<std::int64_t, std::vector<Entry>> buckets_;
  std::vector<std::map<std::int64_t, std::vector<Entry>>::node_type> spare_buckets_;
  std::vector<Entry> sorted_;
  std::size_t sorted_taken_ = 0;
  std::int64_t sorted_bucket_ = kNever;  // key of the last bucket that went into sorted_
  std::vector<Entry> side_;
  std::size_t buffered_ = 0;
  SpillMerge spilled_;
  std::uint64_t spilled_left_ = 0;

  std::deque<LateEntry> late_;
  DecidedEvents decided_;
  std::int64_t decided_before_ = kNever;  // earlier runs decided what is older
  std::int64_t decided_up_to_ = kNever;   // the same, with records whose clock nobody confirmed: not all that is older
  bool disorder_ = false;
  bool ended_ = false;
  std::int64_t end_limit_ = kNever;
  OrderCounts counts_;
  std::optional<Error> short_of_room_;
  std::optional<Error> failure_;
};

}  // namespace keyvigil
