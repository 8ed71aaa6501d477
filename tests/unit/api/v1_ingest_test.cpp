#include "api/v1_ingest.h"

#include <gtest/gtest.h>

#include "unit/api/api_world.h"

namespace keyvigil {
namespace {

const std::string kStream = "/dataCollectionRules/dcr-0011/streams/Custom-KeyVault_CL";
const std::string kVersion = "api%2Dversion=2023-01-01";

TEST(IngestRoutes, SpeakTheLogsIngestionApi) {
  ApiWorld world;
  const HttpResponse answer = world.ask({"POST",
                                         kStream,
                                         kVersion,
                                         "\x1f\x8b gzip",
                                         {{"content-encoding", "gzip"}, {"x-ms-client-request-id", "11-aa"}}});
  EXPECT_EQ(answer.status, 204) << answer.body;
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(header_of(answer, "x-ms-client-request-id"), "11-aa");
  ASSERT_EQ(world.taken().size(), 1U);
  EXPECT_EQ(world.taken()[0].first, "ingest/dcr-0011/Custom-KeyVault_CL");
  EXPECT_EQ(world.taken()[0].second, "\x1f\x8b gzip");
  EXPECT_EQ(world.ask({"POST", kStream, "api-version=2021-11-01-preview", "[]", {}}).status, 204);
  EXPECT_EQ(world.ask({"POST", kStream, "", "[]", {}}).status, 400);
}

TEST(IngestRoutes, TakePlainLogsAndSayHowMany) {
  ApiWorld world;
  world.ingest_answer.records = 3;
  const HttpResponse answer = world.ask({"POST", "/v1/logs", "", "{}", {}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"records":3,"refused":0})");
  EXPECT_EQ(world.taken()[0].first, "logs");
}

TEST(IngestRoutes, SayWhatCouldNotBeUsed) {
  ApiWorld world;
  world.ingest_answer.records = 3;
  world.ingest_answer.refused = 2;
  world.ingest_answer.refused_by_cause = {{"no_time", 2}};
  world.ingest_answer.first_refusal = "expected a time";
  EXPECT_EQ(
      Json::parse(world.ask({"POST", "/v1/logs", "", "{}", {}}).body),
      Json::parse(R"({"records":3,"refused":2,"refusedByCause":{"no_time":2},"firstRefusal":"expected a time"})"));
  const HttpResponse answer = world.ask({"POST", kStream, kVersion, "[]", {}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header_of(answer, "x-keyvigil-refused"), "2");
}

TEST(IngestRoutes, ForgetAnInputForAnOperatorOfAllSubscriptions) {
  ApiWorld world;
  const auto forget = [&](const std::string& rule) {
    return world.ask({"DELETE", "/v1/sources/ingest/" + rule + "/s", "", "", {}}).status;
  };
  EXPECT_EQ(forget("known"), 204);
  EXPECT_EQ(forget("unknown"), 404);
  EXPECT_EQ(forget("full"), 503);
  world.principal.subscriptions = {kOurs};
  EXPECT_EQ(forget("known"), 404);
  world.principal.roles = {Role::kReader, Role::kIngest};
  EXPECT_EQ(forget("known"), 403);
}

TEST(IngestRoutes, AcknowledgeNothingThatIsNotStored) {
  using Outcome = IngestAnswer::Outcome;
  const std::vector<std::pair<Outcome, int>> refusals = {{Outcome::kBusy, 429},
                                                         {Outcome::kFailed, 503},
                                                         {Outcome::kMalformed, 400},
                                                         {Outcome::kForeign, 403},
                                                         {Outcome::kTooLarge, 413}};
  for (const std::string& path : {kStream, std::string("/v1/logs")}) {
    for (const auto& [outcome, status] : refusals) {
      ApiWorld world;
      world.ingest_answer.outcome = outcome;
      world.ingest_answer.retry_after_seconds = 7;
      world.ingest_answer.message = "why \"not\"\n";
      const HttpResponse answer = world.ask({"POST", path, path == kStream ? kVersion : "", "[{}]", {}});
      EXPECT_EQ(answer.status, status) << path;
      EXPECT_EQ(Json::parse(answer.body).at("error").at("message"), "why \"not\"\n");
      const bool again = outcome == Outcome::kBusy || outcome == Outcome::kFailed;
      EXPECT_EQ(header_of(answer, "Retry-After"), again ? "7" : "");
      EXPECT_EQ(answer.refused, outcome == Outcome::kForeign ? "foreign_records" : "");
    }
  }
}

TEST(IngestRoutes, RefuseNamesAndEncodingsOfOthers) {
  ApiWorld world;
  EXPECT_EQ(world.ask({"POST", "/dataCollectionRules/a%2Fb/streams/s", kVersion, "[]", {}}).status, 404);
  EXPECT_EQ(
      world.ask({"POST", "/dataCollectionRules/" + std::string(129, 'a') + "/streams/s", kVersion, "[]", {}}).status,
      404);
  EXPECT_EQ(world.ask({"POST", kStream, kVersion, "x", {{"content-encoding", "br"}}}).status, 415);
  EXPECT_EQ(world.ask({"POST", "/v1/logs", "", "x", {{"content-encoding", "deflate"}}}).status, 415);
  world.principal.roles = {Role::kReader, Role::kOperator};
  EXPECT_EQ(world.ask({"POST", kStream, kVersion, "[]", {}}).status, 403);
  EXPECT_EQ(world.ask({"POST", "/v1/logs", "", "[]", {}}).status, 403);
  EXPECT_TRUE(world.taken().empty());
}

TEST(IngestRoutes, TellTheTransportHowMuchTheyTake) {
  ApiWorld world;
  EXPECT_EQ(world.router().limits("POST", "/v1/logs").body_bytes, 1000U);
  EXPECT_TRUE(world.router().limits("POST", "/v1/logs").bulk);
  EXPECT_GE(world.router().limits("POST", kStream).body_bytes, std::size_t{1} << 20);
}

}  // namespace
}  // namespace keyvigil
