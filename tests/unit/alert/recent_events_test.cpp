#include "alert/recent_events.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

AccessEvent event_of(std::string_view user, std::string_view object, std::int64_t seconds,
                     std::string_view vault = "kv-a") {
  EventBuilder builder;
  const AccessEvent start = builder.at("2026-09-28T00:00:00Z").build();
  return builder.user(user)
      .vault(vault)
      .object(object)
      .status(200)
      .at(EventTime{start.time.ticks + seconds * EventTime::kTicksPerSecond})
      .build();
}

std::vector<std::string> objects_of(const RecentEvents& recent, const AccessEvent& like, EventTime since) {
  std::vector<std::string> objects;
  recent.each_of_caller(caller_hash(like), since,
                        [&](const AccessEvent& event, const EventMarks&) { objects.emplace_back(event.object()); });
  return objects;
}

TEST(RecentEvents, GivesBackWhatACallerDidInOrderWithItsMarks) {
  RecentEvents recent;
  recent.add(event_of("alice", "secrets/a", 1), {.first_touch = true, .operation_class = 15});
  recent.add(event_of("bob", "secrets/b", 2), {});
  recent.watch(event_of("alice", "secrets/c", 3));
  recent.add(event_of("alice", "secrets/c", 3), {.policy_change = true, .late = true});
  std::vector<EventMarks> marks;
  std::vector<std::string> objects;
  const AccessEvent alice = event_of("alice", "secrets/a", 1);
  recent.each_of_caller(caller_hash(alice), alice.time, [&](const AccessEvent& event, const EventMarks& mark) {
    objects.emplace_back(event.object());
    marks.push_back(mark);
  });
  EXPECT_EQ(objects, (std::vector<std::string>{"secrets/a", "secrets/c"}));
  EXPECT_EQ(marks, (std::vector<EventMarks>{{.first_touch = true, .operation_class = 15},
                                            {.policy_change = true, .late = true}}));
  EXPECT_EQ(objects_of(recent, alice, EventTime{alice.time.ticks + 1}), (std::vector<std::string>{"secrets/c"}));
}

TEST(RecentEvents, GivesBackWhatHappenedOnAVaultByWhomever) {
  RecentEvents recent;
  recent.watch(event_of("bob", "secrets/b", 1));
  recent.add(event_of("alice", "secrets/a", 1), {});
  recent.add(event_of("bob", "secrets/b", 2), {});
  recent.add(event_of("bob", "secrets/c", 3, "kv-b"), {});
  std::vector<std::string> objects;
  const AccessEvent first = event_of("alice", "secrets/a", 1);
  recent.each_of_vault(vault_hash(first), first.time,
                       [&](const AccessEvent& event, const EventMarks&) { objects.emplace_back(event.object()); });
  EXPECT_EQ(objects, (std::vector<std::string>{"secrets/a", "secrets/b"}));
}

TEST(RecentEvents, SaysWhatWasForgottenForWantOfRoomAndKeepsTheWatched) {
  RecentEvents recent({.bytes = 2 * EventLog::kSegmentBytes, .watched_bytes = 2 * EventLog::kSegmentBytes});
  const AccessEvent watched = event_of("alice", "secrets/a", 1);
  recent.watch(event_of("alice", "secrets/a", 0));
  recent.add(watched, {});
  const AccessEvent unwatched = event_of("bob", "secrets/b", 2);
  recent.add(unwatched, {});
  for (int i = 0; i < 12'000; ++i) { recent.add(event_of("carol", "secrets/s" + std::to_string(i), 3 + i), {}); }
  EXPECT_GT(recent.forgotten(), 0U);
  EXPECT_EQ(objects_of(recent, watched, watched.time).size(), 1U);
  EXPECT_TRUE(recent.is_complete_for_caller(caller_hash(watched), watched.time));
  EXPECT_TRUE(objects_of(recent, unwatched, unwatched.time).empty());
  EXPECT_FALSE(recent.is_complete_for_caller(caller_hash(unwatched), unwatched.time));
  EXPECT_FALSE(recent.is_complete_for_vault(unwatched.time));
}

TEST(RecentEvents, ForgetsWhatIsOverWithoutAWord) {
  RecentEvents recent;
  for (int i = 0; i < 6'000; ++i) { recent.add(event_of("alice", "secrets/s" + std::to_string(i), i), {}); }
  const std::int64_t days = 3 * 86'400;
  for (int i = 0; i < 6'000; ++i) { recent.add(event_of("bob", "secrets/s" + std::to_string(i), days + i), {}); }
  const AccessEvent alice = event_of("alice", "secrets/s0", 0);
  EXPECT_LT(objects_of(recent, alice, alice.time).size(), 6'000U);
  EXPECT_EQ(recent.forgotten(), 0U);
}

TEST(RecentEvents, BoundsItsWatches) {
  RecentEvents recent({.watched_callers = 3});
  for (int i = 0; i < 10; ++i) { recent.watch(event_of("user" + std::to_string(i), "secrets/a", i)); }
  EXPECT_EQ(recent.watch_count(), 3U);
}

TEST(RecentEvents, SavesEqualBytesAfterLoadingAndRefusesEveryCut) {
  RecentEvents recent;
  recent.watch(event_of("alice", "secrets/a", 0));
  for (int i = 0; i < 5; ++i) { recent.add(event_of(i % 2 == 0 ? "alice" : "bob", "secrets/a", i), {}); }
  SnapshotWriter writer;
  recent.save(writer);
  RecentEvents again;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(again.load(reader));
  EXPECT_TRUE(reader.at_end());
  SnapshotWriter second;
  again.save(second);
  EXPECT_EQ(second.bytes(), writer.bytes());
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    RecentEvents cut;
    SnapshotReader part(std::string_view(writer.bytes()).substr(0, size));
    EXPECT_FALSE(cut.load(part)) << size;
  }
}

}  // namespace
}  // namespace keyvigil
