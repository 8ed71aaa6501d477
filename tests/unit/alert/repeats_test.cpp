#include "alert/repeats.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {
namespace {

constexpr std::string_view kTorAddress = "203.0.113.7";
constexpr std::string_view kListedAddress = "198.51.100.5";
constexpr std::string_view kCleanAddress = "192.0.2.44";

EventBuilder read_secret(std::string_view time, std::string_view address, std::string_view object = "secrets/db") {
  EventBuilder builder;
  builder.user("alice").at(time).from(address).object(object).status(200);
  return builder;
}

TEST(Repeats, OpensOneAlertPerTypeCallerVaultAndDay) {
  ListWorld world;
  std::vector<AccessEvent> events;
  events.push_back(read_secret("2026-09-28T10:00:00.123Z", kTorAddress).build());
  events.push_back(read_secret("2026-09-28T10:00:01Z", kTorAddress).build());              // joins
  events.push_back(read_secret("2026-09-28T10:00:02Z", kListedAddress).build());           // another type
  events.push_back(read_secret("2026-09-28T10:00:03Z", kTorAddress).user("bob").build());  // another caller
  events.push_back(read_secret("2026-09-28T10:00:04Z", kTorAddress).vault("kv-b").build());
  events.push_back(read_secret("2026-09-29T00:00:00Z", kTorAddress).build());  // another day
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 5U);
  EXPECT_EQ(alerts[0].type, AlertType::kTORAccess);
  EXPECT_EQ(alerts[0].suspicious_events, 2U);
  EXPECT_EQ(to_iso_milliseconds(alerts[0].start), "2026-09-28T10:00:00.123Z");
  EXPECT_EQ(alerts[0].start, alerts[0].generated);
  for (std::size_t i = 1; i < alerts.size(); ++i) { EXPECT_NE(alerts[0].id, alerts[i].id); }
}

TEST(Repeats, SayWhichAlertsAnEventRaisedForTheFirstTime) {
  ListWorld world;
  Repeats repeats;
  const auto opened_by = [&](const AccessEvent& event) {
    std::vector<Alert> closed;
    repeats.advance(event.time, closed);
    repeats.observe(event, world.decide(event), world.book());
    return repeats.opened_types();
  };
  const AccessEvent first = read_secret("2026-09-28T10:00:00Z", kTorAddress).build();
  EXPECT_EQ(opened_by(first), std::vector{AlertType::kTORAccess});
  EXPECT_EQ(opened_by(read_secret("2026-09-28T10:00:01Z", kTorAddress).build()), std::vector<AlertType>());
  EXPECT_EQ(opened_by(read_secret("2026-09-28T10:00:02Z", kCleanAddress).build()), std::vector<AlertType>());
  EXPECT_EQ(opened_by(read_secret("2026-09-28T10:00:03Z", kListedAddress).build()),
            std::vector{AlertType::kSuspiciousIPAccess});
  // Days after both were closed, a late hit of that day raises the first again: it is no new one.
  EXPECT_EQ(opened_by(read_secret("2026-10-08T10:00:00Z", kCleanAddress).build()), std::vector<AlertType>());
  EXPECT_EQ(opened_by(first), std::vector<AlertType>());
}

TEST(Repeats, NamesAnAnonymousAlertByItsAddress) {
  ListWorld world;
  std::vector<AccessEvent> events;
  for (const std::string_view address : {"203.0.113.7", "203.0.113.8", "203.0.113.7"}) {
    events.push_back(EventBuilder().anonymous().operation("Authentication").from(address).status(401).build());
  }
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].subject, SubjectKind::kAddress);
  EXPECT_EQ(alerts[0].suspicious_events + alerts[1].suspicious_events, 3U);
}

TEST(Repeats, GivesEqualIdsToEqualHitsOfTheDay) {
  ListWorld world;
  const std::vector<AccessEvent> early = {read_secret("2026-09-28T01:00:00Z", kTorAddress).build()};
  const std::vector<AccessEvent> late = {read_secret("2026-09-28T23:59:59.999Z", "203.0.113.200").build()};
  EXPECT_EQ(world.run_all(early).front().id, world.run_all(late).front().id);
}

TEST(Repeats, KeepsOneCallersAddressesTogether) {
  ListWorld world;
  const std::vector<AccessEvent> events = {read_secret("2026-09-28T01:00:00Z", "203.0.113.7").build(),
                                           read_secret("2026-09-28T02:00:00Z", "203.0.113.8").build()};
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].addresses.items, (std::vector<std::string>{"203.0.113.7", "203.0.113.8"}));
}

TEST(Repeats, RevisesAtPowersOfTwoAndOnceMoreWhenItCloses) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  std::vector<std::uint64_t> revisions;
  for (int i = 0; i < 9; ++i) {
    const std::vector<AccessEvent> one = {read_secret("2026-09-28T10:00:00Z", kTorAddress).build()};
    world.run(repeats, one, closed);
    revisions.push_back(repeats.open_alerts().front().revision);
  }
  EXPECT_EQ(revisions, (std::vector<std::uint64_t>{1, 2, 2, 3, 3, 3, 3, 4, 4}));
  repeats.finish(closed);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].revision, 5U);
  EXPECT_FALSE(closed[0].open);
}

TEST(Repeats, ClosesFortyEightHoursAfterTheEndOfTheDay) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  const std::vector<AccessEvent> one = {read_secret("2026-09-28T10:00:00Z", kTorAddress).build()};
  world.run(repeats, one, closed);
  repeats.advance(parse_iso_time("2026-09-30T23:59:59.999Z").value(), closed);
  EXPECT_TRUE(closed.empty());
  repeats.advance(parse_iso_time("2026-10-01T00:00:00Z").value(), closed);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(repeats.open_count(), 0U);
}

TEST(Repeats, ContinuesTheRevisionsOfAnAlertThatIsRaisedAgain) {
  ListWorld world;
  std::vector<AccessEvent> events;
  events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress).build());
  events.push_back(read_secret("2026-10-05T10:00:00Z", kCleanAddress).build());
  events.push_back(read_secret("2026-09-28T09:00:00Z", kTorAddress).build());  // a week late
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].id, alerts[1].id);
  EXPECT_EQ(alert_name(alerts[0]), alert_name(alerts[1]));
  EXPECT_EQ(alerts[0].revision, 1U);
  EXPECT_EQ(alerts[1].revision, 2U);
  EXPECT_TRUE(alerts[1].continued);
  EXPECT_EQ(to_iso_milliseconds(alerts[1].first_event), "2026-09-28T09:00:00.000Z");
}

TEST(Repeats, JoinsOtherEventsOfTheCallerForADay) {
  ListWorld world;
  std::vector<AccessEvent> events;
  events.push_back(read_secret("2026-09-28T09:59:59Z", kCleanAddress, "secrets/before").build());
  events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress, "secrets/first").build());
  events.push_back(read_secret("2026-09-28T11:00:00Z", kCleanAddress, "secrets/after").build());
  events.push_back(read_secret("2026-09-28T11:00:01Z", kCleanAddress, "secrets/gone").status(404).build());
  events.push_back(read_secret("2026-09-28T11:00:02Z", kCleanAddress).user("bob").build());
  events.push_back(read_secret("2026-09-28T11:00:03Z", kCleanAddress).vault("kv-b").build());
  events.push_back(read_secret("2026-09-29T10:00:00Z", kCleanAddress, "secrets/last").build());
  events.push_back(read_secret("2026-09-29T10:00:00.001Z", kCleanAddress, "secrets/too-late").build());
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].suspicious_events, 1U);
  EXPECT_EQ(alerts[0].related_events, 3U);
  EXPECT_EQ(alerts[0].related_unlisted, 3U);
  EXPECT_EQ(alerts[0].related_outcomes[static_cast<std::size_t>(Outcome::kNotFound)], 1U);
  EXPECT_EQ(alerts[0].objects_read, (std::set<ObjectRead>{{"kv-a", "secrets/first", ""}}));
  EXPECT_EQ(alerts[0].also_read, (std::set<ObjectRead>{{"kv-a", "secrets/after", ""}, {"kv-a", "secrets/last", ""}}));
  EXPECT_EQ(alerts[0].suspicious_operations, (OperationCounts{{"SecretGet", 1}}));
}

TEST(Repeats, ListsEveryVersionThatWasRead) {
  ListWorld world;
  std::vector<AccessEvent> events;
  for (const std::string_view version : {"", "0123456789abcdef0123456789abcdef", ""}) {
    events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress).object("secrets/db", version).build());
  }
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].objects_read.size(), 2U);
  EXPECT_EQ(alerts[0].credential_reads, 3U);
}

TEST(Repeats, TakesOnlyCredentialReadsIntoTheRotationList) {
  ListWorld world;
  std::vector<AccessEvent> events;
  events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress).operation("SecretList").build());
  events.push_back(read_secret("2026-09-28T10:00:01Z", kTorAddress).status(403).build());
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_TRUE(alerts[0].objects_read.empty());
  EXPECT_EQ(alerts[0].credential_reads, 0U);
}

TEST(Repeats, SaysThatTheRotationListIsCut) {
  ListWorld world;
  Repeats repeats(RepeatsLimits{.objects = 3});
  std::vector<Alert> closed;
  std::vector<AccessEvent> events;
  for (int i = 0; i < 4; ++i) {
    events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress, "secrets/s" + std::to_string(i)).build());
  }
  world.run(repeats, events, closed);
  repeats.finish(closed);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].objects_read.size(), 3U);
  EXPECT_TRUE(closed[0].objects_cut);
  EXPECT_EQ(repeats.statistics().objects_left_out, 1U);
}

TEST(Repeats, BoundsEveryPieceOfEvidenceAndKeepsTheTotals) {
  ListWorld world;
  std::vector<AccessEvent> events;
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(i);
    EventBuilder builder = read_secret("2026-09-28T10:00:00Z", "203.0.113." + std::to_string(i % 200 + 10));
    builder.object("secrets/s" + number)
        .operation("Invented" + number + "Get")
        .set(TextField::kClientInfo, "agent " + number);
    events.push_back(builder.build());
  }
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 1U);
  const Alert& alert = alerts[0];
  EXPECT_EQ(alert.records.size(), 100U);
  EXPECT_EQ(alert.records_total, 300U);
  EXPECT_EQ(alert.client_infos.items.size(), kClientInfoLimit);
  EXPECT_EQ(alert.client_infos.left_out, 300U - kClientInfoLimit);
  EXPECT_EQ(alert.targets.items.size(), kTargetLimit);
  EXPECT_EQ(alert.addresses.items.size(), kAddressLimit);
  EXPECT_EQ(alert.suspicious_operations.size(), kOperationNameLimit + 1);
  EXPECT_EQ(alert.suspicious_operations.at("other"), 300U - kOperationNameLimit);
}

TEST(Repeats, ClosesTheOldestEarlyWhenThereIsNoRoom) {
  ListWorld world;
  Repeats repeats(RepeatsLimits{.open_alerts = 2});
  std::vector<Alert> closed;
  std::vector<AccessEvent> events;
  for (const std::string_view name : {"alice", "bob", "carol"}) {
    events.push_back(read_secret("2026-09-28T10:00:00Z", kTorAddress).user(name).build());
  }
  events[1].time.ticks += EventTime::kTicksPerSecond;
  events[2].time.ticks += 2 * EventTime::kTicksPerSecond;
  world.run(repeats, events, closed);
  EXPECT_EQ(repeats.open_count(), 2U);
  repeats.finish(closed);
  ASSERT_EQ(closed.size(), 3U);
  EXPECT_TRUE(closed[0].closed_early);
  EXPECT_EQ(closed[0].caller.user_name, "alice@contoso.com");
  EXPECT_FALSE(closed[1].closed_early);
  EXPECT_EQ(repeats.statistics().closed_early, 1U);
}

TEST(Repeats, NamesFilesAndLinesOnlyWhereAsked) {
  ListWorld world;
  Repeats repeats({}, [](std::uint32_t input) { return "input" + std::to_string(input) + ".json"; });
  std::vector<Alert> closed;
  const std::vector<AccessEvent> one = {read_secret("2026-09-28T10:00:00Z", kTorAddress).place(2, 17).build()};
  world.run(repeats, one, closed);
  repeats.finish(closed);
  EXPECT_EQ(closed[0].records[0].file, "input2.json");
  EXPECT_EQ(closed[0].records[0].line, 17U);
  EXPECT_EQ(world.run_all(one)[0].records[0].file, "");
}

TEST(Repeats, KeepsTheOtherListsOfATorAddressAsEvidence) {
  ListWorld world;
  const std::vector<AccessEvent> one = {read_secret("2026-09-28T10:00:00Z", "203.0.113.9").build()};
  const std::vector<Alert> alerts = world.run_all(one);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].type, AlertType::kTORAccess);
  ASSERT_EQ(alerts[0].lists.size(), 2U);
  EXPECT_NE(alerts[0].lists[0].list_name, alerts[0].lists[1].list_name);
  EXPECT_EQ(alerts[0].list_version, world.book().version());
}

TEST(Repeats, NotesHitsThatCameLate) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  const AccessEvent event = read_secret("2026-09-28T10:00:00Z", kTorAddress).build();
  repeats.observe(event, world.decide(event, true), world.book());
  EXPECT_EQ(repeats.open_alerts().front().late_events, 1U);
}

std::string saved(const Repeats& repeats) {
  SnapshotWriter writer;
  repeats.save(writer);
  return writer.bytes();
}

std::vector<AccessEvent> mixed_events() {
  std::vector<AccessEvent> events;
  for (int i = 0; i < 40; ++i) {
    const std::string_view address = i % 3 == 0 ? kTorAddress : i % 3 == 1 ? kListedAddress : kCleanAddress;
    EventBuilder builder = read_secret("2026-09-28T10:00:00Z", address, "secrets/s" + std::to_string(i % 7));
    builder.user(i % 2 == 0 ? "alice" : "bob").status(i % 5 == 0 ? 403 : 200);
    builder.at(EventTime{builder.build().time.ticks + i * 4 * EventTime::kTicksPerHour});
    events.push_back(builder.build());
  }
  return events;
}

TEST(Repeats, SavesEqualBytesAfterLoading) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  world.run(repeats, mixed_events(), closed);
  ASSERT_GT(repeats.open_count(), 2U);
  ASSERT_FALSE(closed.empty());
  const std::string bytes = saved(repeats);
  Repeats again;
  SnapshotReader reader(bytes);
  ASSERT_TRUE(again.load(reader));
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(saved(again), bytes);
  EXPECT_EQ(again.statistics(), repeats.statistics());
}

TEST(Repeats, RefusesEveryCutOfItsBytesAndIsEmptyThen) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  world.run(repeats, mixed_events(), closed);
  const std::string bytes = saved(repeats);
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    Repeats again;
    SnapshotReader reader(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(again.load(reader)) << size;
    EXPECT_EQ(again.open_count(), 0U);
  }
}

TEST(Repeats, SurvivesAnyByteOfItsBytesBeingChanged) {
  ListWorld world;
  Repeats repeats;
  std::vector<Alert> closed;
  world.run(repeats, mixed_events(), closed);
  const std::string bytes = saved(repeats);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    Repeats again;
    SnapshotReader reader(damaged);
    if (!again.load(reader)) {
      ++refused;
      continue;
    }
    std::vector<Alert> rest;
    again.finish(rest);  // whatever was read must be fit to use
  }
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace keyvigil
