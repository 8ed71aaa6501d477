// VaultRhythm: how long each vault pauses, to tell one that is quiet from one that was silenced, as by somebody who
// deleted its diagnostic setting.
//
// Times are of events, in their order, so that what is read late, or of the past, silences nobody: a vault's pause
// lasts from its newest event to the newest of its estate. It is silent once its pause is three times as long as the
// longest it ever made, and kLeastTicks at least. That is said only of a vault that was known for four times as long
// before, and for a week at least; and not for ever: after kToldTicks it is taken for one that is no longer used. A
// pause that was a silence counts as twice the longest before it at most, so that nobody teaches a vault to be silent
// in one go. Serialisable: fields(). Threads: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "event/access_event.h"

namespace keyvigil {

class VaultRhythm {
 public:
  static constexpr std::size_t kVaultsLimit = 100'000;
  static constexpr std::int64_t kLeastTicks = 2 * EventTime::kTicksPerHour;
  static constexpr std::int64_t kKnownTicks = 7 * EventTime::kTicksPerDay;
  static constexpr std::int64_t kToldTicks = 30 * EventTime::kTicksPerDay;

  // A vault that is deleted is forgotten.
  void see(const AccessEvent& event);

  struct Silence {
    std::uint64_t vault = 0;  // hash of its id
    EventTime last;           // its newest event
    std::int64_t pause_ticks = 0;
    std::int64_t longest_ticks = 0;  // before
  };
  // The longest known first.
  [[nodiscard]] std::vector<Silence> silent() const;

  // Vaults for which there was no room.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  auto fields() { return std::tie(vaults_, newest_ticks_, cleared_day_, left_out_); }

 private:
  struct Pace {
    std::int64_t first_ticks = 0;
    std::int64_t newest_ticks = 0;
    std::int64_t longest_ticks = 0;
    auto fields() { return std::tie(first_ticks, newest_ticks, longest_ticks); }
    // From when on its pause is a silence.
    [[nodiscard]] std::int64_t limit_ticks() const;
    [[nodiscard]] bool is_known() const;
  };
  [[nodiscard]] bool make_room();

  std::map<std::uint64_t, Pace> vaults_;  // by hash
  std::int64_t newest_ticks_ = INT64_MIN;
  std::int64_t cleared_day_ = INT64_MIN;
  std::uint64_t left_out_ = 0;
};

}  // namespace keyvigil
