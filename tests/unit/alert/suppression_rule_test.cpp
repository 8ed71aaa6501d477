#include "alert/suppression_rule.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/alert_document.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {
namespace {

Alert alert_of(const EventBuilder& event) {
  ListWorld world;
  const std::vector<AccessEvent> events = {event.build()};
  const std::vector<Alert> alerts = world.run_all(events);
  CHECK(!alerts.empty());
  return alerts.front();
}

Alert alice_over_tor() {
  return alert_of(EventBuilder().user("alice").object("secrets/db"));
}

SuppressionRule rule(std::vector<RuleCondition> all_of = {}) {
  SuppressionRule made;
  made.subscription_id = "11111111-2222-4333-8444-555555555555";
  made.name = "quiet";
  made.alert_type = "KV_TORAccess";
  made.reason = "FalsePositive";
  made.all_of = std::move(all_of);
  return made;
}

using Operator = RuleCondition::Operator;

TEST(SuppressionRule, WithoutConditionsCoversEveryAlertOfTheType) {
  EXPECT_TRUE(suppresses(rule(), alice_over_tor(), {}));
  SuppressionRule other = rule();
  other.alert_type = "KV_UserAnomaly";
  EXPECT_FALSE(suppresses(other, alice_over_tor(), {}));
  other.alert_type = "*";
  EXPECT_TRUE(suppresses(other, alice_over_tor(), {}));
  other.alert_type = "kv_toraccess";
  EXPECT_TRUE(suppresses(other, alice_over_tor(), {}));
}

TEST(SuppressionRule, CoversItsOwnSubscriptionOnly) {
  SuppressionRule foreign = rule();
  foreign.subscription_id = "99999999-2222-4333-8444-555555555555";
  EXPECT_FALSE(suppresses(foreign, alice_over_tor(), {}));
}

TEST(SuppressionRule, NeedsToBeEnabledAndNotExpiredAtTheEventTime) {
  const Alert alert = alice_over_tor();
  SuppressionRule off = rule();
  off.state = RuleState::kDisabled;
  EXPECT_FALSE(suppresses(off, alert, {}));
  EXPECT_TRUE(covers(off, alert, {}));
  SuppressionRule ended = rule();
  ended.expires = alert.generated;
  EXPECT_FALSE(suppresses(ended, alert, {}));
  ended.expires = EventTime{alert.generated.ticks + 1};
  EXPECT_TRUE(suppresses(ended, alert, {}));
}

TEST(SuppressionRule, ComparesWithoutRegardToCase) {
  const Alert alert = alice_over_tor();
  EXPECT_TRUE(suppresses(rule({{"entities.account.name", Operator::kIn, {"bob", "ALICE"}}}), alert, {}));
  EXPECT_TRUE(suppresses(rule({{"entities.account.upnsuffix", Operator::kContains, {"CONTOSO"}}}), alert, {}));
  EXPECT_TRUE(suppresses(rule({{"entities.account.name", Operator::kEquals, {"Alice"}}}), alert, {}));
  EXPECT_FALSE(suppresses(rule({{"entities.account.name", Operator::kIn, {"alic"}}}), alert, {}));
  EXPECT_FALSE(suppresses(rule({{"entities.account.name", Operator::kIn, {}}}), alert, {}));
}

TEST(SuppressionRule, NeedsAllItsConditions) {
  const RuleCondition right{"entities.ip.address", Operator::kIn, {"203.0.113.7"}};
  const RuleCondition wrong{"entities.account.name", Operator::kIn, {"bob"}};
  EXPECT_TRUE(suppresses(rule({right}), alice_over_tor(), {}));
  EXPECT_FALSE(suppresses(rule({right, wrong}), alice_over_tor(), {}));
}

TEST(SuppressionRule, KnowsAnAddressInAnySpelling) {
  Alert alert = alice_over_tor();
  alert.addresses.items = {"2001:db8::7"};
  EXPECT_TRUE(suppresses(rule({{"entities.ip.address", Operator::kIn, {"2001:0DB8:0:0:0:0:0:7"}}}), alert, {}));
  EXPECT_FALSE(suppresses(rule({{"entities.ip.address", Operator::kIn, {"2001:db8::8"}}}), alert, {}));
}

TEST(SuppressionRule, NeverMatchesWhatKeyVaultAlertsDoNotHave) {
  EXPECT_FALSE(suppresses(rule({{"entities.process.commandline", Operator::kContains, {""}}}), alice_over_tor(), {}));
}

TEST(SuppressionRule, HasNoAccountWhereNobodyIsNamed) {
  const Alert nobody = alert_of(EventBuilder().anonymous().status(401));
  EXPECT_FALSE(suppresses(rule({{"entities.account.name", Operator::kContains, {""}}}), nobody, {}));
}

// Whatever an entity of a rendered alert says can be named in a rule.
TEST(SuppressionRule, SeesWhatTheAlertShows) {
  AlertRendering rendering;
  rendering.otherwise.tenant_id = "99999999-2222-4333-8444-555555555555";
  std::set<std::string> fields;
  for (const Alert& alert : {alice_over_tor(), alert_of(EventBuilder().app("app-1").object("secrets/db"))}) {
    const Json document = alert_document(alert, rendering);
    for (const Json& entity : document.at("Entities")) {
      for (const auto& [key, value] : entity.items()) {
        const auto field = rule_field("entities." + entity.at("Type").get<std::string>() + "." + key);
        if (!field || !value.is_string()) { continue; }
        fields.insert(*field);
        const std::string shown = value.get<std::string>();
        EXPECT_TRUE(suppresses(rule({{*field, Operator::kEquals, {shown}}}), alert, rendering)) << *field;
        EXPECT_FALSE(suppresses(rule({{*field, Operator::kEquals, {shown + "x"}}}), alert, rendering)) << *field;
      }
    }
  }
  EXPECT_EQ(fields.size(), rule_fields().size());
}

TEST(RuleField, TakesBothSpellingsOfTheResource) {
  EXPECT_EQ(rule_field("Entities.AzureResource.ResourceId"), "entities.azure-resource.resourceid");
  EXPECT_EQ(rule_field("entities.azure-resource.resourceid"), "entities.azure-resource.resourceid");
  EXPECT_EQ(rule_field("entities.host.dnsdomain"), "entities.host.dnsdomain");
  EXPECT_FALSE(rule_field("entities.ip.adress").has_value());
}

}  // namespace
}  // namespace keyvigil
