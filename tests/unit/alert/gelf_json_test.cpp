#include "alert/gelf_json.h"

#include <cctype>
#include <string>

#include <gtest/gtest.h>

#include "alert/access_summary.h"
#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

TEST(GelfJson, IsFlatAndNamesItsFieldsAsTheFormatAllows) {
  for (const Alert& alert : {tor_alert(), denied_alert(), behaviour_alert()}) {
    const Json message = gelf_json(alert, {});
    EXPECT_EQ(message.at("version"), "1.1");
    EXPECT_FALSE(message.at("host").get<std::string>().empty());
    EXPECT_FALSE(message.at("short_message").get<std::string>().empty());
    EXPECT_FALSE(message.contains("_id"));
    for (const auto& [name, value] : message.items()) {
      EXPECT_TRUE(value.is_string() || value.is_number()) << name;
      if (!name.starts_with('_')) { continue; }
      for (const char c : name) {
        EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(c)) || std::string("_.-").find(c) != std::string::npos)
            << name;
      }
    }
  }
}

TEST(GelfJson, SaysWhoDidWhatFromWhere) {
  const Alert alert = tor_alert();
  const Json message = gelf_json(alert, {}, {.simulated = true});
  EXPECT_EQ(message.at("_alert_type"), "SIMULATED_KV_TORAccess");
  EXPECT_TRUE(message.at("short_message").get<std::string>().starts_with("[SAMPLE ALERT]"));
  EXPECT_EQ(message.at("_vault_name"), alert.vault_name);
  EXPECT_EQ(message.at("_source_ip"), to_string(alert.address));
  EXPECT_EQ(message.at("_severity"), "Medium");
  EXPECT_EQ(message.at("level"), 4);
  EXPECT_EQ(message.at("_suspicious_events"), alert.suspicious_events);
}

TEST(GelfJson, HasTheTimeInSecondsWithMilliseconds) {
  Alert alert = tor_alert();
  alert.generated = EventTime::from_milliseconds(1'790'856'000'123);
  EXPECT_EQ(gelf_json(alert, {}).at("timestamp").dump(), "1790856000.123");
}

TEST(GelfJson, LeavesOutWhatNobodyKnows) {
  Alert alert = tor_alert();
  alert.records.clear();
  alert.client_infos = {};
  alert.caller = {};
  const Json message = gelf_json(alert, {});
  for (const auto& [name, value] : message.items()) { EXPECT_NE(value, "") << name; }
}

TEST(GelfJson, SaysEachReasonInTheFullMessage) {
  const Alert alert = behaviour_alert();
  const Json evidence = evidence_json(alert, {});
  const std::string text = gelf_json(alert, {}).at("full_message");
  ASSERT_FALSE(evidence.at("reasons").empty());
  for (const Json& reason : evidence.at("reasons")) {
    EXPECT_NE(text.find("\n" + reason.at("sentence").get<std::string>()), std::string::npos);
  }
}

}  // namespace
}  // namespace keyvigil
