#include "alert/evidence_part.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "alert/repeats.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {
namespace {

// A run of events, each with what the engine would have decided of it.
class Told {
 public:
  explicit Told(const RepeatsLimits& limits = {}) : repeats_(limits) {}

  static AccessEvent event(std::string_view user, std::string_view operation, std::string_view time,
                           std::string_view object = "", int status = 200, std::string_view vault = "kv-a") {
    EventBuilder builder;
    builder.user(user).operation(operation).at("2026-09-28T" + std::string(time) + "Z").vault(vault).object(object);
    return builder.status(static_cast<std::uint16_t>(status)).build();
  }

  void see(const AccessEvent& event, EventMarks marks = {}, std::vector<Finding> findings = {}) {
    Decision decision;
    decision.behaviour_known = true;
    decision.marks = marks;
    decision.findings = std::move(findings);
    repeats_.observe(event, decision, world_.book());
  }

  std::vector<Alert> alerts() {
    std::vector<Alert> closed;
    repeats_.finish(closed);
    return closed;
  }

  static Finding finding(AlertType type, ReasonCode code, const AccessEvent& event, EventTime began,
                         SubjectKind subject = SubjectKind::kCaller) {
    Reason reason;
    reason.code = code;
    reason.since = began;
    reason.vault = event.vault_id();
    reason.with(Quantity::kObserved, 1).with(Quantity::kProbability, 1e-6).with(Quantity::kWindowSeconds, 3600);
    return {.type = type, .suspicion = {subject, 1e-6, {reason}, began}, .verdict = {}};
  }

 private:
  ListWorld world_;
  Repeats repeats_;
};

std::vector<std::string> part_and_operation(const Alert& alert) {
  std::vector<std::string> said;
  for (const RecordReference& record : alert.records) {
    said.push_back(std::string(to_string(record.part)) + " " + record.operation + " " + record.object);
  }
  return said;
}

TEST(EvidencePart, AListAndWhatWasReadAfterItAreInTheAlertOnceEach) {
  Told told;
  const AccessEvent list = Told::event("alice", "SecretList", "10:00:00");
  told.see(Told::event("alice", "SecretGet", "09:00:00", "secrets/before"));
  told.see(list);
  told.see(Told::event("alice", "SecretGet", "10:01:00", "secrets/a"));
  const AccessEvent fired = Told::event("alice", "SecretGet", "10:02:00", "secrets/b");
  told.see(fired, {}, {Told::finding(AlertType::kListGetAnomaly, ReasonCode::kReadsAfterList, fired, list.time)});
  const AccessEvent again = Told::event("alice", "SecretGet", "10:03:00", "secrets/c");
  told.see(again, {}, {Told::finding(AlertType::kListGetAnomaly, ReasonCode::kReadsAfterList, again, list.time)});
  told.see(Told::event("alice", "SecretGet", "18:00:00", "secrets/later"));
  told.see(Told::event("alice", "SecretGet", "18:00:01", "secrets/elsewhere", 200, "kv-b"));
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(
      part_and_operation(alerts[0]),
      (std::vector<std::string>{"cause SecretList ", "suspicious SecretGet secrets/a", "suspicious SecretGet secrets/b",
                                "suspicious SecretGet secrets/c", "context SecretGet secrets/later"}));
  EXPECT_EQ(alerts[0].suspicious_events, 4U);
  EXPECT_EQ(alerts[0].cause_events, 1U);
  EXPECT_EQ(to_iso_milliseconds(alerts[0].first_event), "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(alerts[0].objects_read.size(), 3U);
  EXPECT_EQ(alerts[0].also_read.size(), 1U);
}

TEST(EvidencePart, AChangeOfPolicyBySomebodyElseIsACauseWhereItWasForTheCaller) {
  Told told;
  AccessEvent change = Told::event("admin", "VaultPatch", "10:00:00");
  EventBuilder builder;
  const AccessEvent reader = Told::event("alice", "SecretGet", "10:30:00", "secrets/a");
  change = builder.user("admin")
               .operation("VaultPatch")
               .at("2026-09-28T10:00:00Z")
               .status(200)
               .set(TextField::kPolicyPrincipal, reader.object_id())
               .build();
  told.see(change, {.policy_change = true});
  told.see(Told::event("admin", "SecretGet", "10:10:00", "secrets/of-the-admin"));
  told.see(reader, {},
           {Told::finding(AlertType::kPutGetAnomaly, ReasonCode::kReadsAfterPolicyChange, reader, change.time)});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(part_and_operation(alerts[0]),
            (std::vector<std::string>{"cause VaultPatch ", "suspicious SecretGet secrets/a"}));
  EXPECT_EQ(alerts[0].records[0].for_whom, reader.object_id());
  EXPECT_EQ(alerts[0].caller.user_name, "alice@contoso.com");
}

TEST(EvidencePart, EachRefusalOfManyVaultsIsACauseOnce) {
  Told told;
  std::vector<Alert> alerts;
  for (int i = 0; i < 5; ++i) {
    const std::string vault = "kv-" + std::to_string(i);
    const std::string minute = "10:0" + std::to_string(i);
    const AccessEvent refused = Told::event("alice", "SecretList", minute + ":00", "", 403, vault);
    std::vector<Finding> findings;
    if (i >= 2) {
      const EventTime began{refused.time.ticks - EventTime::kTicksPerHour};
      findings.push_back(
          Told::finding(AlertType::kAccountVolumeAccessDeniedAnomaly, ReasonCode::kManyRefusedVaults, refused, began));
      findings.push_back(
          Told::finding(AlertType::kUserAccessDeniedAnomaly, ReasonCode::kFirstRefusal, refused, refused.time));
    }
    told.see(refused, {.first_refusal = true}, std::move(findings));
    told.see(Told::event("alice", "SecretList", minute + ":30", "", 403, vault));
  }
  alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].cause_events, 5U);
  EXPECT_EQ(alerts[0].records_total, alerts[0].records.size());
  EXPECT_EQ(alerts[0].vaults.items.size(), 5U);
  EXPECT_TRUE(alerts[0].objects_read.empty());
}

Finding volume_of_vault(const AccessEvent& event) {
  return Told::finding(AlertType::kOperationVolumeAnomaly, ReasonCode::kVolumeOfVault, event,
                       EventTime{event.time.hour() * EventTime::kTicksPerHour}, SubjectKind::kVault);
}

TEST(EvidencePart, AVaultsVolumeIsHeldAgainstWhoDidHalfOfItAndNeverABystander) {
  Told told;
  for (int i = 0; i < 9; ++i) {
    told.see(Told::event("alice", "SecretGet", "10:00:0" + std::to_string(i), "secrets/s" + std::to_string(i)));
  }
  const AccessEvent bystander = Told::event("bob", "SecretGet", "10:30:00", "secrets/of-bob");
  told.see(bystander, {}, {volume_of_vault(bystander)});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].caller.user_name, "alice@contoso.com");
  EXPECT_EQ(alerts[0].suspicious_events, 10U);
  ASSERT_EQ(alerts[0].contributors.size(), 2U);
  EXPECT_EQ(alerts[0].contributors.at(alerts[0].caller.key).events, 9U);
}

TEST(EvidencePart, AVaultsVolumeIsHeldAgainstNobodyWhereNobodyDidHalf) {
  Told told;
  for (const std::string_view user : {"alice", "bob", "carol"}) {
    told.see(Told::event(user, "SecretGet", "10:00:00", "secrets/a"));
  }
  const AccessEvent last = Told::event("dave", "SecretGet", "10:30:00", "secrets/a");
  told.see(last, {}, {volume_of_vault(last)});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_TRUE(alerts[0].caller.key.empty());
  EXPECT_FALSE(alerts[0].address.known);
  EXPECT_TRUE(alerts[0].addresses.items.empty());
}

TEST(EvidencePart, TheVolumeOfAVaultJoinsTheAlertOfWhoDidIt) {
  Told told;
  for (int i = 0; i < 9; ++i) {
    told.see(Told::event("alice", "SecretGet", "10:00:0" + std::to_string(i), "secrets/s" + std::to_string(i)));
  }
  const AccessEvent fired = Told::event("alice", "SecretGet", "10:00:30", "secrets/fired");
  told.see(fired, {},
           {Told::finding(AlertType::kOperationVolumeAnomaly, ReasonCode::kVolumeOfCaller, fired,
                          EventTime{fired.time.hour() * EventTime::kTicksPerHour})});
  const AccessEvent bystander = Told::event("bob", "SecretGet", "10:45:00", "secrets/of-bob");
  told.see(bystander, {}, {volume_of_vault(bystander)});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].subject, SubjectKind::kCaller);
  EXPECT_EQ(alerts[0].suspicious_events, 10U);
  EXPECT_EQ(alerts[0].reasons.size(), 2U);
  for (const RecordReference& record : alerts[0].records) { EXPECT_NE(record.object, "secrets/of-bob"); }
}

TEST(EvidencePart, JoinedEvidenceKeepsTheVaultThatItIsAbout) {
  Told told;
  const AccessEvent there = Told::event("alice", "SecretGet", "10:00:00", "secrets/a", 200, "kv-there");
  told.see(there, {.first_touch = true});
  const AccessEvent here = Told::event("alice", "SecretGet", "15:00:00", "secrets/b", 200, "kv-here");
  Finding fused = Told::finding(AlertType::kUserAnomaly, ReasonCode::kFirstTouchOfVault, there, there.time);
  fused.vault_id = there.vault_id();
  fused.pieces = {there.time};
  told.see(here, {}, {fused});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].vault_name, "kv-there");
  EXPECT_EQ(part_and_operation(alerts[0]), (std::vector<std::string>{"cause SecretGet secrets/a"}));
}

TEST(EvidencePart, SaysThatEarlierEventsWereNoLongerAtHand) {
  Told told(RepeatsLimits{.recent = {.bytes = 1, .watched_bytes = 1}});
  told.see(Told::event("alice", "SecretList", "10:00:00"));
  for (int i = 0; i < 6'000; ++i) {
    told.see(Told::event("bob", "SecretGet", "10:00:01", "secrets/s" + std::to_string(i)));
  }
  const AccessEvent fired = Told::event("alice", "SecretGet", "10:02:00", "secrets/b");
  const EventTime listed{fired.time.ticks - 2 * EventTime::kTicksPerMinute};
  told.see(fired, {}, {Told::finding(AlertType::kListGetAnomaly, ReasonCode::kReadsAfterList, fired, listed)});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_TRUE(alerts[0].evidence_cut);
  EXPECT_EQ(alerts[0].suspicious_events, 1U);
}

TEST(EvidencePart, AChallengeThroughTorJoinsTheCallerWhoFollows) {
  ListWorld world;
  std::vector<AccessEvent> events;
  events.push_back(EventBuilder()
                       .anonymous()
                       .operation("Authentication")
                       .at("2026-09-28T10:00:00Z")
                       .from("203.0.113.7")
                       .status(401)
                       .build());
  events.push_back(EventBuilder()
                       .user("alice")
                       .operation("SecretList")
                       .at("2026-09-28T10:00:01Z")
                       .from("203.0.113.7")
                       .status(200)
                       .build());
  events.push_back(EventBuilder()
                       .anonymous()
                       .operation("Authentication")
                       .at("2026-09-28T10:00:02Z")
                       .from("203.0.113.7")
                       .status(401)
                       .build());
  events.push_back(EventBuilder()
                       .user("bob")
                       .operation("SecretList")
                       .at("2026-09-28T10:00:03Z")
                       .from("203.0.113.7")
                       .status(200)
                       .build());
  const std::vector<Alert> alerts = world.run_all(events);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].caller.user_name, "alice@contoso.com");
  EXPECT_EQ(alerts[0].subject, SubjectKind::kCaller);
  EXPECT_EQ(alerts[0].suspicious_events, 3U);
  EXPECT_EQ(to_iso_milliseconds(alerts[0].first_event), "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(alerts[1].caller.user_name, "bob@contoso.com");
  EXPECT_EQ(alerts[1].suspicious_events, 1U);
}

TEST(EvidencePart, KeepsRoomForWhatCameAfterTheAlertWasRaised) {
  Told told;
  for (int i = 0; i < 300; ++i) {
    const std::string time = "10:0" + std::to_string(i / 60) + ":" + (i % 60 < 10 ? "0" : "") + std::to_string(i % 60);
    told.see(Told::event("alice", "SecretGet", time, "secrets/s" + std::to_string(i)));
  }
  const AccessEvent fired = Told::event("alice", "SecretGet", "10:30:00", "secrets/fired");
  told.see(fired, {},
           {Told::finding(AlertType::kOperationVolumeAnomaly, ReasonCode::kVolumeOfCaller, fired,
                          EventTime{fired.time.hour() * EventTime::kTicksPerHour})});
  const std::vector<Alert> alerts = told.alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].suspicious_events, 301U);
  EXPECT_EQ(alerts[0].objects_read.size(), 301U);
  EXPECT_EQ(alerts[0].records.back().object, "secrets/fired");
}

}  // namespace
}  // namespace keyvigil
