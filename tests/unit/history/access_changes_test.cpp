// What lets somebody in, and what follows: settings that a sweep told before, roles of the Activity Log, lists of
// certificates, and services of Microsoft that come from elsewhere.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "history/estate_history.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

constexpr const char* kResourceGraph = "509e4652-da8d-478d-a730-e9d4a1996ca4";
constexpr const char* kAppService = "abfa0a7c-a6b6-4736-8310-5855508787cd";
constexpr const char* kAssignment = "Microsoft.Authorization/roleAssignments/write";
constexpr const char* kSubscription = "/subscriptions/11111111-2222-4333-8444-555555555555";

class AccessChanges : public testing::Test {
 protected:
  void look(AccessEvent event, bool from_elsewhere = false) {
    event.time = EventTime{start_ + second_ * EventTime::kTicksPerSecond};
    second_ += 10;
    (void)history_.advance(event.time);
    history_.observe(event, facts_, from_elsewhere);
    history_.learn(event, facts_, {});
  }
  void wait_days(int days) { second_ += std::int64_t{days} * 86'400; }
  static AccessEvent read(std::string_view user, std::string_view object = "secrets/a") {
    return EventBuilder().user(user).vault("kv-a").operation("SecretGet").object(object).status(200).build();
  }
  static AccessEvent of(std::string_view user, std::string_view operation) {
    return EventBuilder().user(user).vault("kv-a").operation(operation).status(200).build();
  }
  static AccessEvent by_service(std::string_view app_id, std::string_view operation, std::string_view acls = "") {
    EventBuilder builder;
    builder.app(app_id).vault("kv-a").operation(operation).status(200).set(TextField::kNetworkAcls, acls);
    AccessEvent event = builder.build();
    event.caller_kind = CallerKind::kFirstParty;
    return event;
  }
  static AccessEvent with_acls(AccessEvent event, std::string_view acls) {
    return EventBuilder(std::move(event)).set(TextField::kNetworkAcls, acls).build();
  }
  static AccessEvent assignment(std::string_view user, std::string_view scope, std::string_view principal) {
    EventBuilder builder;
    builder.user(user).operation(kAssignment).status(200);
    builder.set(TextField::kVaultId, scope).set(TextField::kPolicyPrincipal, principal);
    AccessEvent event = builder.build();
    event.policy_marks = kPolicyMarkAdded;
    return event;
  }
  static std::string oid(std::string_view user) { return std::string(read(user).object_id()); }
  static std::string vault() { return std::string(read("ann").vault_id()); }

  EstateHistory history_;
  Facts facts_;
  std::int64_t start_ = parse_iso_time("2026-03-01T12:00:00Z").value().ticks;
  std::int64_t second_ = 0;
};

TEST_F(AccessChanges, ASweepTellsTheSettingsThatAPatchChanges) {
  look(read("ann"));
  look(by_service(kResourceGraph, "VaultGet", "bypass=none;defaultaction=deny"));
  EXPECT_FALSE(facts_.behaviour_known);
  look(with_acls(of("bob", "VaultPatch"), "bypass=none;defaultaction=deny"));
  look(read("bob"));
  EXPECT_FALSE(facts_.policy_episode);
  look(with_acls(of("bob", "VaultPatch"), "bypass=none;defaultaction=allow"));
  look(read("bob"));
  ASSERT_TRUE(facts_.policy_episode);
  EXPECT_EQ(facts_.policy_episode->reads, 1);
}

TEST_F(AccessChanges, AReadOfTheVaultTellsThemTooAndChangesNothing) {
  look(with_acls(of("ann", "VaultGet"), "bypass=none;defaultaction=deny"));
  look(with_acls(of("ann", "VaultGet"), "bypass=none;defaultaction=allow"));
  look(read("ann"));
  EXPECT_FALSE(facts_.policy_episode);
}

TEST_F(AccessChanges, MergedPoliciesAreAChange) {
  look(read("ann"));
  AccessEvent merge = of("bob", "AccessPolicyMerge");
  merge.policy_marks = kPolicyMarkAdded;
  look(merge);
  look(read("bob"));
  EXPECT_TRUE(facts_.policy_episode);
}

TEST_F(AccessChanges, ARoleOnTheVaultOpensItForPrincipalAndAssigner) {
  look(read("ann"));
  const EventTime assigned{start_ + second_ * EventTime::kTicksPerSecond};
  look(assignment("bob", vault(), "33333333-0000-4000-8000-000000000003"));
  EXPECT_TRUE(facts_.behaviour_known);
  EXPECT_FALSE(facts_.vault_first_today);
  AccessEvent app = EventBuilder().app("10000000-0000-4000-8000-000000000001").vault("kv-a").build();
  app = EventBuilder(app).set(TextField::kObjectId, "33333333-0000-4000-8000-000000000003").build();
  look(app);
  ASSERT_TRUE(facts_.policy_episode);
  EXPECT_EQ(facts_.policy_episode->opened_ticks, assigned.ticks);
  EXPECT_TRUE(facts_.policy_episode->by_principal);
  look(read("bob"));
  ASSERT_TRUE(facts_.policy_episode);
  EXPECT_FALSE(facts_.policy_episode->by_principal);
  EXPECT_EQ(facts_.policy_episode->openings_today, 1);
  look(read("ann"));
  EXPECT_FALSE(facts_.policy_episode);
}

TEST_F(AccessChanges, ARoleOnTheSubscriptionCountsForWhatWasNotReadBefore) {
  look(read("bob"));
  wait_days(2);
  look(assignment("ann", kSubscription, oid("bob")));
  look(read("bob"));
  EXPECT_FALSE(facts_.policy_episode);
  look(read("bob", "secrets/b"));
  EXPECT_TRUE(facts_.policy_episode);
}

TEST_F(AccessChanges, AnAnswerMayLeaveOutWhomTheRequestNamed) {
  look(read("ann"));
  AccessEvent begun = assignment("bob", vault(), oid("eve"));
  begun.outcome = Outcome::kOther;
  look(begun);
  look(read("eve"));
  EXPECT_FALSE(facts_.policy_episode);
  look(assignment("bob", vault(), ""));
  look(read("eve", "secrets/b"));
  EXPECT_TRUE(facts_.policy_episode);
}

TEST_F(AccessChanges, AListOfCertificatesCountsOnceASecretIsRead) {
  look(read("ann"));
  const EventTime listed{start_ + second_ * EventTime::kTicksPerSecond};
  look(of("bob", "CertificateList"));
  EXPECT_FALSE(facts_.opens_episode);
  look(read("bob"));
  ASSERT_TRUE(facts_.list_episode);
  EXPECT_EQ(facts_.list_episode->opened_ticks, listed.ticks);
  EXPECT_EQ(facts_.list_episode->reads, 1);
  EXPECT_EQ(facts_.list_episode->openings_today, 1);
}

TEST_F(AccessChanges, AnOldListOfKeysIsForgotten) {
  look(of("bob", "KeyList"));
  second_ += 3700;
  look(read("bob"));
  EXPECT_FALSE(facts_.list_episode);
}

TEST_F(AccessChanges, ARoutineFromElsewhereIsBehaviour) {
  look(by_service(kAppService, "SecretGet"));
  EXPECT_FALSE(facts_.behaviour_known);
  look(by_service(kAppService, "SecretGet"), true);
  EXPECT_TRUE(facts_.behaviour_known);
  ASSERT_TRUE(facts_.new_vault || facts_.new_address);
}

TEST_F(AccessChanges, AConfiguredServiceHasItsRoutine) {
  EstateHistory history({}, {}, FirstPartyApps({{"10000000-0000-4000-8000-000000000009", Routine::kScan}}));
  const auto look_at = [&](std::string_view operation) {
    history.observe(EventBuilder().app("10000000-0000-4000-8000-000000000009").operation(operation).build(), facts_);
    return facts_.behaviour_known;
  };
  EXPECT_FALSE(look_at("SecretList"));
  EXPECT_TRUE(look_at("SecretGet"));
}

}  // namespace
}  // namespace keyvigil
