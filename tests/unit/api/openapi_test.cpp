#include "api/openapi_document.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/v1_rows.h"
#include "unit/api/api_world.h"
#include "unit/api/json_schema.h"

namespace keyvigil {
namespace {

Json document() {
  return json_of(YAML::Load(std::string(openapi_document())));
}

std::string role_name(const std::optional<Role>& role) {
  if (!role) { return "none"; }
  return *role == Role::kReader ? "reader" : *role == Role::kOperator ? "operator" : "ingest";
}

// Of the service itself; what they answer is held against the document by `make test-clients`.
const std::set<std::string> kOfTheService = {"/healthz", "/readyz", "/metrics"};

bool is_ours(const std::string& pattern) {
  return pattern.starts_with("/v1/") || pattern.starts_with("/v1.0/") || pattern == "/openapi.yaml";
}

TEST(OpenApi, HasEveryRouteAndNoOther) {
  ApiWorld world;
  std::map<std::string, std::string> routes;  // "GET /v1/alerts" -> role
  for (const Router::Route& route : world.router().routes()) {
    if (is_ours(route.pattern)) { routes[route.method + " " + route.pattern] = role_name(route.role); }
  }
  std::map<std::string, std::string> documented;
  const Json description = document();
  for (const auto& [path, operations] : description.at("paths").items()) {
    if (kOfTheService.contains(path)) { continue; }
    for (const auto& [method, operation] : operations.items()) {
      std::string upper = method;
      for (char& c : upper) { c = static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
      documented[upper + " " + path] = operation.at("x-role").get<std::string>();
    }
  }
  EXPECT_EQ(routes, documented);
}

TEST(OpenApi, HasEveryQueryParameterAndNoOther) {
  const Json description = document();
  const Schema schema(description);
  for (const auto rows : {v1_alert_rows(), v1_entity_rows(), v1_service_rows(), v1_output_rows()}) {
    for (const V1Row& row : rows) {
      const Json& operations = description.at("paths").at("/v1/" + std::string(row.path));
      const Json& operation = operations.at(lower_case(row.method));
      std::set<std::string> documented;
      for (const Json& reference : operation.value("parameters", Json::array())) {
        const Json& parameter = schema.resolved(reference);
        if (parameter.at("in") == "query") { documented.insert(parameter.at("name").get<std::string>()); }
        const bool in_path =
            row.path.find("{" + parameter.at("name").get<std::string>() + "}") != std::string_view::npos;
        EXPECT_EQ(parameter.at("in") == "path", in_path) << row.path;
      }
      EXPECT_EQ(documented, std::set<std::string>(row.query.begin(), row.query.end())) << row.path;
    }
  }
}

TEST(OpenApi, HasEveryAlertType) {
  const Json description = document();
  std::set<std::string> documented;
  for (const Json& code : description.at("components").at("schemas").at("AlertType").at("enum")) {
    EXPECT_TRUE(documented.insert(code.get<std::string>()).second) << code;
  }
  std::set<std::string> known;
  for (const CatalogueRow& row : catalogue()) { known.insert(std::string(row.code)); }
  EXPECT_EQ(documented, known);
}

// Each has an id of its own, says who may, and knows the answers that every operation has.
TEST(OpenApi, DescribesEachOperation) {
  std::set<std::string> ids;
  const Json description = document();
  for (const auto& [path, operations] : description.at("paths").items()) {
    for (const auto& [method, operation] : operations.items()) {
      EXPECT_TRUE(ids.insert(operation.at("operationId").get<std::string>()).second) << path;
      EXPECT_FALSE(operation.at("summary").get<std::string>().empty());
      const bool open = operation.at("x-role") == "none";
      EXPECT_EQ(open, operation.contains("security")) << path;
      EXPECT_EQ(open, !operation.at("responses").contains("401")) << path;
      if (open) { continue; }
      // A query or a path that is not understood, and a service that is full.
      for (const char* status : {"400", "403", "503"}) {
        EXPECT_TRUE(operation.at("responses").contains(status)) << path << " " << status;
      }
    }
  }
}

class OpenApiAnswers : public ::testing::Test {
 protected:
  // The answer is documented for its status, and is what the document says.
  void expect_documented(const std::string& pattern, const Asked& asked, int status) {
    const HttpResponse answer = world_.ask(asked);
    EXPECT_EQ(answer.status, status) << asked.path << " " << answer.body;
    const Json& responses = description_.at("paths").at(pattern).at(lower_case(asked.method)).at("responses");
    const std::string key = std::to_string(answer.status);
    ASSERT_TRUE(responses.contains(key)) << asked.path << " " << key;
    const Json& response = schema_.resolved(responses.at(key));
    if (!response.contains("content")) {
      EXPECT_TRUE(answer.body.empty());
      return;
    }
    const std::string type = header_of(answer, "Content-Type");
    const std::string media = type.substr(0, type.find(';'));
    ASSERT_TRUE(response.at("content").contains(media)) << asked.path << " " << media;
    if (media != "application/json") { return; }
    const Json body = Json::parse(answer.body, nullptr, false);
    EXPECT_EQ(schema_.fault(response.at("content").at(media).at("schema"), body, "body"), "") << asked.path;
  }

  ApiWorld world_;
  Json description_ = document();
  Schema schema_{description_};
};

TEST_F(OpenApiAnswers, AreAsDescribed) {
  const std::string id = world_.alerts().front().id;
  const std::string caller = world_.alerts().front().caller.key;
  const std::string simulate =
      "/subscriptions/" + kOurs + "/providers/Microsoft.Security/locations/westeurope/alerts/default/simulate";
  world_.ask(
      {"POST", simulate, "api-version=2021-11-01", R"({"properties":{"kind":"Bundles","bundles":["KeyVaults"]}})", {}});
  Alert dismissed = world_.alerts().front();
  dismissed.id = "dismissed";
  world_.commit({dismissed}, "lab");

  expect_documented("/openapi.yaml", {"GET", "/openapi.yaml", "", "", {}}, 200);
  expect_documented("/v1/overview", {"GET", "/v1/overview", "days=30", "", {}}, 200);
  expect_documented("/v1/overview", {"GET", "/v1/overview", "days=no", "", {}}, 400);
  expect_documented("/v1/alerts", {"GET", "/v1/alerts", "limit=3", "", {}}, 200);
  expect_documented("/v1/alerts", {"GET", "/v1/alerts", "", "", {}}, 200);
  expect_documented("/v1/alerts", {"GET", "/v1/alerts", "limit=no", "", {}}, 400);
  expect_documented("/v1/alerts/stream", {"GET", "/v1/alerts/stream", "", "", {}}, 200);
  expect_documented("/v1/alerts/{alert}", {"GET", "/v1/alerts/" + id, "", "", {}}, 200);
  expect_documented("/v1/alerts/{alert}", {"GET", "/v1/alerts/dismissed", "", "", {}}, 200);
  expect_documented("/v1/alerts/{alert}", {"GET", "/v1/alerts/none", "", "", {}}, 404);
  expect_documented("/v1/alerts/{alert}/status",
                    {"PUT", "/v1/alerts/" + id + "/status", "", R"({"status":"Resolved"})", {}}, 204);
  expect_documented("/v1/alerts/{alert}/status", {"PUT", "/v1/alerts/" + id + "/status", "", "{}", {}}, 400);
  expect_documented("/v1/alerts/{alert}/status", {"PUT", "/v1/alerts/none/status", "", R"({"status":"Resolved"})", {}},
                    404);
  expect_documented("/v1/entities/{kind}", {"GET", "/v1/entities/caller", "key=" + caller, "", {}}, 200);
  expect_documented("/v1/entities/{kind}", {"GET", "/v1/entities/address", "key=203.0.113.7", "", {}}, 200);
  expect_documented("/v1/entities/{kind}", {"GET", "/v1/entities/caller", "", "", {}}, 400);
  expect_documented("/v1/entities/{kind}", {"GET", "/v1/entities/caller", "key=none", "", {}}, 404);
  expect_documented("/v1/timeline", {"GET", "/v1/timeline", "caller=" + caller, "", {}}, 200);
  expect_documented("/v1/timeline", {"GET", "/v1/timeline", "", "", {}}, 400);
  expect_documented("/v1/readiness", {"GET", "/v1/readiness", "", "", {}}, 200);
  expect_documented("/v1/readiness", {"GET", "/v1/readiness", "limit=0", "", {}}, 400);
  expect_documented("/v1/sources", {"GET", "/v1/sources", "", "", {}}, 200);
  expect_documented("/v1/audit", {"GET", "/v1/audit", "", "", {}}, 200);
  expect_documented("/v1/audit", {"GET", "/v1/audit", "limit=0", "", {}}, 400);
  expect_documented("/v1/catalogue", {"GET", "/v1/catalogue", "", "", {}}, 200);
  const std::string letter = "/v1/outputs/dead/" + std::to_string(world_.bury_one());
  expect_documented("/v1/outputs/dead", {"GET", "/v1/outputs/dead", "output=hook", "", {}}, 200);
  expect_documented("/v1/outputs/dead", {"GET", "/v1/outputs/dead", "limit=1", "", {}}, 200);
  expect_documented("/v1/outputs/dead", {"GET", "/v1/outputs/dead", "after=no", "", {}}, 400);
  expect_documented("/v1/outputs/dead/{letter}", {"GET", letter, "", "", {}}, 200);
  expect_documented("/v1/outputs/dead/{letter}", {"GET", "/v1/outputs/dead/none", "", "", {}}, 404);
  const auto revive = [&](const std::string& body, int status) {
    expect_documented("/v1/outputs/dead/revive", {"POST", "/v1/outputs/dead/revive", "", body, {}}, status);
  };
  revive(R"({"output":"hook"})", 200);
  revive(R"({"output":"another"})", 404);
  revive(R"({"output":"hook","ids":[]})", 400);
  const std::string graph = "/v1.0/security/alerts_v2";
  expect_documented(graph, {"GET", graph, "$top=1", "", {}}, 200);
  expect_documented(graph, {"GET", graph, "$top=0", "", {}}, 400);
  expect_documented(graph + "/{alert}", {"GET", graph + "/" + id, "", "", {}}, 200);
  expect_documented(graph + "/{alert}", {"GET", graph + "/none", "", "", {}}, 404);
  expect_documented(graph + "/{alert}", {"PATCH", graph + "/" + id, "", R"({"status":"resolved"})", {}}, 200);
  expect_documented(graph + "/{alert}", {"PATCH", graph + "/" + id, "", R"({"status":"open"})", {}}, 400);
  expect_documented("/v1/catalogue", {"GET", "/v1/catalogue", "colour=red", "", {}}, 400);
  expect_documented("/v1/alerts/{alert}", {"GET", "/v1/alerts/%00", "", "", {}}, 400);
  expect_documented("/v1/logs", {"POST", "/v1/logs", "", "{}", {}}, 200);
  world_.ingest_answer.refused = 1;
  world_.ingest_answer.refused_by_cause = {{"no_time", 1}};
  world_.ingest_answer.first_refusal = "expected a time";
  expect_documented("/v1/logs", {"POST", "/v1/logs", "", "{}", {}}, 200);
  expect_documented("/v1/logs", {"POST", "/v1/logs", "", "{}", {{"content-encoding", "br"}}}, 415);
}

TEST_F(OpenApiAnswers, RefusalsAreAsDescribed) {
  world_.principal = {};
  for (const Router::Route& route : world_.router().routes()) {
    if (is_ours(route.pattern) && route.role) {
      expect_documented(route.pattern, {route.method, route.pattern, "", "", {}}, 401);
    }
  }
  world_.principal = {"nobody in particular", {}, std::nullopt};
  for (const Router::Route& route : world_.router().routes()) {
    if (is_ours(route.pattern) && route.role) {
      expect_documented(route.pattern, {route.method, route.pattern, "", "", {}}, 403);
    }
  }
}

TEST_F(OpenApiAnswers, RefusedInputIsAsDescribed) {
  for (const auto& [outcome, status] :
       std::vector<std::pair<IngestAnswer::Outcome, int>>{{IngestAnswer::Outcome::kBusy, 429},
                                                          {IngestAnswer::Outcome::kFailed, 503},
                                                          {IngestAnswer::Outcome::kMalformed, 400},
                                                          {IngestAnswer::Outcome::kForeign, 403},
                                                          {IngestAnswer::Outcome::kTooLarge, 413}}) {
    world_.ingest_answer.outcome = outcome;
    world_.ingest_answer.retry_after_seconds = 1;
    world_.ingest_answer.message = "why";
    expect_documented("/v1/logs", {"POST", "/v1/logs", "", "{}", {}}, status);
  }
}

TEST(JsonSchema, FindsFaults) {
  const Json schema = Json::parse(R"({"type":"object","required":["a"],"additionalProperties":false,"properties":{
      "a":{"type":"integer","minimum":1},"b":{"type":"array","items":{"type":"string","enum":["x"]}},
      "t":{"type":"string","format":"date-time"},"p":{"type":"string","pattern":"^k"}}})");
  const Schema checker(schema);
  EXPECT_EQ(checker.fault(schema, Json::parse(R"({"a":1,"b":["x"],"t":"2026-01-01T00:00:00Z","p":"kv"})"), ""), "");
  for (const char* bad : {"[]", "{}", R"({"a":0})", R"({"a":1.5})", R"({"a":1,"c":1})", R"({"a":1,"b":["y"]})",
                          R"({"a":1,"b":[1]})", R"({"a":1,"t":"now"})", R"({"a":1,"p":"v"})"}) {
    EXPECT_NE(checker.fault(schema, Json::parse(bad), ""), "") << bad;
  }
  EXPECT_NE(checker.fault(Json::parse(R"({"oneOf":[]})"), 1, ""), "");
}

}  // namespace
}  // namespace keyvigil
