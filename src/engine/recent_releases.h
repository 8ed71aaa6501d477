// RecentReleases: what was released in the last 48 h of event time, as hashes, so that a late copy is known as one.
//
// In-time events arrive in order and are appended; a look-up is a binary search, made for late events only. 24 bytes
// an event, bounded; the oldest go first and are counted.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <tuple>

#include "event/access_event.h"

namespace keyvigil {

class RecentReleases {
 public:
  RecentReleases(std::size_t limit, std::int64_t horizon_milliseconds)
      : limit_(limit), horizon_milliseconds_(horizon_milliseconds) {}

  // `ordered`: not before anything remembered as ordered, and its time is trusted.
  void remember(const AccessEvent& event, std::int64_t milliseconds, std::uint64_t hash, bool ordered);
  [[nodiscard]] bool contains_duplicate_of(const AccessEvent& event, std::int64_t milliseconds,
                                           std::uint64_t hash) const;
  [[nodiscard]] std::size_t size() const { return ordered_.size() + strays_.size(); }
  [[nodiscard]] std::uint64_t forgotten_early() const { return forgotten_early_; }

  auto fields() { return std::tie(ordered_, strays_, forgotten_early_); }

 private:
  struct Release {
    std::int64_t milliseconds = 0;
    std::uint64_t hash = 0;         // duplicate_hash
    std::uint64_t correlation = 0;  // 0: the event has none
    auto fields() { return std::tie(milliseconds, hash, correlation); }
    friend auto operator<=>(const Release&, const Release&) = default;
  };

  std::size_t limit_;
  std::int64_t horizon_milliseconds_;
  std::deque<Release> ordered_;
  std::set<Release> strays_;  // late ones, and those whose clock nobody confirmed
  std::uint64_t forgotten_early_ = 0;
};

}  // namespace keyvigil
