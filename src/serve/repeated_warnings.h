// RepeatedWarnings: whether a warning is to be logged, or was a moment ago. For sentences that whoever asks can cause,
// so that nobody makes the log grow by asking. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/event_time.h"

namespace keyvigil {

class RepeatedWarnings {
 public:
  static constexpr std::int64_t kRestTicks = EventTime::kTicksPerMinute;
  static constexpr std::size_t kMostTexts = 64;  // that are told apart in a minute

  // The sentence to log: with how often it came since it was logged last. Nothing: it was, less than a minute ago, or
  // too many others were. `now`: wall clock.
  [[nodiscard]] std::optional<std::string> admit(const std::string& text, EventTime now);
  // Since the start.
  [[nodiscard]] std::uint64_t left_out() const;

 private:
  struct Known {
    EventTime logged;
    std::uint64_t since = 0;  // left out
  };
  mutable std::mutex mutex_;
  std::map<std::string, Known> known_;
  std::uint64_t left_out_ = 0;
};

}  // namespace keyvigil
