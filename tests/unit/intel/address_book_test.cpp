#include "intel/address_book.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

IpAddress address(std::string_view text) {
  return parse_ip_address(text).value();
}

ListEntry entry(std::string_view prefix) {
  ListEntry made;
  made.prefix = parse_ip_prefix(prefix).value();
  return made;
}

ListEntry entry(std::string_view prefix, std::string_view from, std::string_view until) {
  ListEntry made = entry(prefix);
  made.valid_from = parse_iso_time(from).value();
  made.valid_until = parse_iso_time(until).value();
  return made;
}

ThreatList list(ListRole role, std::vector<ListEntry> entries) {
  ThreatList made;
  made.role = role;
  made.digest = std::string(32, static_cast<char>('a' + static_cast<int>(role)));
  made.entries = std::move(entries);
  made.labels = {""};
  return made;
}

const EventTime kNoon = parse_iso_time("2026-08-22T12:00:00Z").value();

TEST(AddressBook, AnEmptyBookKnowsNothing) {
  const AddressBook none;
  const AddressBook empty{std::vector<ThreatList>{}};
  for (const AddressBook* book : {&none, &empty}) {
    const AddressFacts facts = book->look_up(address("203.0.113.7"), kNoon);
    EXPECT_FALSE(facts.tor || facts.suspicious || facts.microsoft);
    EXPECT_TRUE(facts.entries.empty());
    EXPECT_FALSE(book->has_role(ListRole::kTor));
  }
}

TEST(AddressBook, EveryRoleOfAnAddressIsReportedWithItsEntries) {
  const AddressBook book({list(ListRole::kTor, {entry("203.0.113.7")}),
                          list(ListRole::kSuspicious, {entry("198.51.100.0/24"), entry("203.0.113.0/24")}),
                          list(ListRole::kServiceTags, {entry("203.0.112.0/23"), entry("2001:db8::/32")})});
  const AddressFacts facts = book.look_up(address("203.0.113.7"), kNoon);
  EXPECT_TRUE(facts.tor && facts.suspicious && facts.microsoft);
  ASSERT_EQ(facts.entries.size(), 3U);
  const ListMatch nearest = book.match(facts.entries[0]);
  EXPECT_EQ(nearest.list, &book.lists()[0]);
  EXPECT_EQ(to_string(nearest.entry->prefix), "203.0.113.7/32");
  EXPECT_EQ(book.match(facts.entries[1]).entry, &book.lists()[1].entries[1]);
  EXPECT_EQ(book.match(facts.entries[2]).entry, &book.lists()[2].entries[0]);

  const AddressFacts neighbour = book.look_up(address("203.0.112.7"), kNoon);
  EXPECT_FALSE(neighbour.tor || neighbour.suspicious);
  EXPECT_TRUE(neighbour.microsoft);
  EXPECT_TRUE(book.look_up(address("2001:db8::7"), kNoon).microsoft);
  EXPECT_TRUE(book.look_up(address("203.0.114.0"), kNoon).entries.empty());
  EXPECT_TRUE(book.look_up(IpAddress{}, kNoon).entries.empty());
}

TEST(AddressBook, ValidityIsJudgedAtEventTime) {
  const AddressBook book(
      {list(ListRole::kSuspicious, {entry("203.0.113.7", "2026-08-22T00:00:00Z", "2026-08-23T00:00:00Z")})});
  const auto listed = [&](std::string_view at) {
    return book.look_up(address("203.0.113.7"), parse_iso_time(at).value()).suspicious;
  };
  EXPECT_FALSE(listed("2026-08-21T23:59:59.9999999Z"));
  EXPECT_TRUE(listed("2026-08-22T00:00:00Z"));
  EXPECT_TRUE(listed("2026-08-22T23:59:59.9999999Z"));
  EXPECT_FALSE(listed("2026-08-23T00:00:00Z"));
  EXPECT_TRUE(book.look_up(address("203.0.113.7"), parse_iso_time("2026-08-24").value()).entries.empty());
}

TEST(AddressBook, NonGlobalAddressesNeverMatch) {
  const AddressBook book({list(ListRole::kSuspicious, {entry("10.0.0.0/8"), entry("0.0.0.0/0"), entry("::/0")})});
  EXPECT_FALSE(book.look_up(address("10.1.2.3"), kNoon).suspicious);
  EXPECT_FALSE(book.look_up(address("192.168.1.1"), kNoon).suspicious);
  EXPECT_FALSE(book.look_up(address("fe80::1"), kNoon).suspicious);
  EXPECT_TRUE(book.look_up(address("203.0.113.7"), kNoon).suspicious);
  EXPECT_TRUE(book.look_up(address("2001:db8::1"), kNoon).suspicious);
}

// Feeds that issue the same address again every hour fill a set far beyond what one look-up returns.
TEST(AddressBook, FlagsAreExactWhereMoreEntriesCoverAnAddressThanAreReturned) {
  std::vector<ListEntry> hourly;
  for (int hour = 0; hour < 500; ++hour) {
    ListEntry made = entry("203.0.113.7");
    made.valid_from = EventTime{hour * EventTime::kTicksPerHour};
    made.valid_until = EventTime{(hour + 1) * EventTime::kTicksPerHour};
    hourly.push_back(made);
  }
  const AddressBook book(
      {list(ListRole::kServiceTags, hourly), list(ListRole::kSuspicious, hourly),
       list(ListRole::kTor, {entry("203.0.112.0/20", "1970-01-01T05:00:00Z", "1970-01-01T06:00:00Z")})});
  const AddressFacts facts = book.look_up(address("203.0.113.7"), EventTime{450 * EventTime::kTicksPerHour});
  EXPECT_TRUE(facts.microsoft && facts.suspicious);
  EXPECT_FALSE(facts.tor);
  EXPECT_EQ(facts.entries.size(), PrefixTable::kCoverLimit);
  EXPECT_TRUE(book.look_up(address("203.0.113.7"), parse_iso_time("1970-01-01T05:30:00Z").value()).tor);
  const AddressFacts after = book.look_up(address("203.0.113.7"), EventTime{500 * EventTime::kTicksPerHour});
  EXPECT_FALSE(after.microsoft || after.suspicious || after.tor);
}

TEST(AddressBook, TheVersionFollowsContentAndRole) {
  const std::string tor = AddressBook({list(ListRole::kTor, {entry("203.0.113.7")})}).version();
  ThreatList suspicious = list(ListRole::kTor, {entry("203.0.113.7")});
  suspicious.role = ListRole::kSuspicious;
  EXPECT_EQ(tor.size(), 32U);
  EXPECT_EQ(tor, AddressBook({list(ListRole::kTor, {entry("203.0.113.7")})}).version());
  EXPECT_NE(tor, AddressBook({suspicious}).version());
  EXPECT_NE(tor, AddressBook().version());
}

TEST(AddressBook, ACopyAnswersForItself) {
  AddressBook copy;
  {
    const AddressBook book({list(ListRole::kTor, {entry("203.0.113.7")})});
    copy = book;
  }
  const AddressFacts facts = copy.look_up(address("203.0.113.7"), kNoon);
  ASSERT_TRUE(facts.tor);
  EXPECT_EQ(copy.match(facts.entries[0]).list, &copy.lists()[0]);
}

}  // namespace
}  // namespace keyvigil
