#include "alert/sample_alerts.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "alert/arm_json.h"
#include "alert/eventhub_json.h"

namespace keyvigil {
namespace {

const std::string kSubscription = "11111111-2222-4333-8444-555555555555";

EventTime now() {
  return parse_iso_time("2026-10-01T12:00:30.1234567Z").value();
}

AlertStanding simulated() {
  AlertStanding standing;
  standing.simulated = true;
  return standing;
}

TEST(SampleAlerts, AreFourteenWithNamesOfTheirOwn) {
  std::set<std::string> names;
  std::set<std::string> codes;
  for (const Alert& alert : sample_alerts(kSubscription, now())) {
    names.insert(alert_name(alert));
    const Json arm = arm_json(alert, {}, simulated());
    codes.insert(arm.at("properties").at("alertType").get<std::string>());
  }
  EXPECT_EQ(names.size(), kAlertTypeCount);
  ASSERT_EQ(codes.size(), kAlertTypeCount);
  for (const CatalogueRow& row : catalogue()) { EXPECT_TRUE(codes.contains("SIMULATED_" + std::string(row.code))); }
}

TEST(SampleAlerts, LookLikeDefendersSamples) {
  for (const Alert& alert : sample_alerts(kSubscription, now())) {
    const Json arm = arm_json(alert, {}, simulated());
    const Json& properties = arm.at("properties");
    EXPECT_TRUE(properties.at("alertDisplayName").get<std::string>().starts_with("[SAMPLE ALERT] "));
    EXPECT_TRUE(properties.at("description").get<std::string>().starts_with("THIS IS A SAMPLE ALERT: "));
    EXPECT_EQ(properties.at("intent"), "Unknown");
    EXPECT_EQ(properties.at("compromisedEntity"), "Sample-KV");
    const Json& extended = properties.at("extendedProperties");
    EXPECT_EQ(extended.at("attacker IP Address"), "00.00.00.00");
    EXPECT_EQ(extended.at("attacker Object ID"), "00000000-0000-0000-0000-000000000000");
    EXPECT_EQ(extended.at("application ID"), "00000000-0000-0000-0000-000000000000");
    EXPECT_FALSE(extended.at("alert Reasons").get<std::string>().empty());
    EXPECT_EQ(properties.at("entities").size(), 3U);
    EXPECT_EQ(properties.at("entities")[2].at("address"), "00.00.00.00");
    EXPECT_NE(arm.at("id").get<std::string>().find("/resourceGroups/Sample-RG/"), std::string::npos);
    EXPECT_EQ(eventhub_json(alert, {}, simulated()).at("CompromisedEntity"), "Sample-KV");
    for (const Json& reason : properties.at("supportingEvidence").at("reasons")) {
      EXPECT_FALSE(reason.at("sentence").get<std::string>().empty());
    }
  }
}

TEST(SampleAlerts, StartTwoSecondsApartGoingBack) {
  const std::vector<Alert> alerts = sample_alerts(kSubscription, now());
  EXPECT_EQ(to_iso_milliseconds(alerts.front().start), "2026-10-01T12:00:24.123Z");
  for (std::size_t i = 1; i < alerts.size(); ++i) {
    EXPECT_EQ(alerts[i - 1].start.ticks - alerts[i].start.ticks, 2 * EventTime::kTicksPerSecond);
  }
}

TEST(SampleAlerts, DoNotMeetThoseOfAnotherTimeOrSubscription) {
  std::set<std::string> ids;
  for (const auto& [subscription, time] :
       {std::pair(kSubscription, now()), std::pair(kSubscription, EventTime{now().ticks + 10'000'000}),
        std::pair(std::string("99999999-2222-4333-8444-555555555555"), now())}) {
    for (const Alert& alert : sample_alerts(subscription, time)) { ids.insert(alert.id); }
  }
  EXPECT_EQ(ids.size(), 3 * kAlertTypeCount);
}

}  // namespace
}  // namespace keyvigil
