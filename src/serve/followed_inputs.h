// FollowedInputs: the folders and containers that a running service follows, and how they change with the
// configuration.
//
// Inputs are told apart by name (FollowedInput::name). One that is as before goes on undisturbed; one that changed (a
// secret, how often to look) starts again where it was; one that is removed ends: nobody waits for what it might bring.
// Where it stood is kept for kKeptDays, so that it goes on there when it is put back. Threads: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "config/input_config.h"
#include "serve/input_follower.h"
#include "serve/live_loop.h"
#include "store/store.h"

namespace keyvigil {

struct InputChanges {
  std::vector<std::string> started;
  std::vector<std::string> restarted;
  std::vector<std::string> stopped;
};

class FollowedInputs {
 public:
  static constexpr std::int64_t kKeptDays = 30;

  using Tell = std::function<void(const std::string& input, const std::string& text)>;
  // Store, loop and clock must outlive it. `now`: wall clock. `tell`: see FollowerDoors; from any thread.
  FollowedInputs(Store& store, LiveLoop& loop, ClockDoubt& clock, std::function<EventTime()> now, Tell tell);

  // What is to be followed, with its secrets, ready to start; null where one that runs goes on.
  struct Wanted {
    FollowedInput input;
    std::unique_ptr<InputFollower> follower;
  };
  // Refuses what cannot be used; changes nothing.
  [[nodiscard]] Result<std::vector<Wanted>> prepare(const std::vector<InputConfig>& configs) const;
  // Of the last prepare(). An error is one of the store, about inputs that are gone: they have stopped all the same,
  // and the next change() tries again.
  [[nodiscard]] Result<void> change(std::vector<Wanted> wanted, InputChanges& changes);
  // Waits for all threads.
  void stop() { followers_.clear(); }

 private:
  [[nodiscard]] FollowerDoors doors() const;
  [[nodiscard]] Result<void> put_away_others(const std::set<std::string>& names);
  [[nodiscard]] Result<void> put_away(const std::string& name);

  Store* store_;
  LiveLoop* loop_;
  ClockDoubt* clock_;
  std::function<EventTime()> now_;
  Tell tell_;
  std::vector<std::unique_ptr<InputFollower>> followers_;
};

}  // namespace keyvigil
