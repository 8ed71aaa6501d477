// OutboxDispatcher: carries alerts from the store's outbox to the outputs, one thread for each output.
//
// At least once: an alert leaves the outbox after its receiver has taken it, so a stop or crash between the two repeats
// it, with the same ids. Revisions of one alert go in order. A failure is tried again after 2, 4, 8, ... seconds, 5
// minutes at most, with a jitter that depends on alert, output and attempt alone, and not before the receiver's
// Retry-After. Where the receiver is away, the output rests, and one alert finds out when it is back. An alert becomes
// a dead letter when its receiver refuses it, or at a failure after so many attempts or so much time. Which alerts an
// output takes is decided here, by the configuration of now; others leave the outbox unsent. Threads: any may call
// notify(), one at a time the rest; each output is touched by its own thread only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "alert/alert_rendering.h"
#include "base/event_time.h"
#include "base/result.h"
#include "sink/output.h"
#include "store/store.h"

namespace keyvigil {

// What is needed of the store; see there.
struct Outbox {
  std::function<Result<std::vector<Delivery>>(const std::string& output, EventTime now, std::size_t limit)> due;
  std::function<Result<void>(std::span<const std::uint64_t> ids)> delivered;
  std::function<Result<void>(std::uint64_t id, EventTime next_attempt, const std::string& why)> postpone;
  std::function<Result<void>(std::uint64_t id, EventTime now, const std::string& why)> bury;
};
// The store must outlive what is made of it.
[[nodiscard]] Outbox outbox_of(Store& store);

struct OutputFigures {
  std::string name;
  std::uint64_t delivered = 0;
  std::uint64_t failed_attempts = 0;
  std::uint64_t failed_in_row = 0;  // attempts since something was delivered last
  EventTime failing_since;          // wall clock of the first of these
  std::string last_failure;         // of the last of these
  std::uint64_t dead_letters = 0;
  std::uint64_t not_taken = 0;  // by the output's filter
  std::optional<EventTime> last_delivered;
  std::string failure;  // what is wrong now; empty: nothing
};

// What a log should say of an output.
struct OutputNotice {
  enum class Kind : std::uint8_t { kAway, kBack, kDeadLetter };
  Kind kind = Kind::kAway;
  std::string output;
  std::string text;  // without secrets
};
// Called by any thread of the dispatcher; may be empty.
using OutputLog = std::function<void(const OutputNotice&)>;

// 2 s, doubled with each attempt, at most 300 s, of which the jitter leaves half to all; `wait_seconds` is the least.
[[nodiscard]] std::int64_t backoff_seconds(std::uint64_t delivery_id, const std::string& output, std::uint32_t attempts,
                                           std::int64_t wait_seconds);

// One output's rounds, without a thread.
class OutputRounds {
 public:
  OutputRounds(const Outbox& outbox, Output output, OutputLog log = {})
      : outbox_(outbox), output_(std::move(output)), log_(std::move(log)) {}

  // Delivers what is due; true where more may be due at once. Does nothing while the output rests.
  [[nodiscard]] bool run(EventTime now, const std::atomic<bool>& stop);
  [[nodiscard]] OutputFigures figures() const;
  [[nodiscard]] const OutputOptions& options() const { return output_.options(); }

 private:
  struct Batch {
    std::vector<OutgoingAlert> alerts;
    std::vector<Delivery> deliveries;  // without their alerts
  };
  [[nodiscard]] bool mark_delivered(EventTime now);
  [[nodiscard]] Result<Batch> next_batch(EventTime now);
  void settle(const Delivery& delivery, const OutgoingAlert& alert, const Attempt& attempt, EventTime now);
  void rest_until(EventTime time, const std::string& why);
  void note(const Result<void>& written, EventTime now);
  void tell(OutputNotice::Kind kind, std::string text) const;

  const Outbox& outbox_;
  Output output_;
  OutputLog log_;
  EventTime rests_until_;
  std::vector<std::uint64_t> done_;  // delivered, or not taken, and not yet written down
  mutable std::mutex mutex_;         // of figures_
  OutputFigures figures_;
};

class OutboxDispatcher {
 public:
  // `now`: the wall clock. `host`: of this machine, for syslog.
  OutboxDispatcher(Outbox outbox, const std::vector<OutputOptions>& outputs, const AlertRendering& rendering,
                   const std::string& host, std::function<EventTime()> now, const OutputLog& log = {});
  ~OutboxDispatcher();
  OutboxDispatcher(const OutboxDispatcher&) = delete;
  OutboxDispatcher& operator=(const OutboxDispatcher&) = delete;

  void start();
  // These are the outputs from now on. One that is as before goes on undisturbed.
  void replace(const std::vector<OutputOptions>& outputs);
  // Something new may be in the outbox: look now and not within a second.
  void notify();
  // Breaks off what is under way; returns when all threads have ended (a name that is being looked up is waited for).
  void stop();

  [[nodiscard]] std::vector<OutputFigures> figures() const;

 private:
  struct Worker {
    explicit Worker(std::unique_ptr<OutputRounds> of) : rounds(std::move(of)) {}
    std::unique_ptr<OutputRounds> rounds;
    std::atomic<bool> stop = false;
    std::thread thread;
  };
  void work(Worker& worker);
  void start(Worker& worker);
  void stop(std::span<const std::unique_ptr<Worker>> workers);

  Outbox outbox_;
  AlertRendering rendering_;
  std::string host_;
  std::function<EventTime()> now_;
  OutputLog log_;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool started_ = false;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::uint64_t notices_ = 0;
};

}  // namespace keyvigil
