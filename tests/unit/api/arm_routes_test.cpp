#include "api/arm_routes.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/sample_alerts.h"
#include "base/hash.h"
#include "unit/api/api_world.h"

namespace keyvigil {
namespace {

const std::string kNew = "api-version=2022-01-01";
const std::string kOld = "api-version=2021-11-01";
const std::string kRules = "api-version=2019-01-01-preview";
const std::string kProvider = "/subscriptions/" + kOurs + "/providers/Microsoft.Security/";
const std::string kGroupProvider =
    "/subscriptions/" + kOurs + "/resourceGroups/rg-contoso/providers/Microsoft.Security/";
const std::string kSimulate = kProvider + "locations/westeurope/alerts/default/simulate";
const std::string kBundle = R"({"properties":{"kind":"Bundles","bundles":["KeyVaults"]}})";

std::set<std::string> names_of(const Json& list) {
  std::set<std::string> names;
  for (const Json& item : list.at("value")) { names.insert(item.at("name").get<std::string>()); }
  return names;
}

std::string first_alert(ApiWorld& world) {
  return world.json(kProvider + "alerts", kNew).at("value").at(0).at("name").get<std::string>();
}

std::string path_of(const std::string& alert, const std::string& action = "") {
  return kProvider + "locations/westeurope/alerts/" + alert + (action.empty() ? "" : "/" + action);
}

// ---- api-version ----

TEST(ArmRoutes, NameTheSupportedVersions) {
  ApiWorld world;
  const HttpResponse missing = world.get(kProvider + "alerts");
  EXPECT_EQ(missing.status, 400);
  EXPECT_EQ(code_of(missing), "MissingApiVersionParameter");
  EXPECT_NE(missing.body.find("2022-01-01"), std::string::npos);
  const HttpResponse unknown = world.get(kProvider + "alerts", "api-version=1999-01-01");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(code_of(unknown), "InvalidApiVersionParameter");
  EXPECT_NE(unknown.body.find("2021-11-01"), std::string::npos);
  for (const char* version : {"2019-01-01", "2020-01-01", "2021-01-01", "2021-11-01", "2022-01-01"}) {
    EXPECT_EQ(world.get(kProvider + "alerts", std::string("api%2Dversion=") + version).status, 200) << version;
  }
}

// ---- lists ----

TEST(ArmRoutes, ListAtBothLevelsAndByLocation) {
  ApiWorld world;
  const std::set<std::string> all = names_of(world.json(kProvider + "alerts", kNew));
  EXPECT_EQ(all.size(), 4U);
  EXPECT_EQ(names_of(world.json(kProvider + "locations/WestEurope/alerts", kNew)), all);
  EXPECT_EQ(names_of(world.json(kGroupProvider + "alerts", kOld)), all);
  EXPECT_EQ(names_of(world.json(kGroupProvider + "locations/westeurope/alerts", kOld)), all);
  EXPECT_TRUE(names_of(world.json(kProvider + "locations/eastus/alerts", kNew)).empty());
  const std::string other_group =
      "/subscriptions/" + kOurs + "/resourceGroups/rg-none/providers/Microsoft.Security/alerts";
  EXPECT_TRUE(names_of(world.json(other_group, kNew)).empty());
}

TEST(ArmRoutes, MatchPathsWithoutRegardToCase) {
  ApiWorld world;
  const Json list =
      world.json("/Subscriptions/" + kOurs + "/RESOURCEGROUPS/RG-CONTOSO/Providers/microsoft.security/Alerts", kNew);
  EXPECT_EQ(names_of(list).size(), 4U);
}

TEST(ArmRoutes, RefuseMalformedScopes) {
  ApiWorld world;
  const HttpResponse subscription = world.get("/subscriptions/none/providers/Microsoft.Security/alerts", kNew);
  EXPECT_EQ(subscription.status, 400);
  EXPECT_EQ(code_of(subscription), "InvalidSubscriptionId");
  const std::string long_group(91, 'a');
  for (const std::string& group : {std::string("a%20b"), std::string("a%27;--"), long_group}) {
    EXPECT_EQ(
        world.get("/subscriptions/" + kOurs + "/resourceGroups/" + group + "/providers/Microsoft.Security/alerts", kNew)
            .status,
        400);
  }
}

std::vector<Alert> many(const Alert& one, std::size_t count) {
  std::vector<Alert> alerts(count, one);
  for (std::size_t i = 0; i < count; ++i) {
    alerts[i].id = to_guid(hash128(std::to_string(i)));
    alerts[i].start.ticks += static_cast<std::int64_t>(i) * EventTime::kTicksPerSecond;
    alerts[i].generated = alerts[i].start;
  }
  return alerts;
}

// The link is followed as @azure/arm-security does, which writes $skiptoken anew as %24skiptoken.
TEST(ArmRoutes, PageWithAbsoluteLinksThatClientsMayRewrite) {
  ApiWorld world;
  world.commit(many(world.alerts().front(), 250));
  std::set<std::string> seen;
  std::size_t pages = 0;
  std::string path = kProvider + "alerts";
  std::string query = kOld;
  while (true) {
    const Json page = world.json(path, query);
    ++pages;
    for (const std::string& name : names_of(page)) { EXPECT_TRUE(seen.insert(name).second) << name; }
    if (!page.contains("nextLink")) { break; }
    const std::string link = page.at("nextLink");
    ASSERT_TRUE(link.starts_with("https://kv.example:8443" + path + "?api-version=2021-11-01&$skiptoken=")) << link;
    const std::string token = link.substr(link.rfind('=') + 1);
    EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos) << token;
    query = kOld + "&%24skiptoken=" + token;
    ASSERT_LT(pages, 10U);
  }
  EXPECT_EQ(seen.size(), 254U);
  EXPECT_EQ(pages, 3U);
}

TEST(ArmRoutes, RefuseTokensThatAreNoTokens) {
  ApiWorld world;
  for (const char* token : {"zz", "%27%20OR%201=1", "00", "ffffffffffffffff"}) {
    const HttpResponse answer = world.get(kProvider + "alerts", kNew + "&$skiptoken=" + token);
    EXPECT_TRUE(answer.status == 400 || answer.status == 200) << token << " " << answer.body;
  }
  EXPECT_EQ(world.get(kProvider + "alerts", kNew + "&$skiptoken=zz").status, 400);
}

// ---- one alert ----

TEST(ArmRoutes, GetOneAlertAtBothLevels) {
  ApiWorld world;
  const std::string name = first_alert(world);
  const Json one = world.json(path_of(name), kNew);
  EXPECT_EQ(one, world.json(kProvider + "alerts", kNew).at("value").at(0));
  EXPECT_EQ(one.at("type"), "Microsoft.Security/Locations/alerts");
  EXPECT_EQ(one.at("properties").at("processingEndTimeUtc"), "2026-10-01T12:00:00.000Z");
  EXPECT_EQ(one.at("properties").at("status"), "Active");
  for (const Json& identifier : one.at("properties").at("resourceIdentifiers")) {
    EXPECT_EQ(identifier.at("type"), "AzureResource");
  }
  EXPECT_EQ(world.json(kGroupProvider + "locations/westeurope/alerts/" + name, kOld), one);
  // The id of the answer is a path of the API.
  EXPECT_EQ(world.json(one.at("id").get<std::string>(), kNew), one);
}

TEST(ArmRoutes, AnswerUnknownAlertsWithResourceNotFound) {
  ApiWorld world;
  const std::string name = first_alert(world);
  const std::string other_start = "2500000000000000000" + name.substr(name.find('_'));
  for (const std::string& path :
       {path_of("none"), path_of("_"), path_of(other_start), kProvider + "locations/eastus/alerts/" + name,
        "/subscriptions/" + kOurs + "/resourceGroups/other/providers/Microsoft.Security/locations/westeurope/alerts/" +
            name,
        "/subscriptions/" + kTheirs + "/providers/Microsoft.Security/locations/global/alerts/" + name}) {
    const HttpResponse answer = world.get(path, kNew);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(code_of(answer), "ResourceNotFound");
  }
}

// ---- actions ----

TEST(ArmRoutes, ChangeTheStatusAndMayRepeatIt) {
  ApiWorld world;
  const std::string name = first_alert(world);
  const std::size_t lines = world.audit().size();
  const std::vector<std::pair<std::string, std::string>> steps = {
      {"inProgress", "InProgress"}, {"resolve", "Resolved"}, {"dismiss", "Dismissed"},
      {"dismiss", "Dismissed"},     {"activate", "Active"},  {"INPROGRESS", "InProgress"}};
  for (const auto& [action, status] : steps) {
    const HttpResponse answer = world.ask({"POST", path_of(name, action), kNew, "", {}});
    EXPECT_EQ(answer.status, 204) << action << answer.body;
    EXPECT_TRUE(answer.body.empty());
    EXPECT_EQ(world.json(path_of(name), kNew).at("properties").at("status"), status);
  }
  EXPECT_EQ(world.audit().size(), lines + steps.size());
  EXPECT_EQ(world.audit().front().action, "alert.inProgress");
  EXPECT_EQ(world.audit().front().who, "alice");
  EXPECT_EQ(world.audit().front().from_address, "192.0.2.9");
  const HttpResponse at_group =
      world.ask({"POST", kGroupProvider + "locations/westeurope/alerts/" + name + "/dismiss", kOld, "", {}});
  EXPECT_EQ(at_group.status, 204);
  EXPECT_EQ(world.ask({"POST", path_of("none", "dismiss"), kNew, "", {}}).status, 404);
  EXPECT_EQ(world.ask({"POST", path_of(name, "explode"), kNew, "", {}}).status, 404);
}

// ---- simulate ----

TEST(ArmRoutes, SimulateAtOnceForOldClients) {
  ApiWorld world;
  const HttpResponse answer = world.ask({"POST", kSimulate, kOld, kBundle, {}});
  EXPECT_EQ(answer.status, 204) << answer.body;
  EXPECT_TRUE(answer.body.empty());
}

TEST(ArmRoutes, SimulateAsALongOperationForNewClients) {
  ApiWorld world;
  const HttpResponse answer = world.ask({"POST", kSimulate, kNew, kBundle, {}});
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(header_of(answer, "Retry-After"), "1");
  const std::string location = header_of(answer, "Location");
  const std::string host = "https://kv.example:8443";
  ASSERT_TRUE(location.starts_with(host + kProvider + "locations/westeurope/operationResults/")) << location;
  const std::size_t mark = location.find('?');
  const std::string path = location.substr(host.size(), mark - host.size());
  EXPECT_EQ(world.get(path, location.substr(mark + 1)).status, 204);
  EXPECT_EQ(world.get(path + "0", kNew).status, 404);
  EXPECT_EQ(world.json(kSimulate, kNew), Json::object());
}

TEST(ArmRoutes, SimulateMakesAllFourteen) {
  ApiWorld world;
  ASSERT_EQ(world.ask({"POST", kSimulate, kNew, kBundle, {}}).status, 202);
  std::set<std::string> codes;
  const std::string group = "/subscriptions/" + kOurs + "/resourceGroups/Sample-RG/providers/Microsoft.Security/alerts";
  const Json list = world.json(group, kNew);
  for (const Json& alert : list.at("value")) {
    codes.insert(alert.at("properties").at("alertType").get<std::string>());
    EXPECT_TRUE(alert.at("properties").at("alertDisplayName").get<std::string>().starts_with("[SAMPLE ALERT] "));
    EXPECT_EQ(world.json(alert.at("id").get<std::string>(), kNew), alert);
  }
  EXPECT_EQ(codes.size(), kAlertTypeCount);
  EXPECT_EQ(world.audit().front().action, "alert.simulate");
  // They are delivered, and count nowhere.
  EXPECT_EQ(world.store().due("hook", world.now, 100).value().size(), kAlertTypeCount);
  std::uint64_t counted = 0;
  const auto by_type = world.store().count_by_type({}).value();
  for (const auto& [type, count] : by_type) { counted += count; }
  EXPECT_EQ(counted, 5U);
}

TEST(ArmRoutes, SimulateRefusesWhatItDoesNotSimulate) {
  ApiWorld world;
  for (const char* body : {"", "[]", "{", "{}", R"({"properties":7})", R"({"properties":{"kind":"Bundles"}})",
                           R"({"properties":{"kind":"Bundles","bundles":["DNS"]}})",
                           R"({"properties":{"kind":"Other","bundles":["KeyVaults"]}})",
                           R"({"properties":{"kind":"Bundles","bundles":"KeyVaults"}})"}) {
    const HttpResponse answer = world.ask({"POST", kSimulate, kNew, body, {}});
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(code_of(answer), "InvalidRequestContent");
  }
  EXPECT_EQ(world.ask({"POST", kProvider + "locations/eastus/alerts/default/simulate", kNew, kBundle, {}}).status, 404);
  EXPECT_EQ(world.json(kProvider + "alerts", kNew).at("value").size(), 4U);
}

// ---- suppression rules ----

std::string rule_path(const std::string& name) {
  return kProvider + "alertsSuppressionRules/" + name;
}

const std::string kAzRule = R"({"properties":{"alertType":"KV_TORAccess","expirationDateUtc":"2030-01-01T00:00:00.000Z",
  "reason":"FalsePositive","state":"Enabled","comment":"the exit of our lab",
  "suppressionAlertsScope":{"allOf":[{"field":"Entities.IP.Address","in":"203.0.113.7"},
                                     {"field":"entities.account.name","contains":"ali"}]}}})";

TEST(ArmRoutes, KeepSuppressionRules) {
  ApiWorld world;
  const HttpResponse put = world.ask({"PUT", rule_path("Lab"), kRules, kAzRule, {}});
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(world.audit().front().action, "rule.put");
  const Json rule = world.json(rule_path("lab"), kRules);
  EXPECT_EQ(rule, Json::parse(put.body));
  EXPECT_EQ(rule.at("id"), rule_path("Lab"));
  EXPECT_EQ(rule.at("type"), "Microsoft.Security/alertsSuppressionRules");
  const Json& properties = rule.at("properties");
  EXPECT_EQ(properties.at("lastModifiedUtc"), "2026-10-01T12:00:00.000Z");
  EXPECT_EQ(properties.at("expirationDateUtc"), "2030-01-01T00:00:00.000Z");
  const Json expected = Json::parse(R"([{"field":"entities.ip.address","in":["203.0.113.7"]},
                                        {"field":"entities.account.name","contains":"ali"}])");
  EXPECT_EQ(properties.at("suppressionAlertsScope").at("allOf"), expected);
  // What was got can be put again.
  EXPECT_EQ(world.ask({"PUT", rule_path("Lab"), kRules, to_json_line(rule), {}}).status, 200);
  EXPECT_EQ(world.json(rule_path("Lab"), kRules), rule);

  EXPECT_EQ(world.json(kProvider + "alertsSuppressionRules", kRules).at("value").size(), 1U);
  EXPECT_EQ(world.json(kProvider + "alertsSuppressionRules", kRules + "&AlertType=kv_toraccess").at("value").size(),
            1U);
  EXPECT_TRUE(
      world.json(kProvider + "alertsSuppressionRules", kRules + "&AlertType=KV_AppAnomaly").at("value").empty());
  const std::string theirs = "/subscriptions/" + kTheirs + "/providers/Microsoft.Security/alertsSuppressionRules";
  EXPECT_TRUE(world.json(theirs, kRules).at("value").empty());

  EXPECT_EQ(world.ask({"DELETE", rule_path("LAB"), kRules, "", {}}).status, 204);
  EXPECT_EQ(world.ask({"DELETE", rule_path("LAB"), kRules, "", {}}).status, 204);
  EXPECT_EQ(world.get(rule_path("Lab"), kRules).status, 404);
}

TEST(ArmRoutes, RuleWithoutScopeIsForAllAlertsOfItsType) {
  ApiWorld world;
  const std::string body = R"({"properties":{"alertType":"*","reason":"Other","state":"Enabled",
                               "expirationDateUTC":"2027-01-01T00:00:00Z","suppressionAlertsScope":null}})";
  ASSERT_EQ(world.ask({"PUT", rule_path("all"), kRules, body, {}}).status, 200);
  const Json properties = world.json(rule_path("all"), kRules).at("properties");
  EXPECT_FALSE(properties.contains("suppressionAlertsScope"));
  EXPECT_EQ(properties.at("expirationDateUtc"), "2027-01-01T00:00:00.000Z");
  world.now = parse_iso_time("2027-02-01T00:00:00Z").value();
  EXPECT_EQ(world.json(rule_path("all"), kRules).at("properties").at("state"), "Expired");
}

TEST(ArmRoutes, RefuseRulesThatSayNothingUseful) {
  ApiWorld world;
  const auto rule = [](const std::string& scope, const std::string& rest = R"("reason":"Other","state":"Enabled")") {
    return R"({"properties":{"alertType":"KV_TORAccess",)" + rest + R"(,"suppressionAlertsScope":)" + scope + "}}";
  };
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "JSON object"},
      {"{}", "properties"},
      {R"({"properties":{"alertType":"KV_Tor","reason":"Other","state":"Enabled"}})", "KV_TORAccess"},
      {R"({"properties":{"reason":"Other","state":"Enabled"}})", "properties.alertType"},
      {rule("null", R"("state":"Enabled")"), "properties.reason"},
      {rule("null", R"("reason":"Other")"), "properties.state"},
      {rule("null", R"("reason":"Other","state":"On")"), "Enabled, Disabled, Expired"},
      {rule("null", R"("reason":7,"state":"Enabled")"), "properties.reason"},
      {rule("null", R"("reason":"Other","state":"Enabled","expirationDateUtc":"soon")"),
       "properties.expirationDateUtc"},
      {rule("[]"), "allOf"},
      {rule(R"({"anyOf":[]})"), "allOf"},
      {rule(R"({"allOf":[{"field":"entities.ip.adress","in":["a"]}]})"), "entities.ip.address"},
      {rule(R"({"allOf":[{"field":7,"in":["a"]}]})"), "entities.ip.address"},
      {rule(R"({"allOf":[{"field":"entities.ip.address"}]})"), "exactly one of"},
      {rule(R"({"allOf":[{"field":"entities.ip.address","in":["a"],"contains":"b"}]})"), "exactly one of"},
      {rule(R"({"allOf":[{"field":"entities.ip.address","startsWith":"a"}]})"), "startsWith"},
      {rule(R"({"allOf":[{"field":"entities.ip.address","in":[]}]})"), "at least one value"},
      {rule(R"({"allOf":[{"field":"entities.ip.address","in":[7]}]})"), "none of them empty"},
      {rule(R"({"allOf":[{"field":"entities.ip.address","contains":""}]})"), "none of them empty"},
      {rule(R"({"allOf":["x"]})"), "an object"},
  };
  for (const auto& [body, sentence] : bad) {
    const HttpResponse answer = world.ask({"PUT", rule_path("bad"), kRules, body, {}});
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(code_of(answer), "InvalidRequestContent");
    EXPECT_NE(answer.body.find(sentence), std::string::npos) << body << "\n" << answer.body;
  }
  EXPECT_EQ(world.ask({"PUT", rule_path("-bad"), kRules, kAzRule, {}}).status, 400);
  EXPECT_EQ(world.ask({"PUT", rule_path("a%2Fb"), kRules, kAzRule, {}}).status, 400);
  EXPECT_TRUE(world.json(kProvider + "alertsSuppressionRules", kRules).at("value").empty());
}

TEST(ArmRoutes, TryARuleOnPastAlerts) {
  ApiWorld world;
  const Asked trial{"POST", rule_path("lab") + "/simulate", kRules, kAzRule, {}};
  const HttpResponse tried = world.ask(trial);
  ASSERT_EQ(tried.status, 200) << tried.body;
  const Json found = Json::parse(tried.body);
  EXPECT_EQ(found.at("examined"), 4);
  EXPECT_EQ(found.at("matched"), 2);
  EXPECT_EQ(found.at("complete"), true);
  ASSERT_EQ(found.at("alerts").size(), 2U);
  EXPECT_EQ(found.at("alerts").at(0).at("compromisedEntity"), "kv-b");
  // Trying is not keeping.
  EXPECT_EQ(world.get(rule_path("lab"), kRules).status, 404);
  EXPECT_EQ(world.ask({"POST", rule_path("lab") + "/simulate", kRules, "", {}}).status, 404);

  ASSERT_EQ(world.ask({"PUT", rule_path("lab"), kRules, kAzRule, {}}).status, 200);
  const HttpResponse stored = world.ask({"POST", rule_path("lab") + "/simulate", kRules, "", {}});
  EXPECT_EQ(Json::parse(stored.body), found);
  const HttpResponse recent = world.ask({"POST", rule_path("lab") + "/simulate", kRules + "&days=1", "", {}});
  EXPECT_EQ(Json::parse(recent.body).at("examined"), 0);
  EXPECT_EQ(world.ask({"POST", rule_path("lab") + "/simulate", kRules + "&days=0", "", {}}).status, 400);
}

TEST(ArmRoutes, DismissedAlertsStayListed) {
  ApiWorld world;
  std::vector<Alert> one = many(world.alerts().front(), 1);
  world.commit(one, "lab");
  const Json alert = world.json(path_of(alert_name(one.front())), kNew);
  EXPECT_EQ(alert.at("properties").at("status"), "Dismissed");
}

// ---- what clients ask on the way ----

TEST(ArmRoutes, SayWhereAlertsAre) {
  ApiWorld world;
  const std::string version = "api-version=2015-06-01-preview";
  const Json list = world.json(kProvider + "locations", version);
  ASSERT_EQ(list.at("value").size(), 1U);
  EXPECT_EQ(list.at("value")[0].at("name"), "westeurope");
  EXPECT_EQ(world.json(kProvider + "locations/WESTEUROPE", version), list.at("value")[0]);
  EXPECT_EQ(world.get(kProvider + "locations/eastus", version).status, 404);
}

TEST(ArmRoutes, ListSubscriptionsForLogin) {
  ApiWorld world;
  const Json list = world.json("/subscriptions", "api-version=2019-11-01");
  std::set<std::string> ids;
  for (const Json& item : list.at("value")) {
    ids.insert(item.at("subscriptionId").get<std::string>());
    EXPECT_EQ(item.at("state"), "Enabled");
  }
  EXPECT_EQ(ids, (std::set<std::string>{kOurs, kTheirs}));
  world.principal.subscriptions = {kOurs};
  const Json own = world.json("/subscriptions", "api-version=2019-11-01");
  ASSERT_EQ(own.at("value").size(), 1U);
  EXPECT_EQ(own.at("value")[0].at("tenantId"), "77777777-2222-4333-8444-555555555555");
  EXPECT_EQ(world.json("/subscriptions/" + kOurs, "api-version=2019-11-01"), own.at("value")[0]);
  EXPECT_EQ(world.json("/tenants", "api-version=2019-11-01").at("value").size(), 1U);
  EXPECT_EQ(world.get("/subscriptions/" + kTheirs, "api-version=2019-11-01").status, 404);
}

TEST(ArmRoutes, AreThePlanForKeyVaults) {
  ApiWorld world;
  const std::string version = "api-version=2022-03-01";
  const Json plan = world.json(kProvider + "pricings/keyvaults", version);
  EXPECT_EQ(plan.at("properties").at("pricingTier"), "Standard");
  EXPECT_EQ(world.json(kProvider + "pricings", version).at("value")[0], plan);
  const std::string standard = R"({"properties":{"pricingTier":"Standard"}})";
  EXPECT_EQ(world.ask({"PUT", kProvider + "pricings/KeyVaults", version, standard, {}}).status, 200);
  EXPECT_EQ(world.audit().front().action, "plan.put");
  for (const char* body : {R"({"properties":{"pricingTier":"Free"}})", "{}", R"({"properties":[]})"}) {
    EXPECT_EQ(world.ask({"PUT", kProvider + "pricings/KeyVaults", version, body, {}}).status, 400) << body;
  }
  EXPECT_EQ(world.get(kProvider + "pricings/Dns", version).status, 404);
}

TEST(ArmRoutes, SaySettings) {
  ApiWorld world;
  const std::string version = "api-version=2022-05-01";
  EXPECT_EQ(world.json(kProvider + "settings", version).at("value").size(), 3U);
  EXPECT_EQ(world.json(kProvider + "settings/mcas", version).at("properties").at("enabled"), false);
  EXPECT_EQ(world.get(kProvider + "settings/other", version).status, 404);
}

}  // namespace
}  // namespace keyvigil
