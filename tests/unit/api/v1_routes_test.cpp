#include "api/v1_routes.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/percent_coding.h"
#include "unit/api/api_world.h"

namespace keyvigil {
namespace {

std::vector<std::string> vaults_of(const Json& list) {
  std::vector<std::string> names;
  for (const Json& item : list.at("value")) { names.push_back(item.at("vault").at("name").get<std::string>()); }
  return names;
}

using Names = std::vector<std::string>;

TEST(V1Alerts, ListNewestFirst) {
  ApiWorld world;
  EXPECT_EQ(vaults_of(world.json("/v1/alerts")), (Names{"kv-theirs", "kv-a", "kv-a", "kv-b", "kv-a"}));
}

TEST(V1Alerts, AreFound) {
  ApiWorld world;
  const std::vector<std::pair<std::string, Names>> queries = {
      {"alertType=KV_SuspiciousIPAccessDenied", {"kv-a"}},
      {"alertType=kv_toraccess,KV_SuspiciousIPAccessDenied", {"kv-theirs", "kv-a", "kv-a", "kv-b", "kv-a"}},
      {"severity=low", {"kv-a"}},
      {"severity=High", {}},
      {"status=Active", {"kv-theirs", "kv-a", "kv-a", "kv-b", "kv-a"}},
      {"status=Dismissed,Resolved", {}},
      {"from=2026-09-28T10:02:00Z&until=2026-09-28T10:03:00Z", {"kv-a"}},
      {"subscription=" + kTheirs, {"kv-theirs"}},
      {"resourceGroup=RG-Other", {"kv-theirs"}},
      {"vault=" + world.alerts().front().vault_id, {"kv-a", "kv-a", "kv-a"}},
      {"caller=" + world.alerts().front().caller.key, {"kv-theirs", "kv-b", "kv-a"}},
      {"text=bob", {"kv-a"}},
      {"text=alice+pay", {"kv-b"}},
      {"text=203.0.113.7", {"kv-theirs", "kv-b", "kv-a"}},
      {"simulated=true", {}},
  };
  for (const auto& [query, expected] : queries) {
    EXPECT_EQ(vaults_of(world.json("/v1/alerts", query)), expected) << query;
  }
}

TEST(V1Alerts, RefuseWhatTheyDoNotUnderstand) {
  ApiWorld world;
  for (const char* query : {"alertType=KV_None", "severity=Bad", "status=New", "from=today", "until=x", "simulated=1",
                            "limit=0", "limit=1001", "limit=ten", "colour=red", "after=zz", "from=", "until="}) {
    const HttpResponse answer = world.get("/v1/alerts", query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(code_of(answer), "InvalidRequest");
  }
}

TEST(V1Timeline, RefusesTimesThatItDoesNotUnderstandAlsoWhereItDoesNotNeedThem) {
  ApiWorld world;
  const std::string alert = world.alerts().front().id;
  for (const std::string query : {"caller=a&from=", "caller=a&until=", "caller=a&limit=0", "vault=a&from=now"}) {
    EXPECT_EQ(world.get("/v1/timeline", query).status, 400) << query;
  }
  for (const std::string more : {"&from=", "&until=x", "&limit=ten"}) {
    EXPECT_EQ(world.get("/v1/timeline", "alert=" + alert + more).status, 400) << more;
  }
  EXPECT_EQ(world.get("/v1/timeline", "alert=" + alert + "&from=2026-01-01").status, 200);
}

TEST(V1Alerts, PageWithTheirFilters) {
  ApiWorld world;
  std::string query = "status=Active&limit=2&text=alice";
  Names seen;
  for (int pages = 0; pages < 5 && !query.empty(); ++pages) {
    const Json page = world.json("/v1/alerts", query);
    const Names names = vaults_of(page);
    seen.insert(seen.end(), names.begin(), names.end());
    const std::string link = page.value("nextLink", "");
    EXPECT_TRUE(link.empty() ||
                link.starts_with("https://kv.example:8443/v1/alerts?status=Active&limit=2&text=alice&after="));
    query = link.empty() ? "" : link.substr(link.find('?') + 1);
  }
  EXPECT_EQ(seen, (Names{"kv-theirs", "kv-b", "kv-a"}));
}

TEST(V1Alerts, GiveOneWithEvidenceAndHistory) {
  ApiWorld world;
  const std::string id = world.alerts().front().id;
  const Json one = world.json("/v1/alerts/" + id);
  EXPECT_EQ(world.json("/v1/alerts/" + alert_name(world.alerts().front())), one);
  EXPECT_EQ(one.at("whatWasRead"), "1 object: secrets/db");
  EXPECT_EQ(one.at("arm").at("properties").at("supportingEvidence").at("records").size(), 1U);
  ASSERT_EQ(one.at("history").size(), 1U);
  EXPECT_EQ(one.at("history")[0].at("status"), "Active");
  EXPECT_EQ(world.get("/v1/alerts/none").status, 404);
  EXPECT_EQ(world.get("/v1/alerts/2500000000000000000_" + id).status, 404);
}

TEST(V1Alerts, ChangeStatus) {
  ApiWorld world;
  const std::string path = "/v1/alerts/" + world.alerts().front().id;
  const std::size_t lines = world.audit().size();
  EXPECT_EQ(world.ask({"PUT", path + "/status", "", R"({"status":"resolved"})", {}}).status, 204);
  EXPECT_EQ(world.json(path).at("status"), "Resolved");
  EXPECT_EQ(world.json(path).at("history").size(), 2U);
  EXPECT_EQ(world.audit().size(), lines + 1);
  EXPECT_EQ(world.audit().front().action, "alert.resolve");
  for (const char* body : {"", "{}", R"({"status":"New"})", R"({"status":2})"}) {
    EXPECT_EQ(world.ask({"PUT", path + "/status", "", body, {}}).status, 400) << body;
  }
}

TEST(V1Alerts, AreStreamedAsTheyChange) {
  ApiWorld world;
  HttpResponse stream = world.get("/v1/alerts/stream");
  ASSERT_TRUE(stream.feed);
  EXPECT_EQ(stream.feed(), "");
  const std::string path = "/v1/alerts/" + world.alerts().front().id + "/status";
  ASSERT_EQ(world.ask({"PUT", path, "", R"({"status":"Resolved"})", {}}).status, 204);
  ASSERT_EQ(world.ask({"PUT", path, "", R"({"status":"Dismissed"})", {}}).status, 204);
  const std::string events = stream.feed().value();
  ASSERT_TRUE(events.starts_with("id: 7\nevent: alert\ndata: {")) << events;
  EXPECT_TRUE(events.ends_with("}\n\n"));
  EXPECT_EQ(events.find("data: "), events.rfind("data: "));
  EXPECT_NE(events.find("\"status\":\"Dismissed\""), std::string::npos);
  EXPECT_EQ(stream.feed(), "");
  // From where it was cut off, and not what others own.
  world.principal.subscriptions = {kTheirs};
  HttpResponse again = world.ask({"GET", "/v1/alerts/stream", "", "", {{"last-event-id", "0"}}});
  const std::string theirs = again.feed().value();
  EXPECT_NE(theirs.find("kv-theirs"), std::string::npos);
  EXPECT_EQ(theirs.find("kv-a"), std::string::npos);
  for (int i = 0; i < 2000 && again.feed(); ++i) {}
  EXPECT_FALSE(again.feed().has_value());
}

// The id of each event is where to go on behind it, wherever the stream was cut.
TEST(V1Stream, LosesAndDoublesNothingWhereverItIsCut) {
  const auto ids_and_vaults = [](const std::string& events) {
    std::vector<std::pair<std::string, std::string>> found;
    for (std::size_t at = events.find("id: "); at != std::string::npos; at = events.find("id: ", at + 1)) {
      const std::string event = events.substr(at, events.find("\n\n", at) - at);
      const Json data = Json::parse(event.substr(event.find("data: ") + 6), nullptr, false);
      found.emplace_back(event.substr(4, event.find('\n') - 4),
                         data.at("id").get<std::string>() + data.at("status").get<std::string>());
    }
    return found;
  };
  ApiWorld world;
  const std::string path = "/v1/alerts/" + world.alerts().front().id + "/status";
  // The first alert changes again behind the others.
  ASSERT_EQ(world.ask({"PUT", path, "", R"({"status":"Resolved"})", {}}).status, 204);
  const auto from = [&](const std::string& id) {
    HttpResponse stream = world.ask({"GET", "/v1/alerts/stream", "", "", {{"last-event-id", id}}});
    return ids_and_vaults(stream.feed().value());
  };
  const auto all = from("0");
  ASSERT_GE(all.size(), 3U);
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    EXPECT_EQ(from(all[cut].first), decltype(all)(all.begin() + static_cast<std::ptrdiff_t>(cut) + 1, all.end()))
        << "cut behind " << all[cut].first;
  }
}

TEST(V1Outputs, ListDeadLettersPageByPageAndTryThemAgain) {
  ApiWorld world;
  const std::uint64_t first = world.bury_one();
  world.principal.roles = {Role::kReader};
  EXPECT_EQ(world.get("/v1/outputs/dead").status, 403) << "an operator's";
  world.principal.roles = {Role::kOperator};
  const Json page = world.json("/v1/outputs/dead", "output=hook");
  ASSERT_EQ(page.at("value").size(), 1U);
  EXPECT_EQ(page.at("value")[0].at("why"), "answered 400");
  EXPECT_FALSE(page.contains("nextLink"));
  EXPECT_EQ(world.json("/v1/outputs/dead", "output=mail").at("value").size(), 0U);
  EXPECT_EQ(world.json("/v1/outputs/dead", "after=" + std::to_string(first)).at("value").size(), 0U);
  const std::string path = "/v1/outputs/dead/" + std::to_string(first);
  EXPECT_EQ(world.json(path).at("alert").at("id"), page.at("value")[0].at("alertId"));

  // What belongs to others is not there.
  world.principal.subscriptions = {kTheirs};
  EXPECT_EQ(world.json("/v1/outputs/dead").at("value").size(), 0U);
  EXPECT_EQ(world.get(path).status, 404);
  const auto revive = [&](const std::string& body) {
    return world.ask({"POST", "/v1/outputs/dead/revive", "", body, {}});
  };
  EXPECT_EQ(revive(R"({"output":"hook"})").body, R"({"revived":0})");
  world.principal.subscriptions.reset();

  for (const char* body :
       {"", "[]", "{}", R"({"output":1})", R"({"output":"hook","ids":[]})", R"({"output":"hook","ids":["1"]})",
        R"({"output":"hook","ids":[-1]})", R"({"output":"hook","ids":[1.5]})", R"({"output":"hook","ids":[9.3e18]})"}) {
    EXPECT_EQ(revive(body).status, 400) << body;
  }
  EXPECT_EQ(revive(R"({"output":"another"})").status, 404);
  EXPECT_EQ(revive(R"({"output":"hook","ids":[4711]})").body, R"({"revived":0})");
  EXPECT_EQ(revive(R"({"output":"hook","ids":[4711.0,9.2e18]})").body, R"({"revived":0})") << "whole numbers too";
  const std::size_t lines = world.audit().size();
  EXPECT_EQ(revive(R"({"output":"hook","ids":[)" + std::to_string(first) + ".0]}").body, R"({"revived":1})");
  ASSERT_EQ(world.audit().size(), lines + 1);
  EXPECT_EQ(world.audit().front().action, "output.revive");
  EXPECT_EQ(world.audit().front().target, "hook");
  EXPECT_EQ(world.json("/v1/outputs/dead").at("value").size(), 0U);
}

TEST(V1Entities, TellWhatIsKnown) {
  ApiWorld world;
  const Alert& first = world.alerts().front();
  const Json caller = world.json("/v1/entities/caller", "key=" + first.caller.key);
  EXPECT_EQ(caller.at("profile").at("daysSeen"), 12);
  EXPECT_EQ(caller.at("profile").at("usual").at("operations_per_day"), 3.5);
  EXPECT_EQ(caller.at("profile").at("related").at("vaults").at("total"), 3);
  EXPECT_EQ(caller.at("profile").at("related").at("addresses").at("value")[0].at("key"), "203.0.113.0/24");
  EXPECT_EQ(caller.at("alerts").size(), 3U);
  const Json vault = world.json("/v1/entities/Vault", "key=" + percent_encoded(first.vault_id));
  EXPECT_EQ(vault.at("profile").at("kind"), "vault");
  EXPECT_EQ(vault.at("alerts").size(), 3U);
  const Json address = world.json("/v1/entities/address", "key=203.000.113.007");
  EXPECT_EQ(address.at("key"), "203.0.113.7");
  EXPECT_EQ(address.at("alerts").size(), 3U);
  EXPECT_EQ(world.json("/v1/entities/app", "key=" + first.caller.app_id).at("alerts").size(), 4U);
  EXPECT_EQ(world.get("/v1/entities/address", "key=192.0.2.1").status, 404);
  EXPECT_EQ(world.get("/v1/entities/address", "key=here").status, 400);
  EXPECT_EQ(world.get("/v1/entities/caller").status, 400);
  EXPECT_EQ(world.get("/v1/entities/planet", "key=a").status, 404);
}

// 2026-09-28 is a Monday; the events are of ten o'clock.
TEST(V1Entities, TellWhenACallerOrAVaultIsActive) {
  ApiWorld world;
  const Alert& first = world.alerts().front();
  const std::string caller = "key=" + first.caller.key;
  const Json hours = world.json("/v1/entities/caller", caller).at("activeHours");
  Json expected = std::vector<int>(24, 0);
  expected[10] = 1;
  EXPECT_EQ(hours.at("daysByHour"), expected);
  EXPECT_EQ(hours.at("hoursByWeekday"), Json({1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(hours.at("fromUtc"), "2026-09-28T10:00:00.000Z");
  EXPECT_TRUE(world.json("/v1/entities/vault", "key=" + percent_encoded(first.vault_id)).contains("activeHours"));
  EXPECT_FALSE(world.json("/v1/entities/app", "key=" + first.caller.app_id).contains("activeHours"));
  world.principal.subscriptions = {kTheirs};
  EXPECT_TRUE(world.json("/v1/entities/caller", caller).contains("activeHours")) << "it has been at a vault of theirs";
  world.principal.subscriptions = {"cccccccc-0000-4000-8000-00000000000c"};
  EXPECT_EQ(world.get("/v1/entities/caller", caller).status, 404);
}

TEST(V1Entities, TellABoundPrincipalOnlyOfItsOwn) {
  ApiWorld world;
  const Alert& first = world.alerts().front();
  world.principal.subscriptions = {kTheirs};
  const Json caller = world.json("/v1/entities/caller", "key=" + first.caller.key);
  EXPECT_EQ(caller.at("alerts").size(), 1U);
  EXPECT_EQ(caller.at("profile").at("related").at("vaults").at("total"), 1);
  EXPECT_EQ(caller.at("profile").at("related").at("vaults").at("value").size(), 1U);
  const Json app = world.json("/v1/entities/app", "key=" + first.caller.key);
  EXPECT_EQ(app.at("profile").at("related").at("vaults").at("total"), 1);
  // Numbers over vaults that it may not know of are not its business.
  EXPECT_FALSE(caller.at("profile").contains("usual"));
  EXPECT_FALSE(caller.at("profile").at("related").contains("addresses"));
  EXPECT_FALSE(caller.at("profile").contains("daysSeen"));
  EXPECT_EQ(world.get("/v1/entities/vault", "key=" + percent_encoded(first.vault_id)).status, 404);
  EXPECT_EQ(world.get("/v1/entities/caller", "key=" + world.alerts()[2].caller.key).status, 404);
}

TEST(V1Timeline, TellsWhatACallerDid) {
  ApiWorld world;
  const std::string caller = "caller=" + world.alerts().front().caller.key;
  const Json all = world.json("/v1/timeline", caller);
  ASSERT_EQ(all.at("value").size(), 3U);
  EXPECT_EQ(all.at("value")[0].at("time"), "2026-09-28T10:04:00.000Z");
  EXPECT_EQ(all.at("value")[2].at("time"), "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(all.at("value")[2].at("operation"), "SecretGet");
  EXPECT_EQ(all.at("value")[2].at("target"), "https://kv-a.vault.azure.net/secrets/db");
  EXPECT_FALSE(all.contains("nextLink"));
  const std::string vault = "vault=" + world.alerts().front().vault_id;
  EXPECT_EQ(world.json("/v1/timeline", vault).at("value").size(), 3U);
  EXPECT_EQ(world.json("/v1/timeline", vault + "&from=2026-09-28T10:02:00Z").at("value").size(), 2U);
  EXPECT_EQ(world.json("/v1/timeline", vault + "&" + caller).at("value").size(), 1U);
  EXPECT_EQ(world.json("/v1/timeline", "alert=" + world.alerts().front().id).at("value").size(), 1U);
  EXPECT_TRUE(world.json("/v1/timeline", "alert=none").at("value").empty());
  EXPECT_EQ(world.get("/v1/timeline").status, 400);
  EXPECT_EQ(world.get("/v1/timeline", "caller=a&limit=x").status, 400);
  EXPECT_EQ(world.get("/v1/timeline", "caller=a&after=x").status, 400);
}

// Also where events of others lie between its own.
TEST(V1Timeline, IsPagedAndShowsABoundPrincipalItsOwn) {
  ApiWorld world;
  const std::string caller = "caller=" + world.alerts().front().caller.key;
  for (const auto& [subscription, count] : {std::pair(kOurs, 2U), std::pair(kTheirs, 1U)}) {
    world.principal.subscriptions = {subscription};
    std::vector<std::string> seen;
    std::string query = caller + "&limit=1";
    for (int pages = 0; pages < 5 && !query.empty(); ++pages) {
      const Json page = world.json("/v1/timeline", query);
      EXPECT_LE(page.at("value").size(), 1U);
      for (const Json& event : page.at("value")) {
        seen.push_back(event.at("time").get<std::string>());
        EXPECT_NE(event.at("vaultId").get<std::string>().find(subscription), std::string::npos);
      }
      const std::string link = page.value("nextLink", "");
      query = link.empty() ? "" : link.substr(link.find('?') + 1);
    }
    EXPECT_EQ(seen.size(), count);
  }
  EXPECT_TRUE(world.json("/v1/timeline", "vault=" + world.alerts().front().vault_id).at("value").empty());
}

TEST(V1Overview, CountsWithoutSamples) {
  ApiWorld world;
  const std::string simulate =
      "/subscriptions/" + kOurs + "/providers/Microsoft.Security/locations/westeurope/alerts/default/simulate";
  ASSERT_EQ(world
                .ask({"POST",
                      simulate,
                      "api-version=2021-11-01",
                      R"({"properties":{"kind":"Bundles","bundles":["KeyVaults"]}})",
                      {}})
                .status,
            204);
  const Json body = world.json("/v1/overview");
  EXPECT_EQ(body.at("alerts").at("total"), 5);
  EXPECT_EQ(body.at("alerts").at("byType").at("KV_TORAccess"), 4);
  EXPECT_EQ(body.at("alerts").at("bySeverity").at("Low"), 1);
  EXPECT_EQ(body.at("alerts").at("byStatus").at("Active"), 5);
  EXPECT_EQ(body.at("newest").size(), 5U);
  EXPECT_EQ(body.at("service").at("eventsDecided"), 5);
  EXPECT_EQ(body.at("service").at("problems")[0].at("kind"), "silent");
  EXPECT_EQ(body.at("service").at("problems")[0].at("about"), "logs");
  EXPECT_EQ(world.json("/v1/overview", "days=1").at("alerts").at("total"), 0);
  world.principal.subscriptions = {kTheirs};
  const Json theirs = world.json("/v1/overview");
  EXPECT_EQ(theirs.at("alerts").at("total"), 1);
  EXPECT_FALSE(theirs.contains("service"));
}

TEST(V1Service, SaysWhatIsReadyAndWhatComesIn) {
  ApiWorld world;
  const Json ready = world.json("/v1/readiness");
  EXPECT_EQ(ready.at("value").size(), 5U);
  EXPECT_EQ(ready.at("value")[0].at("detectors")[1].at("because"), "learning");
  EXPECT_EQ(world.json("/v1/readiness", "limit=2").at("complete"), false);
  const Json sources = world.json("/v1/sources");
  EXPECT_EQ(sources.at("value")[0].at("refusedByCause").at("no time"), 1);
  EXPECT_EQ(sources.at("lists")[0].at("name"), "https://lists.example/tor");
  EXPECT_EQ(world.json("/v1/catalogue").at("value").size(), kAlertTypeCount);
  world.principal.subscriptions = {kTheirs};
  EXPECT_EQ(world.json("/v1/readiness").at("value").size(), 1U);
  EXPECT_TRUE(world.json("/v1/sources").at("value").empty());
}

TEST(V1Service, ShowsTheAuditTrailToOperators) {
  ApiWorld world;
  const std::string path = "/v1/alerts/" + world.alerts().front().id + "/status";
  ASSERT_EQ(world.ask({"PUT", path, "", R"({"status":"Dismissed"})", {}}).status, 204);
  const Json lines = world.json("/v1/audit");
  EXPECT_EQ(lines.at("value")[0].at("action"), "alert.dismiss");
  EXPECT_EQ(lines.at("value")[0].at("from"), "192.0.2.9");
  world.principal = {"carol", {Role::kOperator}, std::set<std::string>{kTheirs}};
  EXPECT_TRUE(world.json("/v1/audit").at("value").empty());
  world.principal = {"dave", {Role::kOperator}, std::set<std::string>{kOurs}};
  EXPECT_EQ(world.json("/v1/audit").at("value").size(), 1U);
  world.principal = {"erin", {Role::kReader}, std::nullopt};
  EXPECT_EQ(world.get("/v1/audit").status, 403);
}

TEST(V1Routes, ServeTheirDescriptionToAnybody) {
  ApiWorld world;
  world.principal = {};
  const HttpResponse answer = world.get("/openapi.yaml");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.starts_with("openapi: 3.1.0"));
  EXPECT_EQ(world.get("/v1/overview").status, 401);
}

}  // namespace
}  // namespace keyvigil
