// Every route asked by somebody who is bound to another subscription: as if there were nothing.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/percent_coding.h"
#include "unit/api/api_world.h"

namespace keyvigil {
namespace {

constexpr const char* kFree = "dddddddd-2222-4333-8444-555555555555";  // nobody has anything there

// The pattern with its parameters filled in; `subscription` where it has one.
std::string filled(const std::string& pattern, const std::map<std::string, std::string>& values) {
  std::string path;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      path += pattern[at++];
      continue;
    }
    const std::size_t end = pattern.find('}', at);
    const auto value = values.find(pattern.substr(at + 1, end - at - 1));
    EXPECT_NE(value, values.end()) << pattern << ": give the parameter a value in this test";
    path += value == values.end() ? "" : percent_encoded(value->second);
    at = end + 1;
  }
  return path;
}

std::string version_for(const std::string& pattern) {
  const std::vector<std::pair<std::string, std::string>> versions = {{"alertsSuppressionRules", "2019-01-01-preview"},
                                                                     {"/alerts", "2022-01-01"},
                                                                     {"operationResults", "2022-01-01"},
                                                                     {"pricings", "2022-03-01"},
                                                                     {"settings", "2022-05-01"},
                                                                     {"locations", "2015-06-01-preview"}};
  for (const auto& [part, version] : versions) {
    if (pattern.find(part) != std::string::npos) { return version; }
  }
  return "2019-11-01";
}

std::string without(std::string text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word)) { text.erase(at, word.size()); }
  return text;
}

class Foreign : public ::testing::Test {
 protected:
  Foreign() {
    const std::string rule = R"({"properties":{"alertType":"*","reason":"Other","state":"Enabled"}})";
    const std::string path = "/subscriptions/" + kOurs + "/providers/Microsoft.Security/alertsSuppressionRules/lab";
    EXPECT_EQ(world_.ask({"PUT", path, "api-version=2019-01-01-preview", rule, {}}).status, 200);
  }

  std::map<std::string, std::string> values(const std::string& subscription) const {
    const Alert& alert = world_.alerts().front();
    return {{"subscription", subscription},
            {"group", alert.resource_group},
            {"location", "westeurope"},
            {"alert", alert_name(alert)},
            {"rule", "lab"},
            {"operation", alert.id},
            {"plan", "KeyVaults"},
            {"setting", "MCAS"},
            {"stream", "Custom-A"},
            {"letter", "1"},
            {"kind", "vault"}};
  }

  static std::string body_for(const std::string& pattern) {
    if (pattern.find("pricings") != std::string::npos) { return R"({"properties":{"pricingTier":"Standard"}})"; }
    if (pattern.find("revive") != std::string::npos) { return R"({"output":"hook"})"; }
    if (pattern.find("status") != std::string::npos) { return R"({"status":"Dismissed"})"; }
    if (pattern.find("default/simulate") != std::string::npos) {
      return R"({"properties":{"kind":"Bundles","bundles":["KeyVaults"]}})";
    }
    return R"({"properties":{"alertType":"*","reason":"Other","state":"Enabled"}})";
  }

  ApiWorld world_;
};

// What is in the path answers exactly as a subscription that nobody knows does, and changes nothing.
TEST_F(Foreign, SubscriptionsInPathsAnswerLikeUnknownOnes) {
  world_.principal.subscriptions = {kTheirs};
  const std::size_t lines = world_.audit().size();
  std::size_t routes = 0;
  for (const Router::Route& route : world_.router().routes()) {
    if (route.pattern.find("{subscription}") == std::string::npos) { continue; }
    ++routes;
    const std::string query = "api-version=" + version_for(route.pattern);
    const HttpResponse foreign =
        world_.ask({route.method, filled(route.pattern, values(kOurs)), query, body_for(route.pattern), {}});
    const HttpResponse unknown =
        world_.ask({route.method, filled(route.pattern, values(kFree)), query, body_for(route.pattern), {}});
    EXPECT_EQ(foreign.status, 404) << route.pattern;
    EXPECT_EQ(unknown.status, 404) << route.pattern;
    EXPECT_EQ(without(foreign.body, kOurs), without(unknown.body, kFree)) << route.pattern;
    EXPECT_EQ(foreign.refused, "foreign_subscription");
  }
  EXPECT_GE(routes, 30U);
  EXPECT_EQ(world_.audit().size(), lines);
  world_.principal.subscriptions = std::nullopt;
  EXPECT_TRUE(world_.json("/v1/alerts", "simulated=true").at("value").empty());
  EXPECT_EQ(world_.json("/v1/alerts", "status=Active").at("value").size(), 5U);
}

// The same requests are understood when it is their own.
TEST_F(Foreign, OwnSubscriptionsAnswer) {
  world_.principal.subscriptions = {kOurs};
  for (const Router::Route& route : world_.router().routes()) {
    if (route.pattern.find("{subscription}") == std::string::npos) { continue; }
    const std::string query = "api-version=" + version_for(route.pattern);
    const HttpResponse own =
        world_.ask({route.method, filled(route.pattern, values(kOurs)), query, body_for(route.pattern), {}});
    const bool operation = route.pattern.find("operationResults") != std::string::npos;  // of a real alert: none
    EXPECT_EQ(own.status >= 200 && own.status < 300, !operation) << route.method << " " << route.pattern << own.body;
  }
}

// Every other route that reads, asked for what belongs to others: no word of it.
TEST_F(Foreign, NothingOfOthersIsSaid) {
  world_.principal.subscriptions = {kTheirs};
  const Alert& ours = world_.alerts().front();
  const std::map<std::string, std::string> queries = {{"/v1/entities/{kind}", "key=" + percent_encoded(ours.vault_id)},
                                                      {"/v1/timeline", "alert=" + ours.id},
                                                      {"/v1/alerts", "subscription=" + kOurs},
                                                      {"/v1/readiness", "vault=" + percent_encoded(ours.vault_id)}};
  for (const Router::Route& route : world_.router().routes()) {
    if (route.method != "GET" || route.pattern.find("{subscription}") != std::string::npos) { continue; }
    const bool v1 = route.pattern.starts_with("/v1");
    const std::string version = v1 || !route.role ? "" : "api-version=2019-11-01";
    const auto query = queries.find(route.pattern);
    for (const std::string& asked : {version, query == queries.end() ? version : query->second}) {
      const HttpResponse answer = world_.ask({"GET", filled(route.pattern, values(kOurs)), asked, "", {}});
      EXPECT_NE(answer.status, 500);
      if (route.pattern.find("{kind}") != std::string::npos || route.pattern.find("{alert}") != std::string::npos) {
        EXPECT_TRUE(answer.status == 404 || answer.status == 400) << route.pattern << answer.body;
        continue;  // what was asked for stands in the answer
      }
      EXPECT_EQ(answer.body.find(kOurs), std::string::npos) << route.pattern << answer.body;
      EXPECT_EQ(answer.body.find("kv-a"), std::string::npos) << route.pattern << answer.body;
    }
  }
  EXPECT_EQ(world_.ask({"PUT", "/v1/alerts/" + ours.id + "/status", "", R"({"status":"Dismissed"})", {}}).status, 404);
  world_.principal.subscriptions = std::nullopt;
  EXPECT_EQ(world_.json("/v1/alerts/" + ours.id).at("status"), "Active");
}

// A vault or alert of others, and one that nobody has: the same answer.
TEST_F(Foreign, AlertsAndEntitiesAnswerLikeUnknownOnes) {
  world_.principal.subscriptions = {kTheirs};
  const Alert& ours = world_.alerts().front();
  const auto same = [&](const std::string& foreign, const std::string& unknown, const std::string& prefix,
                        const std::string& path_or_query) {
    const bool in_query = !path_or_query.empty();
    const HttpResponse one = world_.get(in_query ? prefix : prefix + foreign, in_query ? path_or_query + foreign : "");
    const HttpResponse two = world_.get(in_query ? prefix : prefix + unknown, in_query ? path_or_query + unknown : "");
    EXPECT_EQ(one.status, two.status) << prefix;
    EXPECT_EQ(without(one.body, foreign), without(two.body, unknown)) << prefix;
  };
  same(ours.id, "00000000-2222-4333-8444-555555555555", "/v1/alerts/", "");
  const std::string unknown_vault =
      "/subscriptions/" + std::string(kFree) + "/resourcegroups/r/providers/microsoft.keyvault/vaults/k";
  same(ours.vault_id, unknown_vault, "/v1/entities/vault", "key=");
  same(world_.alerts()[2].caller.key, "nobody", "/v1/entities/caller", "key=");
  same("198.51.100.4", "198.51.100.5", "/v1/entities/address", "key=");
  same(ours.id, "none", "/v1/timeline", "alert=");
}

}  // namespace
}  // namespace keyvigil
