// InputFollower: the thread of one folder or blob container: what is new in it goes into the journal.
//
// Bytes and the place up to which they were taken are journalled together, so nothing is taken twice or lost, whenever
// the service stops. Without `from`, a new input begins with the hour before it was first seen; items without an hour
// in their path are taken whole. With `from`, everything up to the first time that nothing is new is marked as
// backfill, also where the service was stopped in between.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/live_view.h"
#include "base/event_time.h"
#include "base/result.h"
#include "serve/clock_doubt.h"
#include "source/blob_container.h"
#include "source/followed_input.h"
#include "source/follower.h"
#include "store/journal.h"

namespace keyvigil {

// The item under which it is kept since when an input is followed no longer (its mark, a time). A follower that takes
// the input up forgets it.
inline constexpr std::string_view kNoLongerFollowed = "\nremoved";

// What is behind it. All may be called from the follower's thread.
struct FollowerDoors {
  std::function<Result<std::uint64_t>(std::span<const JournalEntry>, std::span<const InputPosition>)> append;
  std::function<Result<std::vector<InputPosition>>(const std::string& input)> positions;
  std::function<Result<void>(const std::string& input, std::span<const std::string> items)> forget;
  std::function<void(const std::string& input, InputReport report)> report;     // each time that it was looked at
  std::function<void(const std::string& input, const std::string& text)> tell;  // about an item, once
  std::function<EventTime()> now;                                               // wall clock
  ClockDoubt* clock = nullptr;                                                  // outlives the follower
};

class InputFollower {
 public:
  // Refuses what cannot be used, such as a URL without access. Starts no thread.
  [[nodiscard]] static Result<std::unique_ptr<InputFollower>> open(FollowedInput input, FollowerDoors doors);
  // `container` is what open() made of the input. Use open().
  InputFollower(FollowedInput input, FollowerDoors doors, std::optional<BlobContainer> container);
  ~InputFollower();
  InputFollower(const InputFollower&) = delete;
  InputFollower& operator=(const InputFollower&) = delete;

  void start();
  void stop();  // and waits for it: at most for one request or one append

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const FollowedInput& input() const { return input_; }

 private:
  void run();
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<bool> look();
  void report(const Result<bool>& looked);
  [[nodiscard]] std::optional<std::string> hold(const FollowedItem& item, std::string_view bytes) const;
  [[nodiscard]] Result<void> journal(const std::vector<FollowedStep>& steps);
  [[nodiscard]] Result<void> finish_backfill();
  [[nodiscard]] InputPosition past_is_read() const;
  [[nodiscard]] JournalEntry entry(JournalKind kind, std::string item) const;
  [[nodiscard]] bool wait(std::int64_t seconds);

  FollowedInput input_;
  FollowerDoors doors_;
  std::string name_;
  std::optional<BlobContainer> container_;
  std::optional<Follower> follower_;
  std::vector<FollowedStep> pending_;  // taken, not journalled yet
  bool backfill_ = false;
  std::set<std::string> backfilled_;  // items that are open

  std::mutex mutex_;  // of stopping_
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace keyvigil
