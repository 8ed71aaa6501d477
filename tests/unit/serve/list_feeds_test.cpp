#include "serve/list_feeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "reference/loopback_receiver.h"
#include "unit/source/folder.h"

namespace keyvigil {
namespace {

// Two lists; doors that hold back what is told to be doubtful.
class ListFeedsTest : public testing::Test {
 protected:
  void open() {
    std::vector<ListFeedConfig> configs(2);
    configs[0].role = ListRole::kTor;
    configs[0].url = server_.url("/tor?token=secret");
    configs[1].url = server_.url("/suspicious");
    ListFeedDoors doors;
    doors.put_in_force = [this](const std::vector<FetchedList>& lists, const std::string& fresh) {
      return put_in_force(lists, fresh);
    };
    doors.tell = [](const std::string&) {};
    doors.now = [] { return EventTime{20'000 * EventTime::kTicksPerDay}; };
    auto opened = ListFeeds::open(std::move(configs), folder_.path() + "/lists", std::move(doors));
    ASSERT_TRUE(opened) << opened.error().message;
    feeds_ = *std::move(opened);
  }
  // Starts, and stops once both were asked for.
  void run() {
    feeds_->start();
    const auto begun = std::chrono::steady_clock::now();
    const auto asked = [&] {
      const auto health = feeds_->health();
      return std::ranges::all_of(health,
                                 [](const ListHealth& list) { return list.confirmed || !list.failure.empty(); });
    };
    while (!asked() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    feeds_->stop();
  }
  Result<void> put_in_force(const std::vector<FetchedList>& lists, const std::string& fresh) {
    const std::lock_guard lock(mutex_);
    if (fresh.ends_with(doubtful_)) { return fail(ErrorKind::kLimit, fresh + " is held back"); }
    in_force_.clear();
    for (const FetchedList& list : lists) {
      in_force_.push_back(list.name.substr(list.name.rfind('/')) + list.content);
    }
    return {};
  }

  std::string doubtful_ = "/nothing";
  LoopbackReceiver server_{[](const ReceivedRequest& request, std::size_t) {
    return LoopbackReceiver::answer(200,
                                    request.line.find("/tor") == std::string::npos ? "203.0.113.2\n" : "203.0.113.1\n");
  }};
  Folder folder_;
  std::unique_ptr<ListFeeds> feeds_;
  std::mutex mutex_;
  std::vector<std::string> in_force_;
  using Lists = std::vector<std::string>;
};

TEST_F(ListFeedsTest, PutsAllListsInForceAndKeepsThem) {
  open();
  EXPECT_TRUE(feeds_->kept().empty());
  run();
  EXPECT_EQ(in_force_, (Lists{"/tor203.0.113.1\n", "/suspicious203.0.113.2\n"}));
  const auto health = feeds_->health();
  ASSERT_EQ(health.size(), 2U);
  EXPECT_EQ(health[0].role, "tor");
  EXPECT_EQ(health[0].name.find("secret"), std::string::npos);
  EXPECT_EQ(health[0].failure, "");
  EXPECT_TRUE(health[1].confirmed.has_value());
  feeds_.reset();
  open();
  EXPECT_EQ(feeds_->kept().size(), 2U) << "the next start has them before the first answer";
}

TEST_F(ListFeedsTest, IsReplacedAndKeepsWhatIsAsBefore) {
  open();
  run();
  std::vector<ListFeedConfig> configs(2);
  configs[0].url = server_.url("/suspicious");
  configs[1].url = server_.url("/new");
  const auto names = [](const std::vector<FetchedList>& lists) {
    Lists found;
    for (const FetchedList& list : lists) { found.push_back(list.name.substr(list.name.rfind('/'))); }
    return found;
  };
  EXPECT_EQ(names(feeds_->kept_with(configs)), Lists{"/suspicious"}) << "what would be in force";
  EXPECT_EQ(names(feeds_->kept()), (Lists{"/tor", "/suspicious"})) << "nothing has changed";
  const std::size_t asked = server_.requests().size();
  feeds_->replace(configs);
  EXPECT_EQ(names(feeds_->kept()), Lists{"/suspicious"});
  auto health = feeds_->health();
  ASSERT_EQ(health.size(), 2U);
  EXPECT_TRUE(health[0].confirmed.has_value());
  EXPECT_FALSE(health[1].confirmed.has_value());
  run();
  EXPECT_EQ(server_.requests().size(), asked + 1) << "only the new one is due";
  EXPECT_EQ(in_force_, (Lists{"/suspicious203.0.113.2\n", "/new203.0.113.2\n"}));
  // Other settings: asked again, with what was kept in force meanwhile.
  configs[0].interval_minutes = 7;
  feeds_->replace(configs);
  EXPECT_EQ(names(feeds_->kept()), (Lists{"/suspicious", "/new"}));
  EXPECT_EQ(feeds_->health()[0].interval_minutes, 7);
  run();
  feeds_->replace({});
  EXPECT_TRUE(feeds_->kept().empty());
  EXPECT_TRUE(feeds_->health().empty());
}

TEST_F(ListFeedsTest, StopsWithoutWaitingForAnAnswerAndAsksAgain) {
  std::atomic<int> asked = 0;
  LoopbackReceiver slow([&](const ReceivedRequest&, std::size_t) {
    if (++asked == 1) { std::this_thread::sleep_for(std::chrono::seconds(5)); }
    return LoopbackReceiver::answer(200, "203.0.113.1\n");
  });
  open();
  std::vector<ListFeedConfig> configs(1);
  configs[0].url = slow.url("/tor");
  feeds_->replace(configs);
  feeds_->start();
  while (asked == 0) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
  feeds_->stop();
  EXPECT_EQ(feeds_->health()[0].failure, "") << "it was not the list that failed";
  EXPECT_TRUE(in_force_.empty());
  run();
  EXPECT_EQ(in_force_, Lists{"/tor203.0.113.1\n"});
}

TEST_F(ListFeedsTest, AnAnswerThatDoesNotComeDelaysNoOtherList) {
  std::atomic<bool> asked = false;
  std::atomic<bool> over = false;
  LoopbackReceiver hanging([&](const ReceivedRequest&, std::size_t) {
    asked = true;
    while (!over) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    return std::string();
  });
  open();
  std::vector<ListFeedConfig> configs(2);
  configs[0].url = hanging.url("/tor");
  configs[1].url = server_.url("/suspicious");
  feeds_->replace(configs);
  feeds_->start();
  const auto begun = std::chrono::steady_clock::now();
  const auto done = [&] { return asked && feeds_->health()[1].confirmed; };
  while (!done() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(feeds_->health()[1].confirmed) << "the second list did not wait for the first";
  EXPECT_FALSE(feeds_->health()[0].confirmed);
  feeds_->stop();
  over = true;
  EXPECT_EQ(in_force_, Lists{"/suspicious203.0.113.2\n"});
}

TEST_F(ListFeedsTest, AListThatIsHeldBackHoldsBackNoOther) {
  doubtful_ = "/tor";
  open();
  run();
  EXPECT_EQ(in_force_, Lists{"/suspicious203.0.113.2\n"});
  const auto health = feeds_->health();
  EXPECT_NE(health[0].failure.find("held back"), std::string::npos);
  EXPECT_EQ(health[1].failure, "");
  feeds_.reset();
  open();
  ASSERT_EQ(feeds_->kept().size(), 1U) << "nor is it in force after the next start";
  EXPECT_TRUE(feeds_->kept().front().name.ends_with("/suspicious"));
}

}  // namespace
}  // namespace keyvigil
