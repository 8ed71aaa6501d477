#include "serve/list_feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "reference/loopback_receiver.h"
#include "unit/source/folder.h"

namespace keyvigil {
namespace {

ThreatList list_of(std::string_view content) {
  return parse_threat_list("list", content, {}).value();
}

TEST(ListFeed, ReadsAPageOfACollection) {
  const auto page = parse_taxii_page(
      R"( {"more":true, "next":"4\u00322","objects" : [{"type":"indicator","id":"a]}"}, {"type":"malware"},[],)"
      R"({"x":{"type":"indicator"}},{"x":"indicator","type":"note"},{"id":"b","type":"indicator"}]} )");
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next, "422");
  ASSERT_EQ(page->indicators.size(), 2U) << "what is no indicator is left out";
  EXPECT_EQ(page->indicators[0], R"({"type":"indicator","id":"a]}"})");
  EXPECT_EQ(page->indicators[1], R"({"id":"b","type":"indicator"})");
}

TEST(ListFeed, TakesAnEnvelopeWithoutObjectsAsEmpty) {
  const auto page = parse_taxii_page("{}");
  ASSERT_TRUE(page.has_value());
  EXPECT_TRUE(page->indicators.empty());
  EXPECT_FALSE(page->more);
}

TEST(ListFeed, KnowsWhatIsNoEnvelope) {
  for (const char* text : {"", "[]", "<html>", R"({"objects":3})", R"({"objects":[)", "3", R"({"objects":[{]})"}) {
    EXPECT_FALSE(parse_taxii_page(text).has_value()) << text;
  }
}

TEST(ListFeed, SaysHowTwoVersionsDiffer) {
  const ThreatList before = list_of("198.51.100.7\n203.0.113.0/24\n203.0.113.0/24\n");
  const ThreatList after = list_of("203.0.113.0/24\n8.8.8.8\n9.9.9.9\n");
  EXPECT_EQ(list_difference(ThreatList{}, before), "2 entries, 2 new, 0 gone");
  EXPECT_EQ(list_difference(before, after), "3 entries, 2 new, 1 gone");
  EXPECT_EQ(list_difference(after, before), "2 entries, 1 new, 2 gone");
  const ThreatList third = list_of("8.8.8.8\n1.1.1.1\n");
  EXPECT_EQ(list_difference(after, third), "2 entries, 1 new, 2 gone");
}

TEST(ListFeed, AFeedThatCannotBeReachedLeavesNothingAndBecomesStale) {
  ListFeedConfig config;
  config.url = "http://127.0.0.1:1/list?token=secret";
  ListFeed feed(config, ::testing::TempDir());
  const EventTime now{1000 * EventTime::kTicksPerDay};
  const auto refreshed = feed.refresh(now);
  ASSERT_FALSE(refreshed.has_value());
  EXPECT_EQ(refreshed.error().message.find("secret"), std::string::npos);
  EXPECT_FALSE(feed.content().has_value());
  EXPECT_FALSE(feed.is_stale(now));
  EXPECT_TRUE(feed.is_stale(EventTime{now.ticks + 3 * EventTime::kTicksPerDay}));
  EXPECT_GT(feed.next_refresh(), now);
}

// A server of one list, as the test says.
class ListServer {
 public:
  void serve(const std::string& list, const std::string& etag) {
    const std::lock_guard lock(mutex_);
    list_ = list;
    etag_ = etag;
    status_ = 200;
  }
  void fail_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  [[nodiscard]] std::string url() const { return receiver_.url("/list.txt"); }
  [[nodiscard]] std::vector<ReceivedRequest> requests() const { return receiver_.requests(); }

 private:
  std::string answer(const ReceivedRequest& request) const {
    const std::lock_guard lock(mutex_);
    const auto known = request.headers.find("if-none-match");
    if (status_ != 200) { return LoopbackReceiver::answer(status_); }
    if (known != request.headers.end() && known->second == etag_) { return LoopbackReceiver::answer(304); }
    return LoopbackReceiver::answer(200, list_, "etag: " + etag_ + "\r\n");
  }

  mutable std::mutex mutex_;
  std::string list_ = "203.0.113.66\n";
  std::string etag_ = "\"one\"";
  int status_ = 200;
  LoopbackReceiver receiver_{[this](const ReceivedRequest& request, std::size_t) { return answer(request); }};
};

const EventTime kNow{20'000 * EventTime::kTicksPerDay};

EventTime after_hours(std::int64_t hours) {
  return {kNow.ticks + hours * EventTime::kTicksPerHour};
}

ListFeedConfig config_of(const std::string& url) {
  ListFeedConfig config;
  config.role = ListRole::kTor;
  config.url = url;
  return config;
}

TEST(ListFeed, AsksAgainWithTheETagAndTakesNotModifiedAsGood) {
  ListServer server;
  const Folder folder;
  ListFeed feed(config_of(server.url()), folder.path());
  auto refreshed = feed.refresh(kNow);
  ASSERT_TRUE(refreshed && *refreshed);
  EXPECT_FALSE(feed.content()) << "it is a candidate until it is accepted";
  ASSERT_TRUE(feed.accept());
  EXPECT_EQ(feed.content(), "203.0.113.66\n");
  refreshed = feed.refresh(after_hours(1));
  ASSERT_TRUE(refreshed);
  EXPECT_FALSE(*refreshed);
  EXPECT_EQ(server.requests().back().headers.at("if-none-match"), "\"one\"");
  EXPECT_EQ(feed.confirmed(), after_hours(1));
  server.serve("203.0.113.99\n", "\"two\"");
  refreshed = feed.refresh(after_hours(2));
  ASSERT_TRUE(refreshed && *refreshed);
  EXPECT_EQ(feed.content(), "203.0.113.66\n");
  ASSERT_TRUE(feed.accept());
  EXPECT_EQ(feed.content(), "203.0.113.99\n");
}

TEST(ListFeed, KeepsTheLastGoodListAndSaysWhenItIsStale) {
  ListServer server;
  const Folder folder;
  ListFeed feed(config_of(server.url()), folder.path());
  ASSERT_TRUE(feed.refresh(kNow));
  ASSERT_TRUE(feed.accept());
  server.fail_with(500);
  EXPECT_FALSE(feed.refresh(after_hours(1)));
  server.serve("<html>sign in</html>", "\"two\"");
  EXPECT_FALSE(feed.refresh(after_hours(2))) << "what is no list is no answer";
  EXPECT_EQ(feed.content(), "203.0.113.66\n");
  EXPECT_FALSE(feed.is_stale(after_hours(48)));
  EXPECT_TRUE(feed.is_stale(after_hours(49)));
  // Its ETag was not taken either.
  EXPECT_FALSE(feed.refresh(after_hours(3)));
  EXPECT_EQ(server.requests().back().headers.at("if-none-match"), "\"one\"");
}

TEST(ListFeed, BeginsWithWhatWasAcceptedAndNotWithWhatWasHeldBack) {
  ListServer server;
  const Folder folder;
  {
    ListFeed feed(config_of(server.url()), folder.path());
    ASSERT_TRUE(feed.refresh(kNow));
    ASSERT_TRUE(feed.accept());
    server.serve("203.0.113.0/24\n", "\"two\"");
    const auto refreshed = feed.refresh(after_hours(1));
    ASSERT_TRUE(refreshed && *refreshed);
  }
  ListFeed feed(config_of(server.url()), folder.path());
  EXPECT_EQ(feed.content(), "203.0.113.66\n");
  EXPECT_EQ(feed.confirmed(), kNow);
  const auto refreshed = feed.refresh(after_hours(2));
  ASSERT_TRUE(refreshed && *refreshed) << "it is offered again";
}

std::string addresses(int count) {
  std::string list;
  for (int i = 0; i < count; ++i) { list += "203.0.113." + std::to_string(i) + "\n"; }
  return list;
}

TEST(ListFeed, HoldsBackAListThatShrinksForADay) {
  ListServer server;
  const Folder folder;
  server.serve(addresses(100), "\"100\"");
  {
    ListFeed feed(config_of(server.url()), folder.path());
    ASSERT_TRUE(feed.refresh(kNow));
    EXPECT_EQ(feed.doubt(kNow), "");
    ASSERT_TRUE(feed.accept());
    server.serve(addresses(50), "\"50\"");
    ASSERT_TRUE(feed.refresh(after_hours(1)));
    EXPECT_EQ(feed.doubt(after_hours(1)), "") << "half of it is left";
    server.serve(addresses(49), "\"49\"");
    ASSERT_TRUE(feed.refresh(after_hours(2)));
    EXPECT_NE(feed.doubt(after_hours(2)).find("shrunk from 100 to 49 entries and is held back until"),
              std::string::npos);
    server.serve("# none\n", "\"none\"");
    ASSERT_TRUE(feed.refresh(after_hours(3)));
    EXPECT_NE(feed.doubt(after_hours(3)).find("to 0 entries"), std::string::npos);
    EXPECT_EQ(feed.content(), addresses(100));
  }
  // A restart in between does not begin the day anew, and asks for the list itself.
  ListFeed feed(config_of(server.url()), folder.path());
  EXPECT_EQ(feed.content(), addresses(100));
  auto refreshed = feed.refresh(after_hours(25));
  ASSERT_TRUE(refreshed) << refreshed.error().message;
  ASSERT_TRUE(*refreshed);
  EXPECT_FALSE(server.requests().back().headers.contains("if-none-match"));
  EXPECT_NE(feed.doubt(after_hours(25)), "");
  ASSERT_TRUE(feed.refresh(after_hours(26)));
  EXPECT_EQ(feed.doubt(after_hours(26)), "") << "a day of the same answers";
  ASSERT_TRUE(feed.accept());
  EXPECT_EQ(feed.content(), "# none\n");
}

TEST(ListFeed, AListThatGrowsAgainIsNoLongerDoubtful) {
  ListServer server;
  const Folder folder;
  server.serve(addresses(100), "\"100\"");
  ListFeed feed(config_of(server.url()), folder.path());
  ASSERT_TRUE(feed.refresh(kNow));
  ASSERT_TRUE(feed.accept());
  server.serve(addresses(10), "\"10\"");
  ASSERT_TRUE(feed.refresh(after_hours(1)));
  EXPECT_NE(feed.doubt(after_hours(1)), "");
  server.serve(addresses(100), "\"100\"");
  auto refreshed = feed.refresh(after_hours(20));
  ASSERT_TRUE(refreshed);
  EXPECT_FALSE(*refreshed) << "it is what is in force";
  server.serve(addresses(10), "\"10\"");
  ASSERT_TRUE(feed.refresh(after_hours(26)));
  EXPECT_NE(feed.doubt(after_hours(26)), "") << "the day begins anew";
}

TEST(ListFeed, TakesASmallListThatShrinksAndOneThatMay) {
  ListServer server;
  const Folder folder;
  server.serve(addresses(19), "\"19\"");
  ListFeed feed(config_of(server.url()), folder.path());
  ASSERT_TRUE(feed.refresh(kNow));
  ASSERT_TRUE(feed.accept());
  server.serve(addresses(1), "\"1\"");
  ASSERT_TRUE(feed.refresh(after_hours(1)));
  EXPECT_EQ(feed.doubt(after_hours(1)), "");
  ASSERT_TRUE(feed.accept());
  server.serve("# none\n", "\"none\"");
  ASSERT_TRUE(feed.refresh(after_hours(2)));
  EXPECT_NE(feed.doubt(after_hours(2)), "") << "an empty one is doubtful always";
  ListFeedConfig config = config_of(server.url());
  config.may_shrink = true;
  ListFeed willing(config, folder.path());
  ASSERT_TRUE(willing.refresh(after_hours(3)));
  EXPECT_EQ(willing.doubt(after_hours(3)), "") << "the operator has said so";
}

TEST(ListFeed, AListOfWhichNothingCanBeUsedIsNoList) {
  ListServer server;
  const Folder folder;
  server.serve("0.0.0.0/1\n10.0.0.0/8\n", "\"one\"");
  ListFeed feed(config_of(server.url()), folder.path());
  const auto refreshed = feed.refresh(kNow);
  ASSERT_FALSE(refreshed);
  EXPECT_NE(refreshed.error().message.find("none that can be used"), std::string::npos) << refreshed.error().message;
  EXPECT_FALSE(feed.confirmed());
  EXPECT_FALSE(feed.content());
}

TEST(ListFeed, AnAnswerOfManySmallPartsIsRefusedBeforeItIsRead) {
  ListServer server;
  const Folder folder;
  std::string many = "{\"objects\":[[]";
  for (int i = 0; i < 100'000; ++i) { many += ",[]"; }
  many += "]}";
  server.serve(many, "\"one\"");
  ListFeedConfig config = config_of(server.url());
  config.json_tree_bytes = std::size_t{1} << 20;
  ListFeed feed(config, folder.path());
  const auto refreshed = feed.refresh(kNow);
  ASSERT_FALSE(refreshed);
  EXPECT_NE(refreshed.error().message.find("more than 1 MiB of memory"), std::string::npos)
      << refreshed.error().message;
  // As a collection, what is no indicator takes nothing.
  config.taxii = true;
  ListFeed collection(config, folder.path());
  const auto empty = collection.refresh(kNow);
  ASSERT_TRUE(empty) << empty.error().message;
}

TEST(ListFeed, AnAnswerOfTooManyEntriesIsRefused) {
  ListServer server;
  const Folder folder;
  std::string many;
  for (int i = 0; i <= 2'000'000; ++i) { many += "203.0.113.1\n"; }
  server.serve(many, "\"one\"");
  ListFeed feed(config_of(server.url()), folder.path());
  const auto refreshed = feed.refresh(kNow);
  ASSERT_FALSE(refreshed);
  EXPECT_NE(refreshed.error().message.find("more than 2,000,000 entries"), std::string::npos)
      << refreshed.error().message;
}

// What is said of a collection that never ends, from a server that takes so long for a page.
std::string endless_collection(std::chrono::milliseconds page_takes, std::int64_t fetch_seconds) {
  const LoopbackReceiver receiver([&](const ReceivedRequest&, std::size_t) {
    std::this_thread::sleep_for(page_takes);
    return LoopbackReceiver::answer(200, R"({"more":true,"next":"1","objects":[]})");
  });
  ListFeedConfig config = config_of(receiver.url("/objects/"));
  config.taxii = true;
  config.fetch_seconds = fetch_seconds;
  const Folder folder;
  ListFeed feed(config, folder.path());
  const auto refreshed = feed.refresh(kNow);
  return refreshed ? "a list" : refreshed.error().message;
}

TEST(ListFeed, ACollectionWithoutEndIsGivenUp) {
  const std::string pages = endless_collection(std::chrono::milliseconds(0), 300);
  EXPECT_NE(pages.find("expected at most 2000 pages"), std::string::npos) << pages;
  const std::string seconds = endless_collection(std::chrono::milliseconds(5), 1);
  EXPECT_NE(seconds.find("expected at most 1 seconds for all pages"), std::string::npos) << seconds;
}

TEST(ListFeed, ReadsACollectionPageByPage) {
  const std::string indicator =
      R"({"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-00000000000%",)"
      R"("created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",)"
      R"("pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.%']"})";
  const auto object = [&](char digit) {
    std::string text = indicator;
    std::replace(text.begin(), text.end(), '%', digit);
    return text;
  };
  const LoopbackReceiver receiver([&](const ReceivedRequest& request, std::size_t) {
    const std::string type = "content-type: application/taxii+json;version=2.1\r\n";
    const bool second = request.line.find("next=p%2F2") != std::string::npos;
    return LoopbackReceiver::answer(200,
                                    second ? R"({"more":false,"objects":[)" + object('9') + "]}"
                                           : R"({"more":true,"next":"p/2","objects":[)" + object('7') + "]}",
                                    type);
  });
  ListFeedConfig config = config_of(receiver.url("/api/collections/one/objects/"));
  config.taxii = true;
  config.authorization = "Bearer secret";
  const Folder folder;
  ListFeed feed(config, folder.path());
  auto refreshed = feed.refresh(kNow);
  ASSERT_TRUE(refreshed) << refreshed.error().message;
  ASSERT_TRUE(*refreshed);
  ASSERT_TRUE(feed.accept());
  const auto list = parse_threat_list(feed.name(), *feed.content(), {});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->entries.size(), 2U);
  ASSERT_EQ(receiver.requests().size(), 2U);
  for (const ReceivedRequest& request : receiver.requests()) {
    EXPECT_EQ(request.headers.at("accept"), "application/taxii+json;version=2.1");
    EXPECT_EQ(request.headers.at("authorization"), "Bearer secret");
  }
  refreshed = feed.refresh(after_hours(1));
  ASSERT_TRUE(refreshed);
  EXPECT_FALSE(*refreshed) << "equal objects are no news";
}

}  // namespace
}  // namespace keyvigil
