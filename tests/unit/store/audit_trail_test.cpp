#include "store/audit_trail.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

AuditLine refusal(std::int64_t second, std::string what = "token.refused") {
  return {EventTime{1'790'000'000'000'0000 + second * EventTime::kTicksPerSecond},
          "",
          "198.51.100.1",
          std::move(what),
          "/subscriptions",
          "unknown token"};
}

TEST(AuditTrail, KeepsLinesNewestFirstWithinTheirLength) {
  const StoreFolder folder;
  auto store = folder.open();
  AuditLine line = done_by("alice", "rule.put");
  line.target = std::string(100'000, 'x');
  line.who = "a\xff\xfe";
  ASSERT_TRUE(store->audit(line));
  ASSERT_TRUE(store->audit(done_by("bob", "rule.delete")));
  const auto lines = store->audit_lines(10);
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[0].who, "bob");
  EXPECT_LE((*lines)[1].target.size(), 500U);
  EXPECT_EQ((*lines)[1].who, "a\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ((*lines)[1].outcome, "done");
  EXPECT_EQ(store->audit_lines(1)->size(), 1U);
}

TEST(AuditTrail, AFloodOfRefusalsIsCountedAndLeavesRoomForWhatWasDone) {
  const StoreFolder folder;
  auto store = folder.open();
  for (int i = 0; i < 1000; ++i) { ASSERT_TRUE(store->audit(refusal(0))); }
  EXPECT_EQ(store->audit_lines(5000)->size(), 200U);
  EXPECT_EQ(store->figures()->audit_left_out, 800U);
  ASSERT_TRUE(store->audit(done_by("alice", "alert.dismiss")));
  auto lines = store->audit_lines(2);
  EXPECT_EQ((*lines)[0].who, "alice");
  EXPECT_EQ((*lines)[1].action, "audit.left_out");
  EXPECT_EQ((*lines)[1].outcome, "800 refusals came too fast to be kept");

  ASSERT_TRUE(store->audit(refusal(0)));
  ASSERT_TRUE(store->audit(refusal(3)));
  EXPECT_EQ(store->audit_lines(5000)->size(), 200U + 2U + 2U);
  EXPECT_EQ((*store->audit_lines(2))[1].outcome, "1 refusals came too fast to be kept");
}

TEST(AuditTrail, AClockThatIsPutBackSavesNothing) {
  AuditTrail trail;
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) { admitted += trail.admits(refusal(-i)) ? 1 : 0; }
  EXPECT_EQ(admitted, 200);
}

TEST(AuditTrail, GoesAfterItsRetention) {
  const StoreFolder folder;
  StoreOptions options;
  options.audit_retention_days = 10;
  auto store = folder.open(options);
  AuditLine line = done_by("alice", "old");
  ASSERT_TRUE(store->audit(line));
  line.action = "new";
  line.at.ticks += 9 * EventTime::kTicksPerDay;
  ASSERT_TRUE(store->audit(line));
  ASSERT_TRUE(store->remove_outdated(EventTime{line.at.ticks + 2 * EventTime::kTicksPerDay}));
  const auto lines = store->audit_lines(10);
  ASSERT_EQ(lines->size(), 1U);
  EXPECT_EQ((*lines)[0].action, "new");
}

}  // namespace
}  // namespace keyvigil
