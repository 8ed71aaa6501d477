// IngestDoor: records that come in over HTTP, looked at before they are journalled.
//
// What no later step could read is refused here, while the sender still listens: another form, damaged compression, a
// first few records of which none is an audit record, records of a subscription that the sender may not send for. The
// rest is journalled as it came; single bad records in it are counted by the loop. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "api/ingest.h"
#include "app/live_loop.h"

namespace keyvigil {

struct IngestLimits {
  std::uint64_t plain_bytes = std::uint64_t{256} << 20;  // of one body, decompressed
  std::uint64_t waiting_bytes = std::uint64_t{1} << 30;  // journalled and not decided yet: beyond it, try again
  std::size_t inputs = 1000;                             // distinct names since the start
};

class IngestDoor {
 public:
  IngestDoor(LiveLoop& loop, const IngestLimits& limits, std::function<EventTime()> now);

  void limit_to(const IngestLimits& limits);  // from the next body on
  [[nodiscard]] IngestAnswer take(const std::string& input, std::string_view body, const Principal& principal);

 private:
  [[nodiscard]] static IngestAnswer look_at(const std::string& input, std::string_view body, const Principal& principal,
                                            const IngestLimits& limits);
  [[nodiscard]] IngestLimits limits() const;
  [[nodiscard]] bool knows(const std::string& input);

  LiveLoop* loop_;
  std::function<EventTime()> now_;
  mutable std::mutex mutex_;  // of what follows
  IngestLimits limits_;
  std::set<std::string> inputs_;
};

}  // namespace keyvigil
