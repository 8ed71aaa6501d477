// ListFeeds: the thread that keeps the threat lists by URL fresh.
//
// Whenever one changed, the doors get all of them at once, and put them in force or hold the new one back. Nothing here
// decides: a list that was held back is offered again after its interval, and does not hold back others. Threads:
// start(), stop() from the owner.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/live_view.h"
#include "app/list_feed.h"
#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

struct FetchedList {
  ListRole role = ListRole::kSuspicious;
  std::string name;
  std::string content;
};

// Called from the thread of the feeds.
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
  ListFeeds(std::vector<ListFeed> feeds, ListFeedDoors doors);
  ~ListFeeds();
  ListFeeds(const ListFeeds&) = delete;
  ListFeeds& operator=(const ListFeeds&) = delete;

  // What earlier runs have kept: to begin with. Before start().
  [[nodiscard]] std::vector<FetchedList> kept() const;
  // Any thread.
  [[nodiscard]] std::vector<ListHealth> health() const;
  void start();
  void stop();  // and waits for it: at most for one request

 private:
  void run();
  void refresh_due();
  [[nodiscard]] std::string refresh(ListFeed& feed, EventTime now);
  void tell_difference(const ListFeed& feed, const std::string& before) const;

  std::vector<ListFeed> feeds_;
  ListFeedDoors doors_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<ListHealth> health_;
  std::thread thread_;
};

}  // namespace keyvigil
