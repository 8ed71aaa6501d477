#include "alert/ecs_json.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

// Fields of ECS 9.4.0 that we write. Everything else must stand under `keyvigil`.
const std::set<std::string> kFields = {"@timestamp",
                                       "ecs.version",
                                       "message",
                                       "event.kind",
                                       "event.category",
                                       "event.type",
                                       "event.action",
                                       "event.code",
                                       "event.id",
                                       "event.provider",
                                       "event.module",
                                       "event.dataset",
                                       "event.severity",
                                       "event.risk_score",
                                       "event.outcome",
                                       "event.created",
                                       "event.start",
                                       "event.end",
                                       "event.reason",
                                       "event.url",
                                       "rule.id",
                                       "rule.name",
                                       "rule.category",
                                       "rule.description",
                                       "rule.ruleset",
                                       "observer.vendor",
                                       "observer.product",
                                       "observer.version",
                                       "observer.type",
                                       "threat.framework",
                                       "threat.tactic.id",
                                       "threat.tactic.name",
                                       "threat.technique.id",
                                       "threat.technique.name",
                                       "threat.technique.subtechnique.id",
                                       "threat.technique.subtechnique.name",
                                       "cloud.provider",
                                       "cloud.region",
                                       "cloud.account.id",
                                       "cloud.service.name",
                                       "source.ip",
                                       "source.address",
                                       "user.id",
                                       "user.name",
                                       "user.email",
                                       "related.ip",
                                       "related.user",
                                       "user_agent.original",
                                       "url.original"};

void collect_fields(const Json& object, const std::string& prefix, std::set<std::string>& out) {
  for (const auto& [key, value] : object.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      collect_fields(value, path, out);
    } else {
      out.insert(path);
    }
  }
}

TEST(EcsJson, UsesOnlyFieldsOfTheSchemaBesideItsOwn) {
  for (const Alert& alert : {tor_alert(), denied_alert(), behaviour_alert()}) {
    Json document = ecs_json(alert, {}, {.processed = alert.generated});
    ASSERT_EQ(document.erase("keyvigil"), 1U);
    std::set<std::string> fields;
    collect_fields(document, "", fields);
    for (const std::string& field : fields) { EXPECT_TRUE(kFields.contains(field)) << field; }
    EXPECT_TRUE(fields.contains("@timestamp"));
    EXPECT_TRUE(fields.contains("ecs.version"));
  }
}

TEST(EcsJson, CategorisesAsTheSchemaAllows) {
  const Json document = ecs_json(tor_alert(), {});
  EXPECT_EQ(document.at("event").at("kind"), "alert");
  EXPECT_EQ(document.at("event").at("category"), Json({"intrusion_detection"}));
  EXPECT_EQ(document.at("event").at("type"), Json({"info", "allowed"}));
  EXPECT_EQ(document.at("event").at("outcome"), "success");
  EXPECT_EQ(document.at("event").at("risk_score"), 47);
  const Json denied = ecs_json(denied_alert(), {});
  EXPECT_EQ(denied.at("event").at("type"), Json({"info", "denied"}));
  EXPECT_EQ(denied.at("event").at("outcome"), "failure");
}

TEST(EcsJson, SaysWhoWhatAndWhere) {
  const Json document = ecs_json(tor_alert(), {});
  EXPECT_EQ(document.at("@timestamp"), "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(document.at("source").at("ip"), "203.0.113.7");
  EXPECT_EQ(document.at("user").at("email"), "alice@contoso.com");
  EXPECT_EQ(document.at("user_agent").at("original"), "curl/8.0");
  EXPECT_EQ(document.at("rule").at("id"), "KV_TORAccess");
  EXPECT_EQ(document.at("threat").at("technique").at("subtechnique").at("id"), Json({"T1555.006", "T1090.003"}));
  EXPECT_EQ(document.at("keyvigil").at("vault").at("name"), "kv-a");
}

TEST(EcsJson, HasNoAddressThatIsNone) {
  Alert alert = tor_alert();
  alert.address = {};
  alert.addresses.items = {"not an address"};
  const Json document = ecs_json(alert, {});
  EXPECT_FALSE(document.contains("source"));
  EXPECT_FALSE(document.at("related").contains("ip"));
}

TEST(EcsJson, GrowsNoFieldsWithItsInput) {
  std::set<std::string> before;
  collect_fields(ecs_json(tor_alert(), {}), "", before);
  Alert alert = tor_alert();
  alert.suspicious_operations = {{"a.b", 1}, {"x", 2}};
  alert.vault_operations = {{"y", 1}};
  std::set<std::string> after;
  collect_fields(ecs_json(alert, {}), "", after);
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace keyvigil
