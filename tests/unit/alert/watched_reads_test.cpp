#include "alert/watched_reads.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

AccessEvent read_at(std::string_view time, std::string_view object, std::string_view vault = "kv-a",
                    std::string_view user = "alice") {
  return EventBuilder().user(user).vault(vault).at(time).object(object).status(200).build();
}

std::vector<std::string> names(const WatchedReads::Reads& reads) {
  std::vector<std::string> found;
  for (const ObjectRead& read : reads.objects) { found.push_back(read.vault + "/" + read.object); }
  return found;
}

TEST(WatchedReads, KeepsNothingOfCallersWhoAreNotSuspected) {
  WatchedReads watched;
  EXPECT_FALSE(watched.add(read_at("2026-09-28T10:00:00Z", "secrets/a")));
  watched.suspect(read_at("2026-09-28T10:00:01Z", "secrets/a"));
  EXPECT_FALSE(watched.add(read_at("2026-09-28T10:00:02Z", "secrets/a", "kv-a", "bob")));
  const AccessEvent bob = read_at("2026-09-28T10:00:03Z", "secrets/b", "kv-a", "bob");
  EXPECT_TRUE(watched.reads_of(caller_hash(bob), {}, EventTime{}, bob.time).objects.empty());
  EXPECT_EQ(watched.suspected_since(caller_hash(bob), bob.time), bob.time);
}

TEST(WatchedReads, NamesWhatWasReadFromTheFirstSuspicionOn) {
  WatchedReads watched;
  watched.suspect(read_at("2026-09-28T10:00:00Z", "secrets/a"));
  EXPECT_TRUE(watched.add(read_at("2026-09-28T10:00:00Z", "secrets/a")));
  EXPECT_TRUE(watched.add(read_at("2026-09-28T10:01:00Z", "secrets/b")));
  EXPECT_TRUE(watched.add(read_at("2026-09-28T10:02:00Z", "secrets/c", "kv-b")));
  const AccessEvent now = read_at("2026-09-28T11:00:00Z", "secrets/d");
  const std::uint64_t alice = caller_hash(now);
  const EventTime since = watched.suspected_since(alice, now.time);
  EXPECT_EQ(to_iso_milliseconds(since), "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(names(watched.reads_of(alice, {}, since, now.time)),
            (std::vector<std::string>{"kv-a/secrets/a", "kv-a/secrets/b", "kv-b/secrets/c"}));
  EXPECT_EQ(names(watched.reads_of(alice, now.vault_id(), since, now.time)),
            (std::vector<std::string>{"kv-a/secrets/a", "kv-a/secrets/b"}));
  EXPECT_EQ(names(watched.reads_of(alice, now.vault_id(), parse_iso_time("2026-09-28T10:00:30Z").value(), now.time)),
            (std::vector<std::string>{"kv-a/secrets/b"}));
}

TEST(WatchedReads, ForgetsADayAfterTheLastSuspicion) {
  WatchedReads watched;
  watched.suspect(read_at("2026-09-28T10:00:00Z", "secrets/a"));
  EXPECT_TRUE(watched.add(read_at("2026-09-28T10:00:00Z", "secrets/a")));
  EXPECT_FALSE(watched.add(read_at("2026-09-29T10:00:01Z", "secrets/b")));
  watched.suspect(read_at("2026-09-30T10:00:00Z", "secrets/c"));
  const AccessEvent now = read_at("2026-09-30T10:00:00Z", "secrets/c");
  EXPECT_EQ(watched.suspected_since(caller_hash(now), now.time), now.time);
  EXPECT_TRUE(watched.reads_of(caller_hash(now), {}, EventTime{}, now.time).objects.empty());
}

TEST(WatchedReads, HoldsTheLastDayOfASuspicionThatNeverEnds) {
  WatchedReads watched;
  for (int day = 10; day < 20; ++day) {
    const AccessEvent event = read_at(fmt::format("2026-09-{}T10:00:00Z", day), fmt::format("secrets/s{}", day));
    watched.suspect(event);
    EXPECT_TRUE(watched.add(event));
  }
  const AccessEvent now = read_at("2026-09-19T11:00:00Z", "secrets/x");
  const EventTime since = watched.suspected_since(caller_hash(now), now.time);
  EXPECT_EQ(to_iso_milliseconds(since), "2026-09-18T11:00:00.000Z");
  EXPECT_EQ(names(watched.reads_of(caller_hash(now), {}, since, now.time)),
            (std::vector<std::string>{"kv-a/secrets/s19"}));
}

TEST(WatchedReads, HasABoundAndSaysWhatWasCut) {
  WatchedReads watched;
  const AccessEvent first = read_at("2026-09-28T10:00:00Z", "secrets/a");
  watched.suspect(first);
  for (std::size_t i = 0; i <= WatchedReads::kReadsPerCaller; ++i) {
    EXPECT_TRUE(watched.add(read_at("2026-09-28T10:00:00Z", fmt::format("secrets/s{}", i))));
  }
  const WatchedReads::Reads reads = watched.reads_of(caller_hash(first), {}, first.time, first.time);
  EXPECT_EQ(reads.objects.size(), WatchedReads::kReadsPerCaller);
  EXPECT_TRUE(reads.cut);
  for (std::size_t i = 0; i < WatchedReads::kCallers + 10; ++i) {
    watched.suspect(read_at("2026-09-28T10:00:01Z", "secrets/a", "kv-a", fmt::format("u{}", i)));
  }
  EXPECT_EQ(watched.watch_count(), WatchedReads::kCallers);
  EXPECT_EQ(watched.suspected_since(caller_hash(first), first.time), first.time) << "suspected longest ago, it went";
}

TEST(WatchedReads, IsSavedAndLoadedAndRefusesWhatIsCut) {
  WatchedReads watched;
  for (const std::string_view user : {"alice", "bob"}) {
    watched.suspect(read_at("2026-09-28T10:00:00Z", "secrets/a", "kv-a", user));
    EXPECT_TRUE(watched.add(read_at("2026-09-28T10:00:00Z", "secrets/a", "kv-a", user)));
  }
  SnapshotWriter writer;
  watched.save(writer);
  WatchedReads loaded;
  SnapshotReader reader(writer.bytes());
  ASSERT_TRUE(loaded.load(reader));
  EXPECT_TRUE(reader.at_end());
  SnapshotWriter again;
  loaded.save(again);
  EXPECT_EQ(again.bytes(), writer.bytes());
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    WatchedReads damaged;
    const std::string bytes = writer.bytes().substr(0, size);
    SnapshotReader cut(bytes);
    EXPECT_FALSE(damaged.load(cut)) << size;
    EXPECT_EQ(damaged.watch_count(), 0U);
  }
}

}  // namespace
}  // namespace keyvigil
