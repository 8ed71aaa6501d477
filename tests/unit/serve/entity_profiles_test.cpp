#include "serve/entity_profiles.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

const EventTime kBegin = parse_iso_time("2026-05-04T08:00:00Z").value();

EventTime hour(std::int64_t hours) {
  return {kBegin.ticks + hours * EventTime::kTicksPerHour};
}

AccessEvent access(const std::string& user, const std::string& vault, EventTime at, std::uint16_t status = 200) {
  return EventBuilder().at(at).user(user).vault(vault).object("secrets/db").from("203.0.113.7").status(status).build();
}

// Ten days: alice reads twice a day from kv-a, and once from kv-b on the last one; bob reads from kv-a and is refused
// by kv-b.
class EntityProfilesTest : public testing::Test {
 protected:
  EntityProfilesTest() {
    for (std::int64_t day = 0; day < 10; ++day) {
      see(access("alice", "kv-a", hour(24 * day)));
      see(access("alice", "kv-a", hour(24 * day + 1)));
      see(access("bob", "kv-a", hour(24 * day + 2)));
      see(access("bob", "kv-b", hour(24 * day + 3), 403));
    }
    see(access("alice", "kv-b", hour(220)));
    history_.advance(hour(240));
  }
  void see(const AccessEvent& event) {
    history_.advance(event.time);
    Facts facts;
    history_.observe(event, facts);
    history_.learn(event, facts, {});
  }
  [[nodiscard]] std::optional<EntityProfile> profile(const std::string& kind, std::string_view key) const {
    return entity_profile(history_, kind, std::string(key), hour(240));
  }
  static std::vector<std::string> keys(const EntityProfile& profile, const std::string& group) {
    std::vector<std::string> keys;
    const auto found = profile.related.find(group);
    if (found == profile.related.end()) { return keys; }
    EXPECT_EQ(found->second.total, found->second.links.size());
    for (const EntityLink& link : found->second.links) { keys.push_back(link.key); }
    return keys;
  }

  EstateHistory history_;
  const AccessEvent alice_a_ = access("alice", "kv-a", hour(0));
  const AccessEvent alice_b_ = access("alice", "kv-b", hour(0));
  const AccessEvent bob_ = access("bob", "kv-a", hour(0));
  using Keys = std::vector<std::string>;
};

TEST_F(EntityProfilesTest, ACallerHasVaultsApplicationsAddressesAndNumbers) {
  const auto alice = profile("caller", alice_a_.caller_key());
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->kind, "user");
  EXPECT_EQ(alice->days_seen, 10U);
  EXPECT_EQ(to_iso_milliseconds(alice->first_seen), "2026-05-04T00:00:00.000Z");
  EXPECT_EQ(keys(*alice, "vaults"), (Keys{std::string(alice_b_.vault_id()), std::string(alice_a_.vault_id())}));
  EXPECT_EQ(keys(*alice, "applications"), Keys{std::string(alice_a_.app_id())});
  EXPECT_EQ(keys(*alice, "addresses"), Keys{"203.0.113.0/24"});
  EXPECT_FALSE(alice->related.contains("refusedVaults"));
  const EntityLink& usual = alice->related.at("vaults").links.back();
  EXPECT_EQ(usual.first_seen, hour(0));
  EXPECT_EQ(usual.last_seen, hour(217));
  EXPECT_EQ(usual.days_seen, 10U);
  EXPECT_TRUE(usual.confirmed);
  // Means of ten days are drawn a little towards those of the class.
  EXPECT_NEAR(alice->usual.at("operations_per_active_day"), 2, 1.5);
  EXPECT_NEAR(alice->usual.at("credential_reads_per_active_hour"), 1, 1);
  EXPECT_GE(alice->usual.at("most_operations_per_active_day"), 2);
  EXPECT_EQ(alice->usual.at("share_of_secret_reads"), 1);
}

TEST_F(EntityProfilesTest, ARefusalIsNotAUsualVault) {
  const auto bob = profile("caller", bob_.caller_key());
  ASSERT_TRUE(bob);
  EXPECT_EQ(keys(*bob, "vaults"), Keys{std::string(bob_.vault_id())});
  EXPECT_EQ(keys(*bob, "refusedVaults"), Keys{std::string(alice_b_.vault_id())});
}

TEST_F(EntityProfilesTest, AVaultHasCallers) {
  const auto vault = profile("vault", bob_.vault_id());
  ASSERT_TRUE(vault);
  EXPECT_EQ(vault->kind, "vault");
  EXPECT_EQ(keys(*vault, "callers"), (Keys{std::string(bob_.caller_key()), std::string(alice_a_.caller_key())}));
  EXPECT_NEAR(vault->usual.at("operations_per_active_day"), 3, 1.5);
  const auto refusing = profile("vault", alice_b_.vault_id());
  ASSERT_TRUE(refusing);
  EXPECT_EQ(keys(*refusing, "refusedCallers"), Keys{std::string(bob_.caller_key())});
}

TEST_F(EntityProfilesTest, AnApplicationAndAnAddressHaveTheirUsers) {
  const Keys both = {std::string(bob_.caller_key()), std::string(alice_a_.caller_key())};
  const auto app = profile("app", alice_a_.app_id());
  ASSERT_TRUE(app);
  EXPECT_EQ(app->related.at("callers").total, 2U);
  const auto address = profile("address", "203.0.113.99");
  ASSERT_TRUE(address) << "an address is known by its network";
  EXPECT_EQ(address->related.at("callers").total, 2U);
  EXPECT_EQ(address->days_seen, 10U);
}

TEST_F(EntityProfilesTest, WhoIsNotKnownHasNone) {
  EXPECT_FALSE(profile("caller", "nobody"));
  EXPECT_FALSE(profile("vault", "nowhere"));
  EXPECT_FALSE(profile("app", alice_a_.caller_key().substr(1)));
  EXPECT_FALSE(profile("address", "198.51.100.1"));
  EXPECT_FALSE(profile("address", "no address"));
}

// What a person is shown is bounded, and says so.
TEST_F(EntityProfilesTest, ListsAreBoundedAndCounted) {
  for (int vault = 0; vault < 300; ++vault) { see(access("alice", "kv-" + std::to_string(vault), hour(241))); }
  const auto alice = entity_profile(history_, "caller", std::string(alice_a_.caller_key()), hour(242));
  ASSERT_TRUE(alice);
  EXPECT_EQ(alice->related.at("vaults").links.size(), EntityLinks::kMost);
  EXPECT_EQ(alice->related.at("vaults").total, 302U);
}

}  // namespace
}  // namespace keyvigil
