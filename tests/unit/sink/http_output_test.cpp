#include "sink/http_output.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/access_summary.h"
#include "reference/alert_samples.h"
#include "reference/loopback_receiver.h"
#include "sink/webhook_signature.h"

namespace keyvigil {
namespace {

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const EventTime kNow = parse_iso_time("2026-10-01T12:00:00Z").value();

OutputOptions options_of(OutputKind kind, const std::string& target) {
  OutputOptions options;
  options.name = "test";
  options.kind = kind;
  options.target = target;
  options.plain_text = true;
  options.timeout_seconds = 5;
  return options;
}

SecretReference secret_of(const char* variable, const std::string& value) {
  ::setenv(variable, value.c_str(), 1);
  return {variable, {}};
}

std::vector<OutgoingAlert> three_alerts() {
  return {{tor_alert(), {}}, {denied_alert(), {}}, {behaviour_alert(), {}}};
}

std::vector<Attempt> deliver(const OutputOptions& options, const std::vector<OutgoingAlert>& alerts) {
  HttpOutput output(options, {});
  const std::atomic<bool> stop = false;
  return output.deliver(alerts, kNow, stop);
}

TEST(Webhook, IsSignedAndNamesItsRevision) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(204); });
  OutputOptions options = options_of(OutputKind::kWebhook, receiver.url("/hook?x=1"));
  options.secret = secret_of("KEYVIGIL_TEST_WEBHOOK", kSecret);
  const auto attempts = deliver(options, {{tor_alert(), {}}});
  ASSERT_EQ(attempts.at(0).outcome, Attempt::Outcome::kDelivered) << attempts.at(0).why;
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 1U);
  const ReceivedRequest& request = requests[0];
  EXPECT_EQ(request.line, "POST /hook?x=1 HTTP/1.1");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.at("webhook-id"), delivery_key(tor_alert()));
  EXPECT_EQ(request.headers.at("webhook-timestamp"), "1790856000");
  EXPECT_EQ(request.headers.at("webhook-signature"),
            webhook_signature(*webhook_key(kSecret), delivery_key(tor_alert()), 1790856000, request.body));
  EXPECT_EQ(Json::parse(request.body).at("properties").at("alertType"), "KV_TORAccess");
}

TEST(Webhook, TakesEveryJsonFormat) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); });
  for (const AlertFormat format : alert_formats()) {
    if (!is_json(format)) { continue; }
    OutputOptions options = options_of(OutputKind::kWebhook, receiver.url());
    options.format = format;
    SinkOptions sink;
    sink.format = format;
    EXPECT_EQ(deliver(options, {{tor_alert(), {}}}).at(0).outcome, Attempt::Outcome::kDelivered);
    EXPECT_EQ(receiver.requests().back().body + "\n", format_alert(tor_alert(), sink)) << to_string(format);
  }
}

TEST(Webhook, StopsTheBatchWhereTheReceiverIsAwayAndWaitsAsItAsks) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t number) {
    return number == 1 ? LoopbackReceiver::answer(200)
                       : LoopbackReceiver::answer(503, "busy\x1b[2J", "retry-after: 17\r\n");
  });
  const auto attempts = deliver(options_of(OutputKind::kWebhook, receiver.url()), three_alerts());
  EXPECT_EQ(attempts.at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(attempts.at(1).outcome, Attempt::Outcome::kTryAgain);
  EXPECT_TRUE(attempts.at(1).receiver_away);
  EXPECT_EQ(attempts.at(1).wait_seconds, 17);
  EXPECT_NE(attempts.at(1).why.find("answered 503: busy\\x1b[2J"), std::string::npos) << attempts.at(1).why;
  EXPECT_EQ(attempts.at(2).outcome, Attempt::Outcome::kNotTried);
  EXPECT_EQ(receiver.requests().size(), 2U);
}

TEST(Webhook, GoesOnWhereOneAlertIsRefused) {
  const LoopbackReceiver receiver(
      [](const ReceivedRequest&, std::size_t number) { return LoopbackReceiver::answer(number == 2 ? 422 : 200); });
  const auto attempts = deliver(options_of(OutputKind::kWebhook, receiver.url()), three_alerts());
  EXPECT_EQ(attempts.at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(attempts.at(1).outcome, Attempt::Outcome::kNever);
  EXPECT_EQ(attempts.at(2).outcome, Attempt::Outcome::kDelivered);
}

TEST(JudgeAnswer, TellsRefusalsFromAbsence) {
  for (const int status : {200, 201, 202, 204}) {
    EXPECT_EQ(judge_answer({status, {}, {}}, "x", kNow).outcome, Attempt::Outcome::kDelivered) << status;
  }
  for (const int status : {301, 401, 403, 404, 408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(judge_answer({status, {}, {}}, "x", kNow).receiver_away) << status;
  }
  for (const int status : {400, 410, 413, 422}) {
    EXPECT_EQ(judge_answer({status, {}, {}}, "x", kNow).outcome, Attempt::Outcome::kNever) << status;
  }
}

TEST(JudgeAnswer, ReadsRetryAfterInBothForms) {
  const auto wait = [](const std::string& value) {
    return judge_answer({429, {{"retry-after", value}}, {}}, "x", kNow).wait_seconds;
  };
  EXPECT_EQ(wait("120"), 120);
  EXPECT_EQ(wait("Thu, 01 Oct 2026 12:05:00 GMT"), 300);
  EXPECT_EQ(wait("Thu, 01 Oct 2020 12:05:00 GMT"), 0);
  EXPECT_EQ(wait("-5"), 0);
  EXPECT_EQ(wait("soon"), 0);
  EXPECT_EQ(wait("99999999999"), 24 * 3600);
}

TEST(HttpOutput, SaysWhereItCouldNotConnectAndNoSecret) {
  OutputOptions options = options_of(OutputKind::kWebhook, "http://127.0.0.1:1/path?token=hush");
  options.secret = secret_of("KEYVIGIL_TEST_WEBHOOK", kSecret);
  const auto attempts = deliver(options, three_alerts());
  EXPECT_TRUE(attempts.at(0).receiver_away);
  EXPECT_NE(attempts.at(0).why.find("http://127.0.0.1:1"), std::string::npos) << attempts.at(0).why;
  EXPECT_EQ(attempts.at(0).why.find("hush"), std::string::npos);
  EXPECT_EQ(attempts.at(1).outcome, Attempt::Outcome::kNotTried);
}

TEST(HttpOutput, WaitsForASecretThatIsNotThere) {
  OutputOptions options = options_of(OutputKind::kSplunk, "http://127.0.0.1:1");
  options.secret.environment = "KEYVIGIL_TEST_NO_SUCH_VARIABLE";
  const auto attempts = deliver(options, three_alerts());
  EXPECT_TRUE(attempts.at(0).receiver_away);
  EXPECT_NE(attempts.at(0).why.find("KEYVIGIL_TEST_NO_SUCH_VARIABLE"), std::string::npos);
}

TEST(HttpOutput, TriesNothingOnceItIsToStop) {
  HttpOutput output(options_of(OutputKind::kWebhook, "http://127.0.0.1:1"), {});
  const std::atomic<bool> stop = true;
  for (const Attempt& attempt : output.deliver(three_alerts(), kNow, stop)) {
    EXPECT_EQ(attempt.outcome, Attempt::Outcome::kNotTried);
  }
}

TEST(Slack, GetsBlocksAtTheUrlThatIsItsSecret) {
  const LoopbackReceiver receiver(
      [](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200, "ok"); });
  OutputOptions options = options_of(OutputKind::kSlack, "");
  options.secret = secret_of("KEYVIGIL_TEST_SLACK", receiver.url("/services/T0/B0/hush"));
  EXPECT_EQ(deliver(options, {{tor_alert(), {}}}).at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(receiver.requests().at(0).line, "POST /services/T0/B0/hush HTTP/1.1");
  const Json body = Json::parse(receiver.requests().at(0).body);
  EXPECT_EQ(body.at("blocks")[0].at("type"), "header");
  options.plain_text = false;
  EXPECT_NE(deliver(options, {{tor_alert(), {}}}).at(0).why.find("https://"), std::string::npos);
  EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST(Teams, GetsAnAdaptiveCard) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(202); });
  OutputOptions options = options_of(OutputKind::kTeams, "");
  options.secret = secret_of("KEYVIGIL_TEST_TEAMS", receiver.url("/workflows/1?sig=hush"));
  EXPECT_EQ(deliver(options, {{tor_alert(), {}}}).at(0).outcome, Attempt::Outcome::kDelivered);
  const Json body = Json::parse(receiver.requests().at(0).body);
  EXPECT_EQ(body.at("type"), "message");
  EXPECT_EQ(body.at("attachments")[0].at("contentType"), "application/vnd.microsoft.card.adaptive");
}

TEST(Splunk, GetsAnEventWithTheTokenOfTheCollector) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) {
    return LoopbackReceiver::answer(200, R"({"text":"Success","code":0})");
  });
  OutputOptions options = options_of(OutputKind::kSplunk, receiver.url(""));
  options.secret = secret_of("KEYVIGIL_TEST_SPLUNK", "11112222-3333-4444-5555-666677778888");
  options.index = "security";
  EXPECT_EQ(deliver(options, {{tor_alert(), {}}}).at(0).outcome, Attempt::Outcome::kDelivered);
  const ReceivedRequest request = receiver.requests().at(0);
  EXPECT_EQ(request.line, "POST /services/collector/event HTTP/1.1");
  EXPECT_EQ(request.headers.at("authorization"), "Splunk 11112222-3333-4444-5555-666677778888");
  const Json event = Json::parse(request.body);
  EXPECT_EQ(event.at("index"), "security");
  EXPECT_EQ(event.at("sourcetype"), "keyvigil:alert");
  EXPECT_DOUBLE_EQ(event.at("time").get<double>(), static_cast<double>(tor_alert().generated.milliseconds()) / 1000);
  EXPECT_EQ(event.at("event").at("properties").at("alertType"), "KV_TORAccess");
  EXPECT_EQ(event.at("fields").at("alert_id"), tor_alert().id);
}

OutputOptions elastic(const LoopbackReceiver& receiver) {
  OutputOptions options = options_of(OutputKind::kElasticsearch, receiver.url(""));
  options.index = "keyvigil-alerts";
  options.format = AlertFormat::kEcs;
  return options;
}

TEST(Elasticsearch, GetsABulkAndJudgesEachItem) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) {
    return LoopbackReceiver::answer(200, R"({"errors":true,"items":[{"index":{"status":201}},
      {"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"field\nx"}}},
      {"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"full"}}}]})");
  });
  OutputOptions options = elastic(receiver);
  options.secret = secret_of("KEYVIGIL_TEST_ELASTIC", "aWQ6a2V5");
  const auto attempts = deliver(options, three_alerts());
  EXPECT_EQ(attempts.at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(attempts.at(1).outcome, Attempt::Outcome::kNever);
  EXPECT_NE(attempts.at(1).why.find("mapper_parsing_exception: field\\x0ax"), std::string::npos) << attempts.at(1).why;
  EXPECT_EQ(attempts.at(2).outcome, Attempt::Outcome::kTryAgain);
  EXPECT_FALSE(attempts.at(2).receiver_away);
  const ReceivedRequest request = receiver.requests().at(0);
  EXPECT_EQ(request.line, "POST /_bulk HTTP/1.1");
  EXPECT_EQ(request.headers.at("content-type"), "application/x-ndjson");
  EXPECT_EQ(request.headers.at("authorization"), "ApiKey aWQ6a2V5");
  std::vector<Json> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = request.body.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(Json::parse(request.body.substr(begin, end - begin)));
  }
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(begin, request.body.size());
  EXPECT_EQ(lines[0].at("index").at("_index"), "keyvigil-alerts");
  EXPECT_EQ(lines[0].at("index").at("_id"), tor_alert().id);
  EXPECT_EQ(lines[0].at("index").at("version"), 1);
  EXPECT_EQ(lines[0].at("index").at("version_type"), "external_gte");
  EXPECT_EQ(lines[1].at("event").at("kind"), "alert");
}

TEST(Elasticsearch, TakesANewerRevisionInTheIndexForDelivered) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) {
    return LoopbackReceiver::answer(200, R"({"errors":true,"items":[{"index":{"status":409}}]})");
  });
  OutputOptions options = elastic(receiver);
  options.user = "writer";
  options.secret = secret_of("KEYVIGIL_TEST_ELASTIC", "pass");
  EXPECT_EQ(deliver(options, {{tor_alert(), {}}}).at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(receiver.requests().at(0).headers.at("authorization"), "Basic d3JpdGVyOnBhc3M=");
}

TEST(Elasticsearch, FindsTheAlertThatSpoilsABatch) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t number) {
    return number == 1 ? LoopbackReceiver::answer(413)
                       : LoopbackReceiver::answer(200, R"({"errors":false,"items":[{"index":{"status":201}}]})");
  });
  const auto attempts = deliver(elastic(receiver), three_alerts());
  EXPECT_EQ(attempts.at(0).outcome, Attempt::Outcome::kDelivered);
  EXPECT_EQ(attempts.at(1).outcome, Attempt::Outcome::kNotTried);
}

TEST(Elasticsearch, TriesAgainWhereTheAnswerIsNone) {
  for (const char* body : {"", "{}", R"({"items":[]})", R"({"items":3})", "[1]", "<html>"}) {
    const LoopbackReceiver receiver(
        [&](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200, body); });
    EXPECT_TRUE(deliver(elastic(receiver), three_alerts()).at(0).receiver_away) << body;
  }
}

}  // namespace
}  // namespace keyvigil
