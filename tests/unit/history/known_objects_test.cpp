#include "history/known_objects.h"

#include <gtest/gtest.h>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kToday = 20'500;
constexpr auto kLimit = static_cast<std::uint32_t>(KnownObjects::kObjects);

void read(KnownObjects& known, std::uint32_t object, std::int64_t day, bool confirmed) {
  if (!known.renew(object, day, confirmed)) { known.add(object, day, confirmed); }
}

KnownObjects full(std::int64_t day) {
  KnownObjects known;
  for (std::uint32_t object = 1; object <= kLimit; ++object) { read(known, object * 7, day, true); }
  return known;
}

TEST(KnownObjects, KnowWhatWasReadForNinetyDays) {
  KnownObjects known;
  EXPECT_FALSE(known.contains(5, kToday));
  read(known, 5, kToday, true);
  EXPECT_TRUE(known.contains(5, kToday));
  EXPECT_FALSE(known.contains(6, kToday));
  EXPECT_TRUE(known.contains(5, kToday + 89));
  EXPECT_FALSE(known.contains(5, kToday + 90));
  read(known, 5, kToday + 40, true);
  EXPECT_TRUE(known.contains(5, kToday + 129)) << "read again";
  read(known, 5, kToday + 10, true);
  EXPECT_TRUE(known.contains(5, kToday + 129)) << "a late event makes nothing older";
}

TEST(KnownObjects, WhatAlertedIsKnownOnceItIsReadOnALaterDay) {
  KnownObjects known;
  read(known, 5, kToday, false);
  EXPECT_FALSE(known.contains(5, kToday));
  read(known, 5, kToday, false);
  EXPECT_FALSE(known.contains(5, kToday));
  read(known, 5, kToday + 1, false);
  EXPECT_TRUE(known.contains(5, kToday + 1));
  read(known, 6, kToday, false);
  read(known, 6, kToday + 1, true);
  EXPECT_TRUE(known.contains(6, kToday + 1)) << "read without an alert";
  read(known, 6, kToday + 2, false);
  EXPECT_TRUE(known.contains(6, kToday + 2)) << "an alert makes nothing unknown";
}

TEST(KnownObjects, AfterNinetyDaysAnUnconfirmedOneStartsAgain) {
  KnownObjects known;
  read(known, 5, kToday, false);
  read(known, 5, kToday + 90, false);
  EXPECT_FALSE(known.contains(5, kToday + 90));
  read(known, 5, kToday + 91, false);
  EXPECT_TRUE(known.contains(5, kToday + 91));
}

TEST(KnownObjects, SayThatTheyDoNotKnowAllWhereThereWasNoRoom) {
  KnownObjects known = full(kToday);
  EXPECT_TRUE(known.knows_all(kToday)) << "as many as there is room for";
  read(known, 7, kToday + 1, true);
  EXPECT_TRUE(known.knows_all(kToday + 1)) << "one of them again";
  read(known, 1'000'000, kToday + 1, true);
  EXPECT_FALSE(known.contains(1'000'000, kToday + 1));
  EXPECT_FALSE(known.knows_all(kToday + 1));
  EXPECT_FALSE(known.knows_all(kToday + 90));
  EXPECT_TRUE(known.knows_all(kToday + 91)) << "what had no room would be forgotten by now";
}

TEST(KnownObjects, WhatIsForgottenMakesRoom) {
  KnownObjects known = full(kToday);
  read(known, 7, kToday + 50, true);
  read(known, 1'000'000, kToday + 90, true);
  EXPECT_TRUE(known.contains(1'000'000, kToday + 90));
  EXPECT_TRUE(known.contains(7, kToday + 90));
  EXPECT_FALSE(known.contains(14, kToday + 90));
  EXPECT_TRUE(known.knows_all(kToday + 90));
}

TEST(KnownObjects, SavingKeepsThemAndDamageIsSeen) {
  KnownObjects known = full(kToday);
  read(known, 1'000'000, kToday, true);
  SnapshotWriter writer;
  writer.write(known);
  KnownObjects loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(reader.read(loaded) && reader.at_end());
  EXPECT_TRUE(loaded.is_sound());
  EXPECT_TRUE(loaded.contains(14, kToday));
  EXPECT_FALSE(loaded.knows_all(kToday));

  // Count u64, then per object: hash u32, day i32, confirmed u8. The second one gets the hash of the first.
  std::string damaged = writer.bytes();
  damaged.replace(8 + 9, 4, damaged.substr(8, 4));
  SnapshotReader again(damaged);
  ASSERT_TRUE(again.read(loaded));
  EXPECT_FALSE(loaded.is_sound()) << "not in order";

  SnapshotReader cut(std::string_view(writer.bytes()).substr(0, 100));
  EXPECT_FALSE(cut.read(loaded));
}

TEST(KnownObjects, MoreThanThereIsRoomForIsDamage) {
  SnapshotWriter writer;
  writer.write(std::uint64_t{KnownObjects::kObjects + 1});
  for (std::uint32_t object = 0; object <= kLimit; ++object) {
    writer.write(object);
    writer.write(std::int32_t{1});
    writer.write(true);
  }
  writer.write(std::int32_t{0});
  KnownObjects loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(reader.read(loaded) && reader.at_end());
  EXPECT_FALSE(loaded.is_sound());
}

}  // namespace
}  // namespace keyvigil
