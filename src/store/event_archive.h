// EventArchive: decided events, kept for timelines and evidence in a file of their own beside the store.
//
// Events go into blocks of some thousands, compressed, each with the hashes of its callers and vaults; a block is
// written once and never changed, so that keeping events costs little beside deciding them. Blocks carry the number of
// their checkpoint: those of a checkpoint that never came to be are removed at open(). Nothing is decided by this file:
// it may be moved away, and timelines begin anew.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/format_versions.h"
#include "base/result.h"
#include "event/access_event.h"
#include "store/database.h"
#include "store/reader_pool.h"
#include "store/schema.h"

namespace keyvigil {

struct EventBlock {
  EventTime first;  // of its events
  EventTime last;
  std::uint64_t events = 0;
  std::string callers;  // 32 bits of the hash of each key, sorted
  std::string vaults;
  std::string packed;
};

// Gathers events into blocks. Threads: one at a time.
class EventBlocks {
 public:
  static constexpr std::size_t kBlockEvents = 4096;
  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

  void add(const AccessEvent& event);
  // What was gathered since the last call.
  [[nodiscard]] std::vector<EventBlock> take();
  // What take() gave and could not be kept: the next take() gives it again.
  void put_back(std::vector<EventBlock> blocks);
  // Of whole blocks.
  [[nodiscard]] std::size_t packed_bytes() const { return packed_bytes_; }

 private:
  void close();

  std::string bytes_;
  std::uint64_t events_ = 0;
  EventTime first_;
  EventTime last_;
  std::vector<std::uint32_t> callers_;
  std::vector<std::uint32_t> vaults_;
  std::vector<EventBlock> blocks_;
  std::size_t packed_bytes_ = 0;
};

// Both keys where both are given; at least one is. Newest first.
struct EventQuery {
  std::string caller_key;
  std::string vault_id;
  std::optional<EventTime> from;
  std::optional<EventTime> until;  // exclusive
  std::size_t limit = 100;         // 1..1000
  std::string after;               // EventPage::next of the page before; empty: the first page
};

struct EventPage {
  std::vector<AccessEvent> events;  // Place is not kept
  std::string next;                 // hexadecimal; empty: this is the last page
};

// Hours of event time, since 1970, in which something was done.
struct ActiveHours {
  std::set<std::int64_t> hours;
  EventTime from;   // every kept event from here on was looked at
  EventTime until;  // the newest kept event
};

struct EventArchiveLimits {
  std::int64_t retention_days = 7;  // of event time, before the newest event; 0: no event is kept
  std::uint64_t bytes = std::uint64_t{10} << 30;
};

struct EventArchiveFigures {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::optional<EventTime> oldest;
};

class EventArchive {
 public:
  // Of the bytes of a block. Whoever changes append_event() adds one; blocks of others are left out of timelines.
  static constexpr FormatVersions kBlockFormats = {"event-block", 1, 1};
  [[nodiscard]] static FileForm form();

  // `checkpoint`: the number of the last one that came to be.
  [[nodiscard]] Result<void> open(const std::string& path, const EventArchiveLimits& limits, std::int64_t checkpoint);
  // `checkpoint`: the number of the one that will hold them. Removes what is too old or too much.
  // REQUIRES, as the next two: one at a time.
  [[nodiscard]] Result<void> write(std::span<const EventBlock> blocks, std::int64_t checkpoint);
  [[nodiscard]] Result<void> remove_outdated();
  void limit_to(const EventArchiveLimits& limits) { limits_ = limits; }
  // Any thread.
  [[nodiscard]] Result<EventPage> find(const EventQuery& query) const;
  // Of the caller or vault in `who`, by events that `counts`. An hour that is known is looked at no further; at most
  // kHoursLimitBytes are read, the newest first. Nothing: no events are kept.
  static constexpr std::uint64_t kHoursLimitBytes = std::uint64_t{64} << 20;
  [[nodiscard]] Result<std::optional<ActiveHours>> active_hours(const EventQuery& who,
                                                                const std::function<bool(const AccessEvent&)>& counts,
                                                                std::uint64_t limit_bytes = kHoursLimitBytes) const;
  [[nodiscard]] Result<EventArchiveFigures> figures() const;

 private:
  // What was written for a checkpoint that never came to be.
  [[nodiscard]] Result<void> take_back(std::int64_t checkpoint);

  EventArchiveLimits limits_;
  std::optional<std::int64_t> take_back_after_;  // there was no room for it at open()
  std::optional<Database> writer_;
  mutable ReaderPool readers_;
};

}  // namespace keyvigil
