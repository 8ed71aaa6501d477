// SurpriseLedger: the vaults that were new to one caller in the last 24 hours, and how surprising they were.
//
// One per caller and outcome (answered, denied). Holds the kEntries most surprising ones by vault; of the rest only the
// number and the sum of ln(1/surprise) by hour, so the statistic stays whole under a sweep of thousands of vaults and
// only the names are bounded (detection-method notes, P4). A day is the current hour and the 23 before it, as
// everywhere. Events may be late. At most 900 bytes. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/event_time.h"

namespace keyvigil {

class SurpriseLedger {
 public:
  static constexpr std::size_t kEntries = 16;
  static constexpr std::int64_t kHours = 24;

  struct Entry {
    std::uint64_t vault = 0;  // hash of its id
    std::int64_t hour = 0;
    double surprise = 1;
    auto fields() { return std::tie(vault, hour, surprise); }
  };
  struct Day {
    std::uint64_t vaults = 0;
    double log_surprise = 0;             // sum of ln(1/surprise)
    std::vector<Entry> most_surprising;  // the least p first, ties by vault
  };

  // A first touch; surprise in (0, 1]. Touching one of the entries again keeps the smaller surprise and counts once;
  // a vault that is no longer among the entries counts again.
  void add(std::uint64_t vault, EventTime at, double surprise);
  [[nodiscard]] Day day(EventTime at) const;

  auto fields() { return std::tie(entries_, rest_); }
  [[nodiscard]] bool is_sound() const;

 private:
  struct Hour {
    std::int64_t hour = 0;
    std::uint64_t vaults = 0;
    double log_surprise = 0;
    auto fields() { return std::tie(hour, vaults, log_surprise); }
  };
  void forget_before(std::int64_t hour);
  void add_to_rest(const Entry& entry);

  std::vector<Entry> entries_;  // the least surprise value first
  std::vector<Hour> rest_;      // by hour
};

}  // namespace keyvigil
