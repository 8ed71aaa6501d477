#include "serve/list_feeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
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
  auto feeds = std::make_unique<ListFeeds>(folder, std::move(doors));
  feeds->replace(std::move(configs));
  return feeds;
}

ListFeeds::ListFeeds(std::string folder, ListFeedDoors doors) : folder_(std::move(folder)), doors_(std::move(doors)) {}

ListFeeds::~ListFeeds() {
  stop();
}

const ListFeed* ListFeeds::running(const ListFeedConfig& config) const {
  const auto found = std::ranges::find(feeds_, config, &ListFeed::config);
  return found == feeds_.end() ? nullptr : &*found;
}

void ListFeeds::replace(std::vector<ListFeedConfig> configs) {
  std::vector<ListFeed> feeds;
  std::vector<ListHealth> health;
  for (ListFeedConfig& config : configs) {
    const auto place = std::ranges::find(feeds_, config, &ListFeed::config);
    if (place == feeds_.end()) {
      feeds.emplace_back(std::move(config), folder_);
      health.emplace_back();
    } else {
      const auto number = static_cast<std::size_t>(place - feeds_.begin());
      feeds.push_back(std::move(*place));
      feeds_.erase(place);
      const std::lock_guard lock(mutex_);
      health.push_back(std::move(health_[number]));
      health_.erase(health_.begin() + static_cast<std::ptrdiff_t>(number));
    }
    const ListFeed& feed = feeds.back();
    health.back().name = feed.name();
    health.back().role = to_string(feed.config().role);
    health.back().confirmed = feed.confirmed();
    health.back().interval_minutes = feed.config().interval_minutes;
  }
  feeds_ = std::move(feeds);
  const std::lock_guard lock(mutex_);
  health_ = std::move(health);
}

std::vector<FetchedList> ListFeeds::kept() const {
  std::vector<FetchedList> lists;
  for (const ListFeed& feed : feeds_) {
    if (feed.content()) { lists.push_back({feed.config().role, feed.name(), *feed.content()}); }
  }
  return lists;
}

std::vector<FetchedList> ListFeeds::kept_with(const std::vector<ListFeedConfig>& configs) const {
  std::vector<FetchedList> lists;
  for (const ListFeedConfig& config : configs) {
    const ListFeed* known = running(config);
    const std::optional<std::string> content =
        known != nullptr ? known->content() : ListFeed(config, folder_).content();
    if (content) { lists.push_back({config.role, list_name(config), *content}); }
  }
  return lists;
}

std::vector<ListHealth> ListFeeds::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void ListFeeds::start() {
  stopping_ = false;
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    threads_.emplace_back([this, i] { run(i); });
  }
}

void ListFeeds::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) { thread.join(); }
  threads_.clear();
}

void ListFeeds::run(std::size_t number) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    refresh_if_due(number);
    lock.lock();
    changed_.wait_for(lock, kLookEvery, [this] { return stopping_.load(); });
  }
}

void ListFeeds::refresh_if_due(std::size_t number) {
  ListFeed& feed = feeds_[number];
  const EventTime now = doors_.now();
  if (now < feed.next_refresh()) { return; }
  std::string failure = refresh(feed, now);
  if (now >= feed.next_refresh()) { return; }  // it was broken off: the next start asks again
  if (feed.is_stale(now)) {
    failure = fmt::format("{}: no good answer for more than {} hours; alerts are decided with an old list. {}",
                          feed.name(), feed.config().stale_hours, failure);
  }
  const std::lock_guard lock(mutex_);
  health_[number].failure = std::move(failure);
  health_[number].confirmed = feed.confirmed();
}

// What is wrong with it; empty: nothing.
std::string ListFeeds::refresh(ListFeed& feed, EventTime now) {
  const auto fresh = feed.refresh(now, &stopping_, &turn_);
  if (!fresh) { return fresh.error().message; }
  if (!*fresh) { return {}; }
  if (std::string doubt = feed.doubt(now); !doubt.empty()) { return doubt; }
  const std::lock_guard my_turn(turn_);
  std::vector<FetchedList> lists;
  for (const ListFeed& other : feeds_) {
    const std::optional<std::string>& content = &other == &feed ? feed.candidate() : other.content();
    if (content) { lists.push_back({other.config().role, other.name(), *content}); }
  }
  if (auto in_force = doors_.put_in_force(lists, feed.name()); !in_force) { return in_force.error().message; }
  const std::string before = feed.content().value_or("");
  const auto accepted = feed.accept();
  tell_difference(feed, before);
  return accepted ? std::string{} : accepted.error().message;
}

void ListFeeds::tell_difference(const ListFeed& feed, const std::string& before) const {
  const auto now_in_force = parse_threat_list(feed.name(), *feed.content(), feed.list_options());
  if (!now_in_force) { return; }
  const auto earlier = parse_threat_list(feed.name(), before, feed.list_options());
  doors_.tell(fmt::format("list {}: {}", feed.name(), list_difference(earlier.value_or(ThreatList{}), *now_in_force)));
}

}  // namespace keyvigil
