#include "app/list_feed.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

ThreatList list_of(std::string_view content) {
  return parse_threat_list("list", content, {}).value();
}

TEST(ListFeed, ReadsAPageOfACollection) {
  const auto page = parse_taxii_page(R"({"more":true,"next":"42","objects":[{"type":"indicator","id":"a"},{"b":1}]})");
  ASSERT_TRUE(page.has_value());
  EXPECT_TRUE(page->more);
  EXPECT_EQ(page->next, "42");
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_NE(page->objects[0].find("indicator"), std::string::npos);
}

TEST(ListFeed, TakesAnEnvelopeWithoutObjectsAsEmpty) {
  const auto page = parse_taxii_page("{}");
  ASSERT_TRUE(page.has_value());
  EXPECT_TRUE(page->objects.empty());
  EXPECT_FALSE(page->more);
}

TEST(ListFeed, KnowsWhatIsNoEnvelope) {
  for (const char* text : {"", "[]", "<html>", R"({"objects":3})", R"({"objects":[)"}) {
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

}  // namespace
}  // namespace keyvigil
