// WatchedReads: what callers under suspicion read lately, so that an alert names what was read before it fired.
//
// A watch begins with the first suspicion of a caller and lasts for 24 hours after the last one. It holds distinct
// objects with the time of their last read. Bounds: kCallers watches (the one suspected longest ago goes first, ties by
// hash), kReads objects over all and kReadsPerCaller each; what did not fit is said by `cut`. Reads of callers who are
// not watched cost one look-up of a number. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "alert/alert.h"
#include "base/event_time.h"
#include "base/snapshot.h"
#include "event/access_event.h"

namespace keyvigil {

// What the event read, in bounded and valid text.
[[nodiscard]] ObjectRead object_read(const AccessEvent& event);

class WatchedReads {
 public:
  static constexpr std::size_t kCallers = 20'000;
  static constexpr std::size_t kReads = 500'000;
  static constexpr std::size_t kReadsPerCaller = 10'000;
  static constexpr std::int64_t kWatchTicks = EventTime::kTicksPerDay;

  // The caller of the event is under suspicion from now on, or still.
  void suspect(const AccessEvent& event);
  // REQUIRES: the event is a credential read. False: its caller is not watched.
  bool add(const AccessEvent& event);

  struct Reads {
    EventTime since;  // of the first suspicion, or 24 hours before `at`
    std::vector<ObjectRead> objects;
    bool cut = false;
  };
  // Of the caller from `since` on, at most 24 hours before `at`; `vault_id` empty: of all vaults.
  [[nodiscard]] Reads reads_of(std::uint64_t caller, std::string_view vault_id, EventTime since, EventTime at) const;
  // When the caller came under suspicion, at most 24 hours before `at`; `at` where it is not.
  [[nodiscard]] EventTime suspected_since(std::uint64_t caller, EventTime at) const;

  [[nodiscard]] std::size_t watch_count() const { return watches_.size(); }

  void save(SnapshotWriter& writer) const;
  // False: the bytes are damaged, and nothing is remembered.
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  struct Read {
    std::string vault_id;
    ObjectRead object;
    auto fields() { return std::tie(vault_id, object); }
    friend auto operator<=>(const Read&, const Read&) = default;
  };
  struct Watch {
    std::int64_t since_ticks = 0;
    std::int64_t last_ticks = 0;  // of the last suspicion
    std::map<Read, std::int64_t> reads;
    bool cut = false;
    auto fields() { return std::tie(since_ticks, last_ticks, reads, cut); }
  };
  using Watches = absl::flat_hash_map<std::uint64_t, Watch>;  // by the caller's hash

  [[nodiscard]] const Watch* find(std::uint64_t caller, EventTime at) const;
  void forget(Watches::iterator place);
  void forget_reads(Watch& watch, std::int64_t before_ticks);

  Watches watches_;
  std::set<std::pair<std::int64_t, std::uint64_t>> by_age_;  // derived
  std::size_t reads_ = 0;                                    // derived
};

}  // namespace keyvigil
