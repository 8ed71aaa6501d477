#include "history/recent_operations.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "reference/order_events.h"

namespace keyvigil {
namespace {

using reference::make_event;
using Counts = std::map<std::string, std::uint64_t>;

constexpr std::int64_t kHour = 3'600'000;

// Keeps every event of a vault since it was last evicted, and counts on demand.
class NaiveRecentOperations {
 public:
  explicit NaiveRecentOperations(std::size_t limit) : limit_(limit) {}

  void learn(const AccessEvent& event) {
    const std::string id(event.vault_id());
    if (!vaults_.contains(id) && vaults_.size() == limit_) {
      vaults_.erase(std::min_element(vaults_.begin(), vaults_.end(), [](const auto& l, const auto& r) {
        return std::pair(newest(l.second), l.first) < std::pair(newest(r.second), r.first);
      }));
    }
    vaults_[id].push_back(event);
  }
  [[nodiscard]] Counts of_vault(const std::string& id, EventTime at) const {
    Counts counts;
    const auto found = vaults_.find(id);
    if (found == vaults_.end()) { return counts; }
    std::int64_t newest_hour = found->second.front().time.hour();
    for (const AccessEvent& event : found->second) { newest_hour = std::max(newest_hour, event.time.hour()); }
    for (const AccessEvent& event : found->second) {
      const std::int64_t hour = event.time.hour();
      if (hour > newest_hour - 24 && hour > at.hour() - 24 && hour <= at.hour()) {
        ++counts[std::string(event.operation_name())];
      }
    }
    return counts;
  }

 private:
  static std::int64_t newest(const std::vector<AccessEvent>& events) {
    std::int64_t latest = events.front().time.milliseconds();
    for (const AccessEvent& event : events) { latest = std::max(latest, event.time.milliseconds()); }
    return latest;
  }
  std::size_t limit_;
  std::map<std::string, std::vector<AccessEvent>> vaults_;
};

RC_GTEST_PROP(RecentOperations, CountAsTheNaiveOnesDo, ()) {
  const auto limit = static_cast<std::size_t>(*rc::gen::inRange(1, 5));
  RecentOperations recent(limit);
  NaiveRecentOperations naive(limit);
  const int count = *rc::gen::inRange(0, 200);
  for (int i = 0; i < count; ++i) {
    const AccessEvent event =
        make_event({.milliseconds = 100 * kHour + *rc::gen::inRange<std::int64_t>(0, 60) * kHour / 2,
                    .vault = *rc::gen::inRange(0, 6),
                    .operation = *rc::gen::inRange(0, 4)});
    recent.learn(event);
    naive.learn(event);
    if (*rc::gen::inRange(0, 20) == 0) {
      RecentOperations again(limit);
      RC_ASSERT(again.load(recent.save()).has_value());
      RC_ASSERT(again.save() == recent.save());
      recent = std::move(again);
    }
    const EventTime at = EventTime::from_milliseconds(100 * kHour + *rc::gen::inRange<std::int64_t>(0, 60) * kHour / 2);
    const std::string vault(event.vault_id());
    RC_ASSERT(recent.of_vault(vault, at) == naive.of_vault(vault, at));
    RC_ASSERT(recent.vault_count() <= limit);
  }
}

AccessEvent unknown_operation(const std::string& name, std::int64_t milliseconds) {
  AccessEvent event = make_event({.milliseconds = milliseconds});
  event.operation = kUnknownOperation;
  reference::put_text(event, TextField::kOperationName, name);
  return event;
}

TEST(RecentOperations, CountWhatIsOverTheNamesOfAnHourAsOther) {
  RecentOperations recent;
  for (int i = 0; i < 70; ++i) { recent.learn(unknown_operation("Dream" + std::to_string(i), 1000)); }
  const AccessEvent asked = make_event({.milliseconds = 1000});
  const Counts counts = recent.of_vault(asked.vault_id(), asked.time);
  EXPECT_EQ(counts.size(), RecentOperations::kNamesPerHour + 1);
  EXPECT_EQ(counts.at("Other"), 6U);
}

TEST(RecentOperations, KeepABoundedNumberOfNamesOutsideTheTable) {
  RecentOperations recent;
  for (std::int64_t i = 0; i < 1100; ++i) { recent.learn(unknown_operation("Dream" + std::to_string(i), i * kHour)); }
  const AccessEvent asked = make_event({.milliseconds = 1099 * kHour});
  EXPECT_EQ(recent.of_vault(asked.vault_id(), asked.time), (Counts{{"Other", 24}}));
}

TEST(RecentOperations, RefuseSavedStateThatWasCut) {
  RecentOperations recent;
  for (int i = 0; i < 5; ++i) { recent.learn(make_event({.milliseconds = 1000, .vault = i})); }
  const std::string saved = recent.save();
  for (std::size_t size = 0; size < saved.size(); ++size) {
    RecentOperations other;
    EXPECT_FALSE(other.load(std::string_view(saved).substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace keyvigil
