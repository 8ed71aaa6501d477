#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/alert_words.h"
#include "alert/arm_json.h"
#include "alert/csv.h"
#include "alert/eventhub_json.h"
#include "alert/printable.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {
namespace {

using Names = std::set<std::string>;

Names key_set(const Json& object) {
  Names keys;
  for (const auto& [key, value] : object.items()) { keys.insert(key); }
  return keys;
}

AccessEvent tor_read(std::string_view client_info = "curl/8.0") {
  return EventBuilder()
      .user("alice")
      .object("secrets/db")
      .status(200)
      .set(TextField::kResultSignature, "OK")
      .set(TextField::kClientInfo, client_info)
      .build();
}

Alert one_alert(const std::vector<AccessEvent>& events) {
  ListWorld world;
  const std::vector<Alert> alerts = world.run_all(events);
  CHECK(!alerts.empty());
  return alerts.front();
}

AlertRendering with_tenant() {
  AlertRendering rendering;
  rendering.subscriptions["11111111-2222-4333-8444-555555555555"] = {"westeurope",
                                                                     "99999999-2222-4333-8444-555555555555"};
  return rendering;
}

TEST(AlertName, CountsDownFromTheLastTick) {
  Alert alert;
  alert.id = "g";
  alert.start = parse_iso_time("0001-01-01T00:00:00Z").value();
  EXPECT_EQ(alert_name(alert), "3155378975999999999_g");
  alert.start = parse_iso_time("9999-12-31T23:59:59.999Z").value();
  EXPECT_EQ(alert_name(alert), "0000000000000009999_g");
}

TEST(ArmJson, HasDefendersExtendedProperties) {
  const Json arm = arm_json(one_alert({tor_read()}), with_tenant());
  const Json& properties = arm.at("properties").at("extendedProperties");
  EXPECT_EQ(properties.at("attacker IP Address"), "203.0.113.7");
  EXPECT_EQ(properties.at("suspicious Operations"), "[SecretGet:1]");
  EXPECT_EQ(properties.at("all vault operations in last 24 hours"), "[SecretGet:1]");
  EXPECT_EQ(properties.at("start Time UTC"), "09/28/2026 10:00:00");
  EXPECT_EQ(properties.at("result Signature"), "OK");
  EXPECT_EQ(properties.at("client Information"), "curl/8.0");
  EXPECT_EQ(properties.at("target"), "https://kv-a.vault.azure.net/secrets/db");
  EXPECT_EQ(properties.at("resourceType"), "Key Vault");
  EXPECT_EQ(properties.at("application ID"), "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
  for (const auto& [key, value] : properties.items()) { EXPECT_TRUE(value.is_string()) << key; }
}

TEST(ArmJson, NumbersItsEntitiesAndNamesItsPlace) {
  const Json arm = arm_json(one_alert({tor_read()}), with_tenant());
  const Json& properties = arm.at("properties");
  const Json& entities = properties.at("entities");
  ASSERT_EQ(entities.size(), 3U);
  EXPECT_EQ(entities[0].at("type"), "azure-resource");
  EXPECT_EQ(entities[1].at("type"), "account");
  EXPECT_EQ(entities[1].at("upnSuffix"), "contoso.com");
  EXPECT_EQ(entities[2].at("type"), "ip");
  EXPECT_EQ(entities[0].at("$id"), "westeurope_3");
  ASSERT_EQ(properties.at("resourceIdentifiers").size(), 1U);
  EXPECT_EQ(properties.at("resourceIdentifiers")[0].at("azureResourceTenantId"),
            "99999999-2222-4333-8444-555555555555");
  const std::string uri = properties.at("alertUri");
  EXPECT_NE(uri.find("/subscriptionId/11111111-2222-4333-8444-555555555555/"), std::string::npos);
  EXPECT_NE(uri.find("/resourceGroup/rg-contoso/"), std::string::npos);
  const std::string id = arm.at("id");
  EXPECT_NE(id.find("/locations/westeurope/alerts/" + arm.at("name").get<std::string>()), std::string::npos);
  EXPECT_FALSE(properties.contains("processingEndTimeUtc"));
  EXPECT_FALSE(properties.contains("open"));
}

TEST(ArmJson, LeavesOutWhatNeedsATenantWhereNoneIsKnown) {
  const Json properties = arm_json(one_alert({tor_read()}), {}).at("properties");
  EXPECT_FALSE(properties.at("resourceIdentifiers")[0].contains("azureResourceTenantId"));
  EXPECT_EQ(properties.at("entities")[0].at("$id"), "global_2");
}

TEST(ArmJson, HasNoAccountWhereNobodyIsNamed) {
  const Json properties = arm_json(one_alert({EventBuilder().anonymous().status(401).build()}), {}).at("properties");
  EXPECT_EQ(properties.at("entities").size(), 2U);
  EXPECT_FALSE(properties.at("extendedProperties").contains("attacker Object ID"));
  EXPECT_NE(properties.at("description").get<std::string>().find("returned nothing"), std::string::npos);
}

TEST(ArmJson, MarksAlertsThatAreStillOpen) {
  Alert alert = one_alert({tor_read()});
  alert.open = true;
  EXPECT_EQ(arm_json(alert, {}).at("properties").at("open"), true);
}

TEST(ArmJson, GivesTheEvidenceWithItsNumbers) {
  const Json evidence = arm_json(one_alert({tor_read(), tor_read()}), {}).at("properties").at("supportingEvidence");
  EXPECT_EQ(evidence.at("type"), "tabularEvidences");
  EXPECT_EQ(evidence.at("rows").size(), 2U);
  EXPECT_EQ(evidence.at("rows")[0].size(), evidence.at("columns").size());
  EXPECT_EQ(evidence.at("reasons")[0].at("code"), "AddressOnTorList");
  EXPECT_EQ(evidence.at("reasons")[0].at("sentence"),
            "203.0.113.7 is on the Tor list 'tor-exits' (tor-exits.txt line 3, 203.0.113.0/24, dated 2026-09-01): 2 "
            "requests between 2026-09-28T10:00:00.000Z and 2026-09-28T10:00:00.000Z, of which 2 succeeded.");
  EXPECT_EQ(evidence.at("counterfactual"),
            "It would not have been raised if 203.0.113.7 were not on the list 'tor-exits'.");
  EXPECT_EQ(evidence.at("rotationList").at("objects")[0].at("object"), "secrets/db");
  EXPECT_EQ(evidence.at("rotationList").at("complete"), true);
  EXPECT_EQ(evidence.at("observed").at("suspiciousOutcomes").at("success"), 2);
}

TEST(ArmJson, StaysValidWithBytesThatAreNotText) {
  const Alert alert = one_alert({tor_read("\xFF\xFE\x1b[2J \xED\xA0\x80")});
  const std::string line = to_json_line(arm_json(alert, {}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_TRUE(Json::accept(line));
}

TEST(EventHubJson, HasExplicitNullsAndTheKeysOfItsEntities) {
  const Json message = eventhub_json(one_alert({tor_read()}), with_tenant());
  for (const char* key : {"ProviderAlertStatus", "ConfidenceLevel", "CorrelationKey", "ExtendedLinks", "WorkspaceId"}) {
    EXPECT_TRUE(message.at(key).is_null()) << key;
  }
  EXPECT_EQ(message.at("Status"), "New");
  EXPECT_EQ(message.at("ExtendedProperties").at("Attacker IP Address"), "203.0.113.7");
  EXPECT_EQ(message.at("ExtendedProperties").at("EffectiveSubscriptionId"), "11111111-2222-4333-8444-555555555555");
  EXPECT_EQ(message.at("Entities")[0].at("Asset"), true);
  EXPECT_EQ(message.at("Entities")[0].at("Metadata").at("IsGraphCenter"), true);
  EXPECT_EQ(message.at("Entities")[0].at("$id"), "3");
  EXPECT_EQ(message.at("ResourceIdentifiers")[1].at("Type"), "AAD");
}

TEST(Standing, ShowsInEveryFormThatIsDefenders) {
  const Alert alert = one_alert({tor_read()});
  const AlertStanding standing{.status = AlertStatus::kDismissed,
                               .simulated = true,
                               .backfilled = true,
                               .processed = parse_iso_time("2026-09-28T11:00:00Z")};
  const Json properties = arm_json(alert, {}, standing).at("properties");
  EXPECT_EQ(properties.at("alertType"), "SIMULATED_KV_TORAccess");
  EXPECT_EQ(properties.at("alertDisplayName"), "[SAMPLE ALERT] Access from a TOR exit node to a key vault");
  EXPECT_TRUE(properties.at("description").get<std::string>().starts_with("THIS IS A SAMPLE ALERT: "));
  EXPECT_EQ(properties.at("status"), "Dismissed");
  EXPECT_EQ(properties.at("processingEndTimeUtc"), "2026-09-28T11:00:00.000Z");
  EXPECT_EQ(properties.at("backfilled"), true);
  const Json message = eventhub_json(alert, {}, standing);
  EXPECT_EQ(message.at("AlertType"), "SIMULATED_KV_TORAccess");
  EXPECT_EQ(message.at("Status"), "Dismissed");
  EXPECT_EQ(message.at("ProcessingEndTime"), "2026-09-28T11:00:00.000Z");
  const std::string row = csv_row(alert, {}, standing);
  EXPECT_NE(row.find("SIMULATED_KV_TORAccess"), std::string::npos);
  EXPECT_NE(row.find(",Dismissed,"), std::string::npos);
}

Json sample(const std::string& name) {
  const char* shared = std::getenv("KEYVIGIL_SHARED");
  if (shared == nullptr) { return Json(); }
  std::ifstream file(std::string(shared) + "/samples/alerts/" + name);
  return file ? Json::parse(file) : Json();
}

TEST(CapturedAlerts, FollowTheNameRule) {
  const Json list = sample("arm_list_SIMULATED_KV_5alerts_xsoar.json");
  if (list.is_null()) { GTEST_SKIP() << "set KEYVIGIL_SHARED to the folder that has samples/alerts"; }
  for (const Json& captured : list.at("value")) {
    const std::string name = captured.at("name");
    Alert alert;
    alert.id = name.substr(name.find('_') + 1);
    alert.start = parse_iso_time(captured.at("properties").at("startTimeUtc").get<std::string>()).value();
    // Ours has whole milliseconds, the capture 100 ns.
    EXPECT_EQ(alert_name(alert).substr(19), name.substr(19));
    const std::int64_t ours = std::stoll(alert_name(alert));
    EXPECT_EQ(ours - alert.start.ticks % EventTime::kTicksPerMillisecond, std::stoll(name));
  }
}

TEST(CapturedAlerts, HaveTheKeysOfOurArmObject) {
  const Json list = sample("arm_list_SIMULATED_KV_5alerts_xsoar.json");
  if (list.is_null()) { GTEST_SKIP() << "set KEYVIGIL_SHARED to the folder that has samples/alerts"; }
  Json captured;
  for (const Json& one : list.at("value")) {
    if (one.at("properties").at("alertType") == "SIMULATED_KV_TORAccess") { captured = one.at("properties"); }
  }
  const Json ours = arm_json(one_alert({tor_read()}), with_tenant()).at("properties");
  for (const std::string& key : key_set(captured.at("extendedProperties"))) {
    EXPECT_TRUE(ours.at("extendedProperties").contains(key)) << key;
  }
  EXPECT_EQ(key_set(ours.at("resourceIdentifiers")[0]), key_set(captured.at("resourceIdentifiers")[0]));
  ASSERT_EQ(ours.at("entities").size(), captured.at("entities").size());
  for (std::size_t i = 0; i < captured.at("entities").size(); ++i) {
    Names theirs = key_set(captured.at("entities")[i]);
    theirs.erase("location");  // needs a table of places, which is not loaded here
    for (const std::string& key : theirs) { EXPECT_TRUE(ours.at("entities")[i].contains(key)) << key; }
    EXPECT_EQ(ours.at("entities")[i].at("type"), captured.at("entities")[i].at("type"));
  }
  for (const std::string& key : key_set(captured)) {
    if (key != "processingEndTimeUtc") { EXPECT_TRUE(ours.contains(key)) << key; }
  }
}

TEST(CapturedAlerts, HaveTheKeysOfOurEventHubMessage) {
  const Json captured = sample("eventhub_SIMULATED_KV_ListGetAnomaly_grafana.json");
  if (captured.is_null()) { GTEST_SKIP() << "set KEYVIGIL_SHARED to the folder that has samples/alerts"; }
  const Json ours = eventhub_json(one_alert({tor_read()}), with_tenant());
  for (const std::string& key : key_set(captured)) { EXPECT_TRUE(ours.contains(key)) << key; }
  for (const std::string& key : key_set(captured.at("ExtendedProperties"))) {
    EXPECT_TRUE(ours.at("ExtendedProperties").contains(key)) << key;
  }
  for (std::size_t i = 0; i < captured.at("Entities").size(); ++i) {
    for (const std::string& key : key_set(captured.at("Entities")[i])) {
      if (key != "Location") { EXPECT_TRUE(ours.at("Entities")[i].contains(key)) << key; }
    }
  }
  EXPECT_EQ(captured.at("ResourceIdentifiers").size(), ours.at("ResourceIdentifiers").size());
}

TEST(CsvRow, HasOneCellPerColumnAndDefusesFormulas) {
  Alert alert = one_alert({tor_read()});
  alert.vault_name = "=HYPERLINK(\"http://x\")";
  std::string header = csv_header();
  std::string row = csv_row(alert, {});
  ASSERT_TRUE(row.ends_with("\r\n"));
  EXPECT_NE(row.find("\"'=HYPERLINK(\"\"http://x\"\")\""), std::string::npos);
  std::size_t quotes = 0;
  std::size_t commas_outside = 0;
  for (const char c : row) {
    quotes += c == '"' ? 1U : 0U;
    commas_outside += c == ',' && quotes % 2 == 0 ? 1U : 0U;
  }
  EXPECT_EQ(quotes % 2, 0U);
  EXPECT_EQ(commas_outside, static_cast<std::size_t>(std::count(header.begin(), header.end(), ',')));
}

TEST(BoundedUtf8, KeepsTextReplacesDamageAndCutsBetweenLetters) {
  EXPECT_EQ(bounded_utf8("plain", 10), "plain");
  EXPECT_EQ(bounded_utf8("\xC3\xA9\xC3\xA9\xC3\xA9", 6), "\xC3\xA9\xC3\xA9\xC3\xA9");
  EXPECT_EQ(bounded_utf8("\xC3\xA9\xC3\xA9\xC3\xA9", 5), "\xC3\xA9\xE2\x80\xA6");
  EXPECT_EQ(bounded_utf8("a\xFF", 10), "a\xEF\xBF\xBD");
  EXPECT_EQ(bounded_utf8("\xC0\x80", 10), "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong
  for (std::size_t limit = 4; limit < 40; ++limit) {
    EXPECT_LE(bounded_utf8("\xFF\xFF long text with \xF0\x9F\x94\x91 keys \xFF\xFF\xFF", limit).size(), limit);
  }
}

TEST(CutColumns, CountsLettersNotBytes) {
  EXPECT_EQ(cut_columns("abc", 3), "abc");
  EXPECT_EQ(cut_columns("abcd", 3), "ab\xE2\x80\xA6");
  EXPECT_EQ(cut_columns("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xE2\x80\xA6");
}

TEST(Reasons, SayWhoWouldHaveToAct) {
  const Alert user = one_alert({tor_read()});
  const std::vector<std::string> steps = remediation_steps(user);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_NE(steps[1].find("alice@contoso.com"), std::string::npos);
  EXPECT_NE(steps[2].find("secrets/db"), std::string::npos);
  const Alert nobody = one_alert({EventBuilder().anonymous().status(401).build()});
  EXPECT_EQ(remediation_steps(nobody).size(), 2U);
  EXPECT_EQ(confidence(user), Severity::kHigh);
}

TEST(Reasons, TakeConfidenceFromTheList) {
  const Alert alert = one_alert({EventBuilder().user("alice").from("198.51.100.5").status(200).build()});
  EXPECT_EQ(alert.type, AlertType::kSuspiciousIPAccess);
  EXPECT_EQ(confidence(alert), Severity::kHigh);
  Alert weak = alert;
  weak.lists[0].confidence = 20;
  EXPECT_EQ(confidence(weak), Severity::kLow);
  weak.lists[0].confidence = -1;
  EXPECT_EQ(confidence(weak), Severity::kMedium);
}

}  // namespace
}  // namespace keyvigil
