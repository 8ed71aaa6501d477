// LiveLoop: the one thread that decides. Journal in, alerts and checkpoints out.
//
// Everything that changes a decision is an entry of the journal, the passing of time included: run() reads them in
// sequence, so that after a crash the last checkpoint and the entries behind it give the same alerts. What a checkpoint
// holds and when it is made: docs/decisions/0012.
// Threads: run() in one thread. append(), stop(), change() and the functions of view() from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alert/alert_rendering.h"
#include "api/live_view.h"
#include "base/result.h"
#include "config/lists.h"
#include "config/live_settings.h"
#include "engine/checkpoint.h"
#include "serve/entry_decoder.h"
#include "serve/live_answers.h"
#include "serve/live_estates.h"
#include "serve/question_queue.h"
#include "serve/revision_keeper.h"
#include "store/store.h"

namespace keyvigil {

struct LiveOptions {
  unsigned threads = 1;  // for decoding, the loop's own included
  WaitingRoom waiting_room;
  std::int64_t idle_seconds = 300;
  std::int64_t checkpoint_seconds = 5;
  std::uint64_t checkpoint_events = 500'000;
  bool keep_events = true;                               // for timelines
  std::size_t keep_events_bytes = std::size_t{8} << 20;  // packed; so many wait in memory, not for the checkpoint
  std::uint64_t journal_read_bytes = std::uint64_t{8} << 20;
  std::int64_t stop_seconds = 20;  // for what is journalled when stop() is called
  AlertRendering rendering;
  std::vector<std::string> outputs;              // every alert goes to these
  std::vector<std::string> outputs_of_backfill;  // alerts of the past go to these only
};

// Sentences about the service itself: log lines, and the health of an input.
struct LiveReports {
  std::function<EventTime()> now;  // wall clock
  std::function<void(const std::string& text)> warn;
  std::function<void(const Alert& alert, bool backfilled)> raised;  // once for each alert
};

class LiveLoop {
 public:
  LiveLoop(Store& store, LiveOptions options, LiveReports reports);
  ~LiveLoop();
  LiveLoop(const LiveLoop&) = delete;
  LiveLoop& operator=(const LiveLoop&) = delete;

  // Before run(). Takes up the last checkpoint; where there is none, `state` of another run, which may be empty.
  // Settings and lists that are not those in force are journalled; where the store has no room for them now, run() does
  // it once there is. ErrorKind::kNoRoom: call it again later.
  [[nodiscard]] Result<void> open(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                                  const ListArchive& lists);

  // Until stop(), and then until everything journalled is decided or stop_seconds have passed; ends with a checkpoint.
  [[nodiscard]] Result<void> run();
  void stop();
  // Why nothing is taken in now, though it will be once that is over; empty: it is. append() of input fails with it.
  [[nodiscard]] std::string obstacle() const;
  // Some time for an open() that failed; false: stop() was called.
  [[nodiscard]] bool wait_for_room();

  // Store::append, and wakes the loop.
  [[nodiscard]] Result<std::uint64_t> append(std::span<const JournalEntry> entries,
                                             std::span<const InputPosition> positions = {});
  // Bytes of bodies that were appended and are not decided yet; about, for those that an earlier run left.
  [[nodiscard]] std::uint64_t waiting_bytes() const { return appended_bytes_ - consumed_bytes_ + left_bytes_; }
  // Journals settings and lists where they are others than the last ones: the sequence of the last entry, else 0.
  [[nodiscard]] Result<std::uint64_t> change(const LiveSettings& settings, const ListArchive& lists);
  // From where the callers of the last week came, by estate: to try new lists on.
  [[nodiscard]] Result<std::vector<CallerAddresses>> callers();
  // New alerts go to these from now on; see LiveOptions.
  void send_to(std::vector<std::string> outputs, std::vector<std::string> outputs_of_backfill);
  // Other ones of LiveOptions from now on.
  void change_upkeep(std::int64_t idle_seconds, std::int64_t checkpoint_seconds, bool keep_events);
  // What is wrong with an input now.
  void report_input(const std::string& input, InputReport report);
  // Before run(): those that came by HTTP and are known, and when they were heard last (wall clock).
  [[nodiscard]] std::map<std::string, EventTime> inputs_by_http() const;
  // The folders and containers that are followed now: other ones are known from before, and nobody waits for them.
  void follow_only(std::set<std::string> inputs);

  // The loop must outlive what it returns.
  [[nodiscard]] LiveView view();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Result<void> take_up(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                                     const ListArchive& lists);
  [[nodiscard]] Result<void> begin_with(const LiveSettings& settings, const ListArchive& lists);
  [[nodiscard]] Result<std::uint64_t> journal_change(const LiveSettings& settings, const ListArchive& lists);
  [[nodiscard]] Result<void> clear_obstacles();
  void tell_obstacle(const std::string& why);

  [[nodiscard]] Result<bool> read_and_decide();
  void keep_house();
  [[nodiscard]] bool is_checkpoint_due() const;
  [[nodiscard]] bool has_changes() const { return consumed_to_ != saved_to_ || !outcome_.revisions.empty(); }
  [[nodiscard]] CheckpointCommit checkpoint();
  void keep_revisions();
  [[nodiscard]] Result<void> keep_events();
  [[nodiscard]] Result<void> save();
  [[nodiscard]] Result<void> commit();
  [[nodiscard]] Result<void> commit_in_the_end();

  void wait(std::chrono::milliseconds time);
  [[nodiscard]] LiveFigures figures() const;
  void wake();
  template <typename Answer>
  [[nodiscard]] Result<Answer> ask(std::function<Answer()> question);

  Store* store_;
  LiveOptions options_;  // those that change_upkeep() changes are the next three
  std::atomic<std::int64_t> idle_seconds_;
  std::atomic<std::int64_t> checkpoint_every_seconds_;
  std::atomic<bool> keep_events_;
  LiveReports reports_;
  EntryDecoder decoder_;

  LiveEstates live_;
  QuestionQueue questions_;
  std::uint64_t consumed_to_ = 0;
  std::int64_t consumed_received_ticks_ = 0;  // of the last one
  LiveOutcome outcome_;
  RevisionKeeper keeper_;
  EventTime started_;  // wall clock

  std::uint64_t saved_to_ = 0;  // consumed_to_ of the last checkpoint
  std::uint64_t checkpoints_ = 0;
  bool checkpoint_failed_ = false;  // or storing alerts: a checkpoint is tried before anything else
  std::string checkpoint_failure_;  // why
  Clock::time_point revisions_kept_at_;
  std::uint64_t events_saved_ = 0;  // LiveEstates::events_taken() of the last checkpoint
  Clock::time_point checkpoint_at_;
  double checkpoint_seconds_ = 0;
  Clock::time_point housekeeping_at_;
  EventTime outdated_removed_at_;

  std::atomic<std::uint64_t> appended_bytes_ = 0;
  std::atomic<std::uint64_t> consumed_bytes_ = 0;
  std::atomic<std::uint64_t> left_bytes_ = 0;  // in entries of an earlier run
  std::uint64_t left_to_ = 0;                  // the last one of these

  // What the service was started with, not journalled yet for want of room.
  std::optional<std::pair<LiveSettings, ListArchive>> waiting_change_;
  std::atomic<bool> begun_ = false;  // it is journalled
  Clock::time_point room_tried_at_;

  std::mutex change_mutex_;    // one change() at a time
  std::string last_settings_;  // journalled last
  std::string last_lists_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable woken_;
  bool work_ = false;
  bool stopping_ = false;
  std::string obstacle_ = "the service is starting; send it again later";
  InputReports inputs_;
};

}  // namespace keyvigil
