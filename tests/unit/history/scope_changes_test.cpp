#include "history/scope_changes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace keyvigil {
namespace {

constexpr const char* kVault = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-a";
constexpr std::int64_t kHour = EventTime::kTicksPerHour;
constexpr std::uint64_t kAnn = 17;

EventTime hour(std::int64_t hours) {
  return EventTime{1'000'000 * kHour + hours * kHour};
}

TEST(ScopeChanges, CoverEveryVaultInTheScopeForADay) {
  ScopeChanges changes;
  EXPECT_FALSE(changes.may_hold(hour(0)));
  EXPECT_TRUE(changes.add(kAnn, "/subscriptions/s", hour(0)));
  EXPECT_TRUE(changes.may_hold(hour(24)));
  EXPECT_EQ(changes.find(kAnn, kVault, hour(24)), hour(0));
  EXPECT_FALSE(changes.find(kAnn, kVault, hour(25)));
  EXPECT_FALSE(changes.find(kAnn + 1, kVault, hour(1)));
  EXPECT_FALSE(changes.find(kAnn, "/subscriptions/t/x", hour(1)));
}

TEST(ScopeChanges, OfTheVaultAloneLeaveWiderOnesOut) {
  ScopeChanges changes;
  EXPECT_TRUE(changes.add(kAnn, "/subscriptions/s", hour(0)));
  EXPECT_FALSE(changes.find(kAnn, kVault, hour(1), true));
  EXPECT_TRUE(changes.add(kAnn, kVault, hour(2)));
  EXPECT_EQ(changes.find(kAnn, kVault, hour(3), true), hour(2));
}

TEST(ScopeChanges, TheSameWithinADayIsOne) {
  ScopeChanges changes;
  EXPECT_TRUE(changes.add(kAnn, kVault, hour(0)));
  EXPECT_FALSE(changes.add(kAnn, kVault, hour(23)));
  EXPECT_TRUE(changes.add(kAnn, kVault, hour(25)));
}

TEST(ScopeChanges, WhatABegunRequestTellsIsKeptForADay) {
  ScopeChanges changes;
  changes.begin(1, kAnn, hour(0));
  EXPECT_EQ(changes.principal_of(1, hour(1)), kAnn);
  EXPECT_EQ(changes.principal_of(2, hour(1)), 0U);
  EXPECT_EQ(changes.principal_of(1, hour(25)), 0U);
}

TEST(ScopeChanges, AFloodDropsTheOldestAndCountsThem) {
  ScopeChanges changes;
  for (std::uint64_t i = 0; i < ScopeChanges::kChanges + 10; ++i) {
    (void)changes.add(100 + i, fmt::format("/subscriptions/{}", i), hour(0));
  }
  for (std::uint64_t i = 0; i < ScopeChanges::kBegun + 5; ++i) { changes.begin(i, kAnn, hour(0)); }
  EXPECT_EQ(changes.dropped(), 15U);
  EXPECT_FALSE(changes.find(100, "/subscriptions/0/x", hour(0)));
  EXPECT_TRUE(changes.find(110, "/subscriptions/10/x", hour(0)));
}

TEST(ScopeChanges, AreSavedWhole) {
  ScopeChanges changes;
  (void)changes.add(kAnn, "/subscriptions/s", hour(0));
  changes.begin(1, kAnn, hour(0));
  SnapshotWriter writer;
  changes.save(writer);
  const std::string bytes = writer.bytes();
  SnapshotReader reader(bytes);
  ScopeChanges loaded;
  ASSERT_TRUE(loaded.load(reader));
  EXPECT_EQ(loaded.find(kAnn, kVault, hour(1)), hour(0));
  EXPECT_EQ(loaded.principal_of(1, hour(1)), kAnn);
}

}  // namespace
}  // namespace keyvigil
