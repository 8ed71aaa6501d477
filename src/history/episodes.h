// Episodes: "this, then that" by one caller on one vault: a credential list and then reads within an hour, a change of
// policy and then reads within a day (design section 4 point 4).
//
// An episode is opened by the first part and lasts its span; further first parts meanwhile belong to it. Reads count
// distinct objects, exact to kObjects. Bounds: kOpen episodes; over it the one opened first is dropped and counted.
// Threads: one owner.
#pragma once

#include <absl/container/node_hash_map.h>

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/snapshot.h"
#include "history/count_tail.h"

namespace keyvigil {

enum class EpisodeKind : std::uint8_t { kList = 0, kPolicy = 1 };

// Usual for one caller, kept by the owner beside it.
struct EpisodeHabit {
  CountTail reads;     // in an episode, plus one
  CountTail openings;  // on an active day, plus one
  std::uint32_t today = 0;
  auto fields() { return std::tie(reads, openings, today); }

  // Known on so many active days or more, and never opened one before today.
  [[nodiscard]] bool never_opened() const { return openings.windows >= kKnownDays && openings.sum == 0; }
  static constexpr double kKnownDays = 6;  // decayed: a week

  // What the class says of a member's openings. Where members differ much (some list at every start, most never) it
  // says little of any one: as a Gamma of that dispersion would, for at most kMostPriorDays.
  [[nodiscard]] static CountParent openings_parent(const CountParent& of_class);

  static constexpr double kMostPriorDays = 1;
  static constexpr double kLeastPriorDays = 0.05;
};

// Whether the opener had not used the vault before today, and whether it was new itself.
enum class Visit : std::uint8_t { kNone = 0, kByKnown = 1, kByNewcomer = 2 };

struct Episode {
  EventTime opened;
  std::uint32_t opener = 0;  // slot of who opened it, kNobody where it is not theirs to learn from
  std::vector<std::uint32_t> objects;
  std::uint32_t reads = 0;
  std::uint32_t fresh = 0;       // of these: what the caller had not read before
  std::uint32_t vault_days = 0;  // days before today on which the opener used the vault
  Visit visit = Visit::kNone;
  std::uint32_t next_check = 1;
  EventTime first_read;
  EventTime last;  // list, change or read
  bool denied_before = false;
  bool reverted = false;
  bool alerted = false;
  auto fields() {
    return std::tie(opened.ticks, opener, objects, reads, fresh, vault_days, visit, next_check, first_read.ticks,
                    last.ticks, denied_before, reverted, alerted);
  }
};

class Episodes {
 public:
  static constexpr std::size_t kOpen = 200'000;
  static constexpr std::size_t kObjects = 64;
  static constexpr std::int64_t kPauseTicks = 15 * EventTime::kTicksPerMinute;  // as between sessions of operations
  static constexpr std::uint32_t kNobody = UINT32_MAX;

  struct Key {
    std::uint64_t caller = 0;  // hash
    std::uint64_t vault = 0;
    EpisodeKind kind = EpisodeKind::kList;
    auto fields() { return std::tie(caller, vault, kind); }
    friend auto operator<=>(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.caller, key.vault, key.kind);
    }
  };

  [[nodiscard]] static std::int64_t span_ticks(EpisodeKind kind) {
    return kind == EpisodeKind::kList ? EventTime::kTicksPerHour : EventTime::kTicksPerDay;
  }
  // False: an episode opened at that time or before is over.
  [[nodiscard]] static bool may_be_open(EpisodeKind kind, std::int64_t opened_ticks, EventTime at) {
    return at.is_within(span_ticks(kind) + 1, opened_ticks);
  }
  // The episode that is open then, or nothing.
  [[nodiscard]] Episode* find(const Key& key, EventTime at);
  struct Opening {
    Episode* episode = nullptr;
    bool opened = false;          // false: it was open already
    std::optional<Episode> over;  // the one before, which is to be learned
  };
  [[nodiscard]] Opening open(const Key& key, EventTime at, std::uint32_t opener);
  // The same, but for one that is open: it is over.
  [[nodiscard]] Opening open_anew(const Key& key, EventTime at, std::uint32_t opener);
  // Of a read: the object was read in this episode before or finds no room; it counts; and it is the 1st, 2nd, 3rd,
  // 4th, 6th, 9th, 13th, ... distinct one.
  enum class Counted : std::uint8_t { kNo, kYes, kAtCheckPoint };
  // `fresh`: the caller had not read it before.
  static Counted add_read(Episode& episode, std::uint32_t object, EventTime at, bool fresh);

  // Takes out what was over before `until`, in the order of keys.
  [[nodiscard]] std::vector<std::pair<Key, Episode>> take_over(EventTime until);

  // After loading: whether every opener is a slot below this one, and times are those of dates.
  [[nodiscard]] bool is_sound(std::size_t slots) const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  [[nodiscard]] static bool is_next_sitting(EpisodeKind kind, const Episode& episode, EventTime at);

  absl::node_hash_map<Key, Episode> open_;  // episodes stay where they are
  std::uint64_t dropped_ = 0;

  std::set<std::pair<std::int64_t, Key>> by_end_;  // derived
};

}  // namespace keyvigil
