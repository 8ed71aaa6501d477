#include "api/graph_alerts.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/graph_filter.h"
#include "base/percent_coding.h"
#include "unit/api/api_world.h"

namespace keyvigil {
namespace {

const std::string kPath = "/v1.0/security/alerts_v2";

std::string encoded(const std::string& filter) {
  return "$filter=" + percent_encoded(filter);
}

TEST(GraphAlerts, AreListedAndFiltered) {
  ApiWorld world;
  EXPECT_EQ(world.json(kPath).at("value").size(), 5U);
  const std::vector<std::pair<std::string, std::size_t>> filters = {
      {"severity eq 'low'", 1},
      {"severity in ('low', 'medium')", 5},
      {"severity eq 'unknown'", 0},
      {"status eq 'new' and severity eq 'medium'", 4},
      {"status eq 'resolved'", 0},
      {"severity eq 'low' and severity eq 'medium'", 0},
      {"createdDateTime ge 2026-09-28T10:03:00Z", 2},
      {"createdDateTime gt 2026-09-28T10:03:00Z", 1},
      {"createdDateTime lt 2026-09-28T10:01:00Z", 1},
      {"createdDateTime le 2026-09-28T10:01:00Z and createdDateTime ge 2026-09-28T10:01:00Z", 1},
      {"createdDateTime eq 2026-09-28T10:01:00Z", 1},
      {"serviceSource eq 'microsoftDefenderForCloud'", 5},
      {"serviceSource eq 'microsoftDefenderForEndpoint'", 0},
  };
  for (const auto& [filter, count] : filters) {
    EXPECT_EQ(world.json(kPath, encoded(filter)).at("value").size(), count) << filter;
  }
}

TEST(GraphAlerts, RefuseFiltersThatTheyDoNotUnderstand) {
  ApiWorld world;
  for (const char* filter :
       {"severity", "severity eq", "severity eq 'low", "severity ne 'low'", "title eq 'a'", "and", "or",
        "severity eq 'low' or severity eq 'high'", "severity in 'low'", "severity in ('low'", "createdDateTime ge soon",
        "createdDateTime ne 2026-09-28T10:01:00Z", "severity eq 'low' and"}) {
    const HttpResponse answer = world.get(kPath, encoded(filter));
    EXPECT_EQ(answer.status, 400) << filter;
    EXPECT_NE(answer.body.find("createdDateTime"), std::string::npos);
  }
  EXPECT_EQ(world.get(kPath, "$top=0").status, 400);
  EXPECT_EQ(world.get(kPath, "$skip=-1").status, 400);
}

TEST(GraphAlerts, ArePaged) {
  ApiWorld world;
  std::set<std::string> seen;
  std::string query = "$top=2";
  for (int pages = 0; pages < 5 && !query.empty(); ++pages) {
    const Json page = world.json(kPath, query);
    for (const Json& alert : page.at("value")) { EXPECT_TRUE(seen.insert(alert.at("id").get<std::string>()).second); }
    const std::string link = page.value("@odata.nextLink", "");
    query = link.empty() ? "" : link.substr(link.find('?') + 1);
  }
  EXPECT_EQ(seen.size(), 5U);
  const Json all = world.json(kPath);
  EXPECT_EQ(world.json(kPath, "$skip=3&$top=1").at("value").at(0), all.at("value").at(3));
  EXPECT_TRUE(world.json(kPath, "$skip=5").at("value").empty());
  EXPECT_TRUE(world.json(kPath, "$skip=10000").at("value").empty());
}

TEST(GraphAlerts, CarryEvidence) {
  ApiWorld world;
  const Json alert = world.json(kPath + "/" + world.alerts().front().id);
  EXPECT_EQ(alert.at("severity"), "medium");
  EXPECT_EQ(alert.at("status"), "new");
  EXPECT_EQ(alert.at("detectorId"), "KV_TORAccess");
  EXPECT_EQ(alert.at("category"), "CredentialAccess");
  EXPECT_EQ(alert.at("tenantId"), "77777777-2222-4333-8444-555555555555");
  EXPECT_EQ(alert.at("mitreTechniques"), (Json{"T1555", "T1090", "T1555.006", "T1090.003"}));
  ASSERT_EQ(alert.at("evidence").size(), 3U);
  EXPECT_EQ(alert.at("evidence")[1].at("userAccount").at("userPrincipalName"), "alice@contoso.com");
  EXPECT_EQ(alert.at("evidence")[2].at("ipAddress"), "203.0.113.7");
  EXPECT_EQ(world.get(kPath + "/none").status, 404);
}

TEST(GraphAlerts, AreChanged) {
  ApiWorld world;
  const std::string path = kPath + "/" + world.alerts().front().id;
  const auto patched = [&](const std::string& body) { return world.ask({"PATCH", path, "", body, {}}); };
  const HttpResponse dismissed = patched(R"({"status":"resolved","classification":"falsePositive"})");
  ASSERT_EQ(dismissed.status, 200) << dismissed.body;
  EXPECT_EQ(Json::parse(dismissed.body).at("classification"), "falsePositive");
  EXPECT_EQ(world.json("/v1/alerts/" + world.alerts().front().id).at("status"), "Dismissed");
  EXPECT_EQ(world.audit().front().action, "alert.dismiss");
  EXPECT_EQ(Json::parse(patched(R"({"status":"inProgress"})").body).at("status"), "inProgress");
  for (const char* body :
       {"", "{}", R"({"status":"closed"})", R"({"status":1})", R"({"status":"new","assignedTo":"bob"})",
        R"({"status":"resolved","classification":"truePositive"})",
        R"({"status":"new","classification":"falsePositive"})"}) {
    EXPECT_EQ(patched(body).status, 400) << body;
  }
  world.principal.subscriptions = {kTheirs};
  EXPECT_EQ(patched(R"({"status":"new"})").status, 404);
  EXPECT_EQ(world.json(kPath).at("value").size(), 1U);
}

}  // namespace
}  // namespace keyvigil
