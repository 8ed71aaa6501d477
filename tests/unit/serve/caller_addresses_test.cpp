#include "serve/caller_addresses.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/snapshot.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

AddressBook book_of(std::string_view content) {
  std::vector<ThreatList> lists;
  lists.push_back(parse_threat_list("feed", content, {}).value());
  return AddressBook(std::move(lists));
}

AccessEvent event_of(int caller, const std::string& address, int day) {
  return EventBuilder()
      .user(fmt::format("u{}", caller))
      .from(address)
      .at(EventTime{(1000 + day) * EventTime::kTicksPerDay})
      .build();
}

TEST(CallerAddresses, CountsACallerOnceAndWithItsNewestAddress) {
  CallerAddresses seen;
  for (int caller = 0; caller < 20; ++caller) { seen.see(event_of(caller, "8.8.8.8", 0)); }
  for (int caller = 0; caller < 5; ++caller) { seen.see(event_of(caller, "9.9.9.9", 1)); }
  const auto reach = seen.reach_of(book_of("9.9.9.9\n9.9.9.0/24\n")).at(0);
  EXPECT_EQ(reach.callers, 20U);
  EXPECT_EQ(reach.matched, 5U);
  EXPECT_TRUE(reach.is_doubtful());
  EXPECT_FALSE(seen.reach_of(book_of("1.1.1.1\n")).at(0).is_doubtful());
}

TEST(CallerAddresses, ForgetsWhoWasNotSeenForAWeekAndJudgesNothingByAFew) {
  CallerAddresses seen;
  for (int caller = 0; caller < 20; ++caller) { seen.see(event_of(caller, "9.9.9.9", 0)); }
  for (int caller = 20; caller < 25; ++caller) { seen.see(event_of(caller, "9.9.9.9", 8)); }
  const auto reach = seen.reach_of(book_of("9.9.9.9\n")).at(0);
  EXPECT_EQ(reach.callers, 5U);
  EXPECT_EQ(reach.matched, 5U);
  EXPECT_FALSE(reach.is_doubtful());
  EXPECT_EQ(seen.size(), 5U);
}

TEST(CallerAddresses, IsTheSameAfterSavingAndLoading) {
  CallerAddresses seen;
  for (int caller = 0; caller < 12; ++caller) { seen.see(event_of(caller, "9.9.9.9", caller % 3)); }
  SnapshotWriter writer;
  writer.write(seen);
  CallerAddresses loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(reader.read(loaded) && reader.at_end());
  EXPECT_EQ(loaded.reach_of(book_of("9.9.9.9\n")).at(0).matched, 12U);
}

}  // namespace
}  // namespace keyvigil
