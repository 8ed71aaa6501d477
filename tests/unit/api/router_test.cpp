#include "api/router.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace keyvigil {
namespace {

const std::string kSubscription = "11111111-2222-4333-8444-555555555555";

HttpRequest request(std::string method, std::string path) {
  HttpRequest made;
  made.method = std::move(method);
  made.path = std::move(path);
  made.principal = {"alice", {Role::kReader}, std::nullopt};
  return made;
}

RouteHandler says(std::string what) {
  return [what = std::move(what)](const HttpRequest&) { return json_response(200, what); };
}

Router small_router() {
  Router router;
  router.add("GET", "/subscriptions/{subscription}/providers/Microsoft.Security/alerts", Role::kReader, says("alerts"));
  router.add("GET", "/things/{name}", Role::kReader,
             [](const HttpRequest& seen) { return json_response(200, std::string(seen.parameter("name"))); });
  router.add("GET", "/things/special", Role::kReader, says("special"));
  router.add("POST", "/things/{name}", Role::kOperator, says("made"), {.body_bytes = 7});
  router.add("GET", "/open", std::nullopt, says("open"));
  return router;
}

std::string error_code_of(const HttpResponse& response) {
  return nlohmann::json::parse(response.body).at("error").at("code");
}

TEST(Router, MatchesLiteralsWithoutRegardToCase) {
  HttpRequest asked = request("GET", "/SUBSCRIPTIONS/" + kSubscription + "/Providers/microsoft.security/Alerts");
  EXPECT_EQ(small_router().answer(asked).body, "alerts");
  EXPECT_EQ(asked.parameter("subscription"), kSubscription);
}

TEST(Router, DecodesParametersAndIgnoresEmptySegments) {
  HttpRequest asked = request("GET", "//things/a%2Fb%20c/");
  EXPECT_EQ(small_router().answer(asked).body, "a/b c");
}

TEST(Router, PrefersTheLiteralPattern) {
  HttpRequest asked = request("GET", "/things/Special");
  EXPECT_EQ(small_router().answer(asked).body, "special");
}

TEST(Router, RefusesWhatItCannotDecode) {
  for (const char* path : {"/things/%", "/things/%4", "/things/%zz", "/things/%00", "/things/%FF"}) {
    HttpRequest asked = request("GET", path);
    const HttpResponse answer = small_router().answer(asked);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_EQ(error_code_of(answer), "InvalidUri");
  }
}

TEST(Router, SaysWhatAPathKnows) {
  HttpRequest unknown = request("GET", "/things/a/etc/passwd");
  EXPECT_EQ(small_router().answer(unknown).status, 404);
  HttpRequest method = request("DELETE", "/things/a");
  const HttpResponse answer = small_router().answer(method);
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(std::find(answer.headers.begin(), answer.headers.end(),
                      std::pair<std::string, std::string>("Allow", "GET, POST")),
            answer.headers.end());
}

TEST(Router, KnowsTheMethodsOfTheLiteralPatternOnly) {
  HttpRequest asked = request("POST", "/things/Special");
  asked.principal.roles = {Role::kOperator};
  const HttpResponse answer = small_router().answer(asked);
  EXPECT_EQ(answer.status, 405);
  EXPECT_NE(
      std::find(answer.headers.begin(), answer.headers.end(), std::pair<std::string, std::string>("Allow", "GET")),
      answer.headers.end());
  EXPECT_EQ(small_router().limits("POST", "/things/special").body_bytes, RouteLimits{}.body_bytes);
}

TEST(Router, AsksWhoItIsThenWhatHeMay) {
  HttpRequest nobody = request("GET", "/things/a");
  nobody.principal = {};
  EXPECT_EQ(small_router().answer(nobody).status, 401);
  HttpRequest reader = request("POST", "/things/a");
  EXPECT_EQ(small_router().answer(reader).status, 403);
  HttpRequest boss = request("GET", "/things/a");
  boss.principal.roles = {Role::kOperator};
  EXPECT_EQ(small_router().answer(boss).status, 200);
  boss.principal.roles = {Role::kIngest};
  EXPECT_EQ(small_router().answer(boss).status, 403);
  HttpRequest open = request("GET", "/open");
  open.principal = {};
  EXPECT_EQ(small_router().answer(open).status, 200);
}

TEST(Router, AnswersForeignSubscriptionsLikeUnknownOnes) {
  HttpRequest foreign = request("GET", "/subscriptions/" + kSubscription + "/providers/Microsoft.Security/alerts");
  foreign.principal.subscriptions = {"99999999-2222-4333-8444-555555555555"};
  const HttpResponse answer = small_router().answer(foreign);
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(error_code_of(answer), "SubscriptionNotFound");
  HttpRequest own =
      request("GET", "/subscriptions/99999999-2222-4333-8444-555555555555/providers/microsoft.security/alerts");
  own.principal.subscriptions = {"99999999-2222-4333-8444-555555555555"};
  EXPECT_EQ(small_router().answer(own).status, 200);
}

TEST(Router, RefusesBeforeTheBodyIsReadWhatItCan) {
  HttpRequest reader = request("POST", "/things/a");
  const auto refusal = small_router().refuse(reader);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->status, 403);
  HttpRequest fine = request("HEAD", "/things/a");
  EXPECT_FALSE(small_router().refuse(fine).has_value());
  EXPECT_EQ(fine.parameter("name"), "a");
}

TEST(Router, KnowsTheLimitsBeforeTheBody) {
  EXPECT_EQ(small_router().limits("POST", "/THINGS/x").body_bytes, 7U);
  EXPECT_EQ(small_router().limits("POST", "/nowhere").body_bytes, RouteLimits{}.body_bytes);
}

TEST(ParseQuery, DecodesNamesAndValues) {
  const auto fields = parse_query("api%2Dversion=2023-01-01&%24skiptoken=ab&empty&&q=a+b%2Bc");
  ASSERT_TRUE(fields.has_value());
  const HttpFields expected = {{"api-version", "2023-01-01"}, {"$skiptoken", "ab"}, {"empty", ""}, {"q", "a b+c"}};
  EXPECT_EQ(*fields, expected);
  EXPECT_FALSE(parse_query("a=%4").has_value());
  EXPECT_FALSE(parse_query("a=%0d%0aset").has_value());
  std::string many = "a=1";
  for (int i = 0; i < 64; ++i) { many += "&a=1"; }
  EXPECT_FALSE(parse_query(many).has_value());
}

TEST(HttpRequest, FindsQueryNamesWithoutRegardToCase) {
  HttpRequest asked;
  asked.query = {{"AlertType", "KV_TORAccess"}};
  EXPECT_EQ(asked.query_value("alerttype"), "KV_TORAccess");
  EXPECT_FALSE(asked.query_value("alert").has_value());
}

}  // namespace
}  // namespace keyvigil
