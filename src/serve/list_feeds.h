// ListFeeds: the threads that keep the threat lists by URL fresh, one for each, so that no answer waits for another.
//
// Whenever one changed, the doors get all of them at once, and put them in force or hold the new one back. A list that
// is held back is offered again after its interval, and does not hold back others. Threads: one owner; health() from
// any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/live_view.h"
#include "base/event_time.h"
#include "base/result.h"
#include "serve/list_feed.h"

namespace keyvigil {

struct FetchedList {
  ListRole role = ListRole::kSuspicious;
  std::string name;
  std::string content;
};

// Called from the threads of the feeds; put_in_force by one at a time.
struct ListFeedDoors {
  // `fresh`: the name of the one that was not there before. An error says why it is held back; the lists before stay in
  // force.
  std::function<Result<void>(const std::vector<FetchedList>& lists, const std::string& fresh)> put_in_force;
  std::function<void(const std::string& text)> tell;  // what a person may want to know: what is new in a list
  std::function<EventTime()> now;                     // wall clock
};

class ListFeeds {
 public:
  // `folder` is made where it is missing.
  [[nodiscard]] static Result<std::unique_ptr<ListFeeds>> open(std::vector<ListFeedConfig> configs,
                                                               const std::string& folder, ListFeedDoors doors);
  // Use open().
  ListFeeds(std::string folder, ListFeedDoors doors);
  ~ListFeeds();
  ListFeeds(const ListFeeds&) = delete;
  ListFeeds& operator=(const ListFeeds&) = delete;

  // What is in force; to begin with what earlier runs have kept. While it is stopped, as the next two.
  [[nodiscard]] std::vector<FetchedList> kept() const;
  // What would be in force, to begin with, if these were the lists.
  [[nodiscard]] std::vector<FetchedList> kept_with(const std::vector<ListFeedConfig>& configs) const;
  // These are the lists from now on. One that is as before goes on, with what is known of it.
  void replace(std::vector<ListFeedConfig> configs);
  // Any thread.
  [[nodiscard]] std::vector<ListHealth> health() const;
  void start();
  void stop();  // and waits for it, but not for an answer; it can be started again

 private:
  void run(std::size_t number);
  void refresh_if_due(std::size_t number);
  [[nodiscard]] std::string refresh(ListFeed& feed, EventTime now);
  [[nodiscard]] const ListFeed* running(const ListFeedConfig& config) const;
  void tell_difference(const ListFeed& feed, const std::string& before) const;

  std::string folder_;
  std::vector<ListFeed> feeds_;
  ListFeedDoors doors_;
  std::atomic<bool> stopping_ = false;
  std::mutex turn_;           // while an answer is read, and while lists are put in force
  mutable std::mutex mutex_;  // of what follows but the threads
  std::condition_variable changed_;
  std::vector<ListHealth> health_;
  std::vector<std::thread> threads_;
};

}  // namespace keyvigil
