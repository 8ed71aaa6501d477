#include "app/list_feeds.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

namespace keyvigil {
namespace {

constexpr std::chrono::seconds kLookEvery{5};

}  // namespace

Result<std::unique_ptr<ListFeeds>> ListFeeds::open(std::vector<ListFeedConfig> configs, const std::string& folder,
                                                   ListFeedDoors doors) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("making the folder {} for fetched lists: {}", folder, error.message()));
  }
  std::vector<ListFeed> feeds;
  feeds.reserve(configs.size());
  for (ListFeedConfig& config : configs) { feeds.emplace_back(std::move(config), folder); }
  return std::make_unique<ListFeeds>(std::move(feeds), std::move(doors));
}

ListFeeds::ListFeeds(std::vector<ListFeed> feeds, ListFeedDoors doors)
    : feeds_(std::move(feeds)), doors_(std::move(doors)) {}

ListFeeds::~ListFeeds() {
  stop();
}

std::vector<FetchedList> ListFeeds::kept() const {
  std::vector<FetchedList> lists;
  for (const ListFeed& feed : feeds_) {
    if (feed.content()) { lists.push_back({feed.config().role, feed.name(), *feed.content()}); }
  }
  return lists;
}

void ListFeeds::start() {
  thread_ = std::thread([this] { run(); });
}

void ListFeeds::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) { thread_.join(); }
}

void ListFeeds::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    refresh_due();
    lock.lock();
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_; });
  }
}

void ListFeeds::refresh_due() {
  for (ListFeed& feed : feeds_) {
    const EventTime now = doors_.now();
    if (now < feed.next_refresh()) { continue; }
    const std::string before = feed.content().value_or("");
    auto changed = feed.refresh(now);
    std::string failure = changed ? std::string{} : changed.error().message;
    if (changed && *changed) {
      auto in_force = doors_.put_in_force(kept());
      if (in_force) { tell_difference(feed, before); }
      if (!in_force) { failure = in_force.error().message; }
    }
    if (feed.is_stale(now)) {
      failure = fmt::format("{}: no good answer for more than {} hours; alerts are decided with an old list. {}",
                            feed.name(), feed.config().stale_hours, failure);
    }
    doors_.report(feed.name(), failure);
  }
}

void ListFeeds::tell_difference(const ListFeed& feed, const std::string& before) const {
  ListOptions options;
  options.role = feed.config().role;
  const auto now_in_force = parse_threat_list(feed.name(), *feed.content(), options);
  if (!now_in_force) { return; }
  const auto earlier = parse_threat_list(feed.name(), before, options);
  doors_.tell(fmt::format("list {}: {}", feed.name(), list_difference(earlier.value_or(ThreatList{}), *now_in_force)));
}

}  // namespace keyvigil
