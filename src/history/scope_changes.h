// ScopeChanges: who was let into what by the Activity Log within the last day, or let others in.
//
// A role that is assigned on a subscription is a change for every vault in it. No vault is walked: whoever reads asks
// whether a change covers its vault. Bounds: kChanges kept for all callers together and kBegun requests; over either
// the oldest is dropped and counted. Threads: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/event_time.h"
#include "base/snapshot.h"

namespace keyvigil {

class ScopeChanges {
 public:
  static constexpr std::size_t kChanges = 4096;
  static constexpr std::size_t kBegun = 1'000;
  static constexpr std::int64_t kSpanTicks = EventTime::kTicksPerDay;

  // `who` is a hash of a key: of a caller, an object id or a user name. False: that change is known from within a day.
  bool add(std::uint64_t who, std::string_view scope, EventTime at);
  // When the newest change was made that lets `who` into the vault. `of_vault_alone`: wider scopes do not count.
  [[nodiscard]] std::optional<EventTime> find(std::uint64_t who, std::string_view vault_id, EventTime now,
                                              bool of_vault_alone = false) const;
  // False: no change is so young.
  [[nodiscard]] bool may_hold(EventTime now) const { return now.is_within(kSpanTicks + 1, newest_ticks_); }

  // Whom a request wants to let in, told before its answer, which may leave it out. By a hash of the correlation id.
  void begin(std::uint64_t request, std::uint64_t principal, EventTime at);
  // 0: not told within a day.
  [[nodiscard]] std::uint64_t principal_of(std::uint64_t request, EventTime now) const;

  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  struct Change {
    std::uint64_t who = 0;
    std::int64_t ticks = 0;
    std::string scope;
    auto fields() { return std::tie(who, ticks, scope); }
  };
  struct Begun {
    std::uint64_t request = 0;
    std::uint64_t principal = 0;
    std::int64_t ticks = 0;
    auto fields() { return std::tie(request, principal, ticks); }
  };

  void forget_old(EventTime now);

  std::deque<Change> changes_;  // in the order in which they came
  std::deque<Begun> begun_;
  std::int64_t newest_ticks_ = INT64_MIN;
  std::uint64_t dropped_ = 0;
  std::map<std::uint64_t, std::uint32_t> counts_;  // derived: changes by who
};

}  // namespace keyvigil
