// NetworkVisits: what callers do from a network that is new to them, within 24 hours of their first request from it.
//
// A new network is no news by itself: people travel, programs move. A visit is odd by who used the network before, by
// how much is read from there and whether credentials are listed; by who comes, where the caller itself is new; and by
// where from, where an application that was only ever seen at addresses of Microsoft or private ones has moved out.
// A caller has too few visits to tell what is usual, so its class tells. Half of the weight is lost in kHalfLifeVisits
// visits, and of what is counted by days in FirstTimeRate::kHalfLifeDays; what is learned counts after close_hour().
// Bounds: kOpen visits (the oldest is forgotten, and counted), kObjects objects of each, kOutsiders callers.
// Threads: one owner.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "base/snapshot.h"
#include "history/facts.h"
#include "history/first_time_rate.h"

namespace keyvigil {

class NetworkVisits {
 public:
  static constexpr std::size_t kOpen = 100'000;
  static constexpr std::size_t kObjects = 64;
  static constexpr std::size_t kOutsiders = 1'000'000;
  static constexpr double kHalfLifeVisits = 2'000;
  // Of an estate: before, everything is new to everybody.
  static constexpr std::int64_t kSettlingHours = 72;
  // Where so many others move out on one day it is a migration, and no news of anybody.
  static constexpr std::size_t kMigration = 2;
  // Of applications that move out: tokens of a managed identity are only given out on its resource.
  static constexpr double kManagedIdentityShare = 0.1;

  struct Caller {
    std::uint64_t hash = 0;
    CallerClass caller_class = CallerClass::kUser;
    bool is_new = false;  // see FirstTouch::caller_is_new
  };
  // The first request of a caller from a network.
  struct Arrival {
    std::uint64_t others = 0;          // callers that used it, as of the last full hour
    bool unheard = false;              // nobody ever did
    std::uint32_t networks_today = 1;  // new to the caller, this one included
  };
  struct Request {
    std::uint64_t network = 0;  // hash
    EventTime at;
    std::optional<Arrival> arrival;
    std::uint32_t object = 0;     // of a credential that was read: hash; else 0
    bool list = false;            // of credentials
    bool from_elsewhere = false;  // a public address that is known not to be Microsoft's
    bool managed_identity = false;
  };
  // Nothing where the network has been known to the caller for a day, or the request adds nothing to what was done from
  // there.
  [[nodiscard]] std::optional<NetworkVisit> observe(const Caller& caller, const Request& request);
  // P(a harmless new network of such a caller was used by as few others).
  [[nodiscard]] double surprise(CallerClass caller_class, std::uint64_t others) const;
  [[nodiscard]] bool is_open(std::uint64_t caller) const { return open_.contains(caller); }
  // What the caller does from there alerted: the visit teaches nothing.
  void withhold(std::uint64_t caller);

  // The caller's active day is over.
  void close_day(const Caller& caller);
  // `day_is_over`: every caller's of that day was closed.
  void close_hour(std::int64_t hour, bool day_is_over);

  // Visits that were forgotten for want of room.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  struct Visit {
    std::uint64_t network = 0;
    std::int64_t since_ticks = 0;
    std::int64_t first_today_ticks = 0;  // of the networks that were new to the caller on that day
    std::uint64_t others = 0;
    std::uint32_t networks_today = 1;
    CallerClass caller_class = CallerClass::kUser;
    bool newcomer = false;
    bool unheard = false;
    bool moved_out = false;
    bool managed_identity = false;
    bool listed = false;
    bool alerted = false;
    std::vector<std::uint32_t> objects;
    auto fields() {
      return std::tie(network, since_ticks, first_today_ticks, others, networks_today, caller_class, newcomer, unheard,
                      moved_out, managed_identity, listed, alerted, objects);
    }
  };
  static constexpr std::size_t kCrowds = 8;  // numbers of others: 0, 1, 2 to 3, 4 to 7, ... 64 and more
  // Visits by the number of objects read; [1]: of those with a list.
  using Numbers = std::array<std::array<double, kObjects + 1>, 2>;
  using PendingNumbers = std::array<std::array<std::uint32_t, kObjects + 1>, 2>;
  struct ClassState {
    std::array<Numbers, 2> visits{};  // by callers that are known, and by those that are new
    std::array<PendingNumbers, 2> pending_visits{};
    std::array<double, kCrowds> crowds{};  // of visits by known callers
    std::array<std::uint32_t, kCrowds> pending_crowds{};
    double newcomers = 0;  // visits by new callers from networks that nobody used, within `days`
    double days = 0;       // active days of callers
    std::uint64_t pending_newcomers = 0;
    std::uint64_t pending_days = 0;
    FirstTimeRate outside;
    auto fields() {
      return std::tie(visits, pending_visits, crowds, pending_crowds, newcomers, days, pending_newcomers, pending_days,
                      outside);
    }
  };

  [[nodiscard]] static std::size_t crowd(std::uint64_t others);
  [[nodiscard]] bool is_settled() const { return hour_ - first_hour_ >= kSettlingHours; }
  [[nodiscard]] bool moves_out(const Caller& caller, const Request& request);
  void begin(const Caller& caller, const Request& request, bool moved_out);
  void make_room();
  void learn(const Visit& visit);
  void close_visits(std::int64_t hour);
  static void close_hour(ClassState& known);
  [[nodiscard]] LearnedVisits visits_like(const Visit& visit) const;
  [[nodiscard]] NetworkVisit facts_of(const Visit& visit) const;
  [[nodiscard]] bool are_hours_sound() const;

  std::map<std::uint64_t, Visit> open_;           // by caller
  absl::flat_hash_set<std::uint64_t> outsiders_;  // applications that were seen elsewhere
  std::map<std::uint64_t, bool> moved_today_;     // known ones that were so for the first time; whether that alerted
  std::array<ClassState, kCallerClassCount> classes_;
  std::int64_t first_hour_ = INT64_MIN;
  std::int64_t hour_ = INT64_MIN;
  std::uint64_t forgotten_ = 0;
};

}  // namespace keyvigil
