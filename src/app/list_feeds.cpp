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
    : feeds_(std::move(feeds)), doors_(std::move(doors)) {
  for (const ListFeed& feed : feeds_) {
    ListHealth& health = health_.emplace_back();
    health.name = feed.name();
    health.role = to_string(feed.config().role);
    health.confirmed = feed.confirmed();
    health.interval_minutes = feed.config().interval_minutes;
  }
}

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

std::vector<ListHealth> ListFeeds::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
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
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    ListFeed& feed = feeds_[i];
    const EventTime now = doors_.now();
    if (now < feed.next_refresh()) { continue; }
    std::string failure = refresh(feed, now);
    if (feed.is_stale(now)) {
      failure = fmt::format("{}: no good answer for more than {} hours; alerts are decided with an old list. {}",
                            feed.name(), feed.config().stale_hours, failure);
    }
    const std::lock_guard lock(mutex_);
    health_[i].failure = std::move(failure);
    health_[i].confirmed = feed.confirmed();
  }
}

// What is wrong with it; empty: nothing.
std::string ListFeeds::refresh(ListFeed& feed, EventTime now) {
  const auto fresh = feed.refresh(now);
  if (!fresh) { return fresh.error().message; }
  if (!*fresh) { return {}; }
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
  ListOptions options;
  options.role = feed.config().role;
  const auto now_in_force = parse_threat_list(feed.name(), *feed.content(), options);
  if (!now_in_force) { return; }
  const auto earlier = parse_threat_list(feed.name(), before, options);
  doors_.tell(fmt::format("list {}: {}", feed.name(), list_difference(earlier.value_or(ThreatList{}), *now_in_force)));
}

}  // namespace keyvigil
