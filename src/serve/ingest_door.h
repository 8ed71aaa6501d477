// IngestDoor: records that come in over HTTP, looked at before they are journalled.
//
// What no later step could read is refused here, while the sender still listens: another form, damaged compression, an
// array that was cut, a body without one record that can be used, records of a subscription that the sender may not
// send for, records that say that this machine's clock is slow. The rest is journalled as it came, and the sender is
// told how many single records of it cannot be used.
//
// Senders choose the names of inputs ("ingest/..."): so many each and in all are known at a time, and one that nobody
// uses is forgotten after kForgottenDays, with what the loop counted of it. "logs" is always known. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "api/ingest.h"
#include "serve/clock_doubt.h"
#include "serve/live_loop.h"

namespace keyvigil {

struct IngestLimits {
  std::uint64_t plain_bytes = std::uint64_t{256} << 20;  // of one body, decompressed
  std::uint64_t waiting_bytes = std::uint64_t{1} << 30;  // journalled and not decided yet: beyond it, try again
  std::size_t inputs = 1000;                             // names at a time, of all senders
  std::size_t inputs_of_sender = 100;
};

class IngestDoor {
 public:
  static constexpr std::int64_t kForgottenDays = 7;

  // Knows the inputs that the loop knows. Both must outlive the door. `now`: wall clock.
  IngestDoor(LiveLoop& loop, ClockDoubt& clock, const IngestLimits& limits, std::function<EventTime()> now);

  void limit_to(const IngestLimits& limits);  // from the next body on
  [[nodiscard]] IngestAnswer take(const std::string& input, std::string_view body, const Principal& principal);
  // As ForgetInput, without the audit.
  [[nodiscard]] Result<bool> forget(const std::string& input);
  // Call from time to time.
  void forget_unused();

 private:
  struct Known {
    std::string sender;  // empty: of an earlier run, which nobody has used since
    EventTime last;      // wall clock
  };

  [[nodiscard]] IngestAnswer look_at(const std::string& input, std::string_view body, const Principal& principal,
                                     EventTime now, const IngestLimits& limits) const;
  [[nodiscard]] IngestLimits limits() const;
  enum class Entry : std::uint8_t { kKnown, kNew, kFull };
  [[nodiscard]] Entry enter(const std::string& input, const std::string& sender);
  [[nodiscard]] bool displace_one();
  [[nodiscard]] Result<void> tell_removed(std::span<const std::string> inputs) const;

  LiveLoop* loop_;
  ClockDoubt* clock_;
  std::function<EventTime()> now_;
  mutable std::mutex mutex_;  // of what follows
  IngestLimits limits_;
  std::map<std::string, Known> inputs_;
};

}  // namespace keyvigil
