#include "api/http_server.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "unit/api/loopback_server.h"
#include "unit/api/plain_text.h"

namespace keyvigil {
namespace {

const std::string kClose = "Connection: close\r\n";

testing::AssertionResult has_status(const std::string& response, int status) {
  if (response.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) { return testing::AssertionSuccess(); }
  return testing::AssertionFailure() << "expected " << status << ", found: " << response.substr(0, 500);
}

// The request is refused with the status and exactly one audit line of the cause, and nothing is stored.
void expect_refused(const std::string& request, int status, const std::string& cause) {
  LoopbackServer loopback;
  EXPECT_TRUE(has_status(loopback.exchange(request), status));
  EXPECT_EQ(loopback.stored(), 0);
  const std::vector<AuditLine> lines = loopback.audit_lines();
  ASSERT_EQ(lines.size(), 1U) << cause;
  EXPECT_EQ(lines[0].outcome, std::to_string(status) + " " + cause);
  EXPECT_EQ(lines[0].action, "request.refused");
  EXPECT_EQ(lines[0].from_address, "127.0.0.1");
  EXPECT_EQ(lines[0].at, kWallClock);
  EXPECT_EQ(loopback.server().figures().refused[cause], 1U);
}

TEST(HttpServer, AnswersWithTheHeadersThatEveryResponseHas) {
  LoopbackServer loopback;
  const std::string response = loopback.exchange(
      ask("GET", "/hello?api%2Dversion=1", kGoodToken, kClose + "x-ms-correlation-request-id: abc-1\r\n"));
  EXPECT_TRUE(has_status(response, 200));
  for (const char* part :
       {"Content-Type: application/json; charset=utf-8\r\n", "x-ms-correlation-request-id: abc-1\r\n",
        "x-ms-request-id: ", "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", "X-Content-Type-Options: nosniff\r\n",
        "Cache-Control: no-store\r\n", "{\"host\":\"http://localhost:8443\",\"name\":\"alice\"}"}) {
    EXPECT_EQ(occurrences(response, part), 1U) << part << " in " << response;
  }
  EXPECT_TRUE(loopback.audit_lines().empty());
}

TEST(HttpServer, DoesNotEchoWhatCouldBeginAnotherHeader) {
  LoopbackServer loopback;
  const std::string response =
      loopback.exchange(ask("GET", "/split", kGoodToken, kClose + "x-ms-correlation-request-id: a b;c\r\n"));
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_EQ(occurrences(response, "X-Forged"), 0U);
  EXPECT_EQ(occurrences(response, "a b;c"), 0U);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  LoopbackServer loopback;
  const std::string response =
      loopback.exchange(ask("GET", "/hello") + ask("GET", "/nowhere") + ask("GET", "/open", "", kClose));
  const std::size_t first = response.find("HTTP/1.1 200");
  const std::size_t second = response.find("HTTP/1.1 404");
  const std::size_t third = response.rfind("HTTP/1.1 200");
  EXPECT_EQ(occurrences(response, "HTTP/1.1 "), 3U);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST(HttpServer, KeepsAConnectionForManyRequestsWithBodies) {
  LoopbackServer loopback;
  RawClient client(loopback.port());
  for (int i = 1; i <= 50; ++i) {
    client.send(ask("POST", "/store", kIngestToken, "Content-Length: " + std::to_string(i) + "\r\n") +
                std::string(static_cast<std::size_t>(i), 'b'));
    EXPECT_TRUE(client.read_response().ends_with("\r\n\r\n" + std::to_string(i)));
  }
  EXPECT_EQ(loopback.stored(), 50);
  EXPECT_EQ(loopback.server().figures().connections, 1U);
  EXPECT_EQ(loopback.server().figures().body_bytes_received, 50U * 51U / 2);
  EXPECT_EQ(loopback.server().figures().bodies_bytes_now, 0U);
}

TEST(HttpServer, TakesChunkedBodies) {
  LoopbackServer loopback;
  const std::string response =
      loopback.exchange(ask("POST", "/store", kIngestToken, kClose + "Transfer-Encoding: chunked\r\n") +
                        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(response.ends_with("\r\n\r\n5")) << response;
}

TEST(HttpServer, ReadsHeadsThatComeInPieces) {
  LoopbackServer loopback;
  RawClient client(loopback.port());
  const std::string request = ask("POST", "/store", kIngestToken, kClose + "Content-Length: 6\r\n") + "\r\n x\r\n";
  for (const char c : request) { client.send(std::string(1, c)); }
  const std::string response = client.read_all();
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_TRUE(response.ends_with("\r\n\r\n6")) << "what looks like a folded header may be in a body";
}

TEST(HttpServer, AnswersHeadLikeGetWithoutBody) {
  LoopbackServer loopback;
  const std::string response = loopback.exchange(ask("HEAD", "/large", kGoodToken, kClose));
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_EQ(occurrences(response, "Content-Length: 1048578\r\n"), 1U);
  EXPECT_TRUE(response.ends_with("\r\n\r\n"));
}

TEST(HttpServer, AnswersNoContentWithoutLength) {
  LoopbackServer loopback;
  const std::string response = loopback.exchange(ask("POST", "/nothing", kGoodToken, kClose + "Content-Length: 0\r\n"));
  EXPECT_TRUE(has_status(response, 204));
  EXPECT_EQ(occurrences(response, "Content-Length"), 0U);
}

TEST(HttpServer, AsksForTheBodyWhereTheClientWaits) {
  LoopbackServer loopback;
  RawClient client(loopback.port());
  client.send(ask("POST", "/store", kIngestToken, kClose + "Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_TRUE(has_status(client.read_all(), 200));
}

TEST(HttpServer, RefusesBeforeItAsksForTheBody) {
  expect_refused(ask("POST", "/store", "kv_wrong", "Content-Length: 3\r\nExpect: 100-continue\r\n"), 401,
                 "malformed_token");
  expect_refused(ask("POST", "/store", kIngestToken, "Content-Length: 1001\r\nExpect: 100-continue\r\n"), 413,
                 "body_too_large");
}

TEST(HttpServer, CompressesWhatIsLargeForWhoWantsIt) {
  LoopbackServer loopback;
  const std::string response =
      loopback.exchange(ask("GET", "/large", kGoodToken, kClose + "Accept-Encoding: deflate, gzip\r\n"));
  EXPECT_EQ(occurrences(response, "Content-Encoding: gzip\r\n"), 1U);
  EXPECT_EQ(plain_text(response.substr(response.find("\r\n\r\n") + 4), 2 << 20).size(), (1U << 20) + 2);
  LoopbackServer another;
  const std::string refused =
      another.exchange(ask("GET", "/large", kGoodToken, kClose + "Accept-Encoding: gzip;q=0\r\n"));
  EXPECT_EQ(occurrences(refused, "Content-Encoding"), 0U);
}

TEST(HttpServer, RefusesOversizedBodies) {
  expect_refused(ask("POST", "/store", kIngestToken, "Content-Length: 1001\r\n") + std::string(1001, 'b'), 413,
                 "body_too_large");
  expect_refused(ask("POST", "/store", kIngestToken, "Content-Length: 99999999999\r\n") + std::string(5000, 'b'), 413,
                 "body_too_large");
  expect_refused(ask("POST", "/store", kIngestToken, "Transfer-Encoding: chunked\r\n") + "400\r\n" +
                     std::string(1024, 'b') + "\r\n",
                 413, "body_too_large");
  expect_refused(ask("POST", "/store", kIngestToken, "Transfer-Encoding: chunked\r\n") + "FFFFFFFFFFFFFFFFF\r\n", 400,
                 "malformed_request");
}

TEST(HttpServer, RefusesFloodsOfHeaders) {
  std::string many;
  for (int i = 0; i < 120; ++i) { many += "x-" + std::to_string(i) + ": a\r\n"; }
  expect_refused(ask("GET", "/hello", kGoodToken, many), 431, "head_too_large");
  expect_refused(ask("GET", "/hello", kGoodToken, "x-long: " + std::string(100'000, 'a') + "\r\n"), 431,
                 "head_too_large");
  expect_refused("GET /hello HTTP/1.1\r\n" + std::string(500'000, 'a'), 431, "head_too_large");
}

TEST(HttpServer, RefusesLongUris) {
  expect_refused(ask("GET", "/" + std::string(10'000, 'a')), 414, "uri_too_long");
  expect_refused("GET /" + std::string(200'000, 'a'), 414, "uri_too_long");
}

TEST(HttpServer, RefusesWhatIsNoRequest) {
  expect_refused("\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n", 400, "malformed_request");
  expect_refused("GET /hello HTTP/3.7\r\n\r\n", 505, "malformed_request");
  expect_refused("GET /hello HTTP/1.1\r\n\r\n", 400, "malformed_request");
  expect_refused("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed_request");
  expect_refused("GET /hello HTTP/1.1\r\nHost: a/<script>\r\n\r\n", 400, "malformed_request");
  expect_refused("GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request");
  expect_refused(ask("GET", "/hello?a=%zz"), 400, "malformed_request");
  expect_refused(ask("GET", "/hello", kGoodToken, "Authorization: Bearer b\r\n"), 400, "malformed_request");
  expect_refused(ask("GET", "/hello", kGoodToken, "Expect: wonders\r\n"), 417, "malformed_request");
  // A header that goes on in the next line, wherever it is, also where lengths are.
  expect_refused(ask("GET", "/hello", kGoodToken, "X-A: b\r\n c\r\n"), 400, "malformed_request");
  expect_refused(ask("POST", "/store", kIngestToken, "Content-Length:\r\n 5\r\n") + "abcde", 400, "malformed_request");
  expect_refused(ask("POST", "/store", kIngestToken, "Content-Length: 5\r\n\t\r\n") + "abcde", 400,
                 "malformed_request");
  expect_refused(ask("POST", "/store", kIngestToken, "Transfer-Encoding:\r\n\tchunked\r\n") + "0\r\n\r\n", 400,
                 "malformed_request");
}

// Chunks came with HTTP/1.1.
TEST(HttpServer, RefusesChunksOfAnOlderVersion) {
  LoopbackServer loopback;
  const std::string response =
      loopback.exchange("POST /store HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer " + kIngestToken +
                        "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_TRUE(response.starts_with("HTTP/1.0 400 ")) << response;
  EXPECT_EQ(loopback.stored(), 0);
}

TEST(HttpServer, RefusesWhatTwoServersCouldReadDifferently) {
  const std::string smuggled = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* headers :
       {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: +4\r\n", "Content-Length: 4, 4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"}) {
    LoopbackServer loopback;
    const std::string response =
        loopback.exchange(ask("POST", "/store", kIngestToken, headers) + "0\r\n\r\n" + smuggled);
    EXPECT_TRUE(has_status(response, 400)) << headers;
    EXPECT_EQ(occurrences(response, "x-ms-request-id"), 1U) << headers;
    EXPECT_EQ(loopback.stored(), 0) << headers;
    EXPECT_EQ(loopback.audit_lines().size(), 1U) << headers;
  }
  LoopbackServer loopback;
  EXPECT_TRUE(has_status(
      loopback.exchange(ask("POST", "/store", kIngestToken, "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n"),
      501));
}

TEST(HttpServer, RefusesPathTraversal) {
  for (const char* path : {"/../etc/passwd", "/hello/../../etc/passwd", "/%2e%2e/etc/passwd", "/hello/..%2F..%2Fetc",
                           "/hello/%2E%2E%5Cwindows", "/hello/./x", "/..", "/hello/%00"}) {
    expect_refused(ask("GET", path, kGoodToken, kClose), 400, "bad_path");
  }
}

TEST(HttpServer, RefusesWhoIsNobody) {
  expect_refused(ask("GET", "/hello", "", kClose), 401, "not_authenticated");
  expect_refused(ask("GET", "/hello", "kv_DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD", kClose), 401, "unknown_token");
  expect_refused(ask("GET", "/hello", "kv_short", kClose), 401, "malformed_token");
  expect_refused(ask("GET", "/hello", "", kClose + "Authorization: Basic YTpi\r\n"), 401, "not_a_bearer_token");
  expect_refused(ask("POST", "/store", "", kClose + "Content-Length: 3\r\n") + "abc", 401, "not_authenticated");
}

TEST(HttpServer, SaysHowToAuthenticate) {
  LoopbackServer loopback;
  EXPECT_EQ(occurrences(loopback.exchange(ask("GET", "/hello", "", kClose)), "WWW-Authenticate: Bearer\r\n"), 1U);
  EXPECT_EQ(occurrences(loopback.exchange(ask("GET", "/hello", "kv_short", kClose)),
                        "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"),
            1U);
}

TEST(HttpServer, RefusesRolesAndSubscriptionsThatAreNotHeld) {
  expect_refused(ask("POST", "/store", kGoodToken, kClose + "Content-Length: 3\r\n") + "abc", 403, "not_authorized");
  expect_refused(ask("GET", "/hello", kIngestToken, kClose), 403, "not_authorized");
  expect_refused(ask("GET", "/subscriptions/" + kForeignSubscription + "/alerts", kBoundToken, kClose), 404,
                 "foreign_subscription");
  LoopbackServer loopback;
  EXPECT_TRUE(has_status(
      loopback.exchange(ask("GET", "/subscriptions/" + kOwnSubscription + "/alerts", kBoundToken, kClose)), 200));
}

TEST(HttpServer, DoesNotCountAnUnknownPathAsRefused) {
  LoopbackServer loopback;
  EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/nowhere", kGoodToken, kClose)), 404));
  EXPECT_TRUE(has_status(loopback.exchange(ask("DELETE", "/hello", kGoodToken, kClose)), 405));
  EXPECT_TRUE(loopback.audit_lines().empty());
}

TEST(HttpServer, AnswersWhereAHandlerThrows) {
  LoopbackServer loopback;
  const std::string response = loopback.exchange(ask("GET", "/broken", kGoodToken, kClose));
  EXPECT_TRUE(has_status(response, 500));
  EXPECT_EQ(occurrences(response, "substr"), 0U);
  EXPECT_EQ(loopback.server().figures().handler_failures, 1U);
}

std::string post(std::size_t length, std::string_view token = kIngestToken, const std::string& more = "") {
  return ask("POST", "/store", token, more + "Content-Length: " + std::to_string(length) + "\r\n");
}

void wait_for_bodies(LoopbackServer& loopback, std::uint64_t bytes) {
  const auto begun = std::chrono::steady_clock::now();
  while (loopback.server().figures().bodies_bytes_now != bytes &&
         std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_EQ(loopback.server().figures().bodies_bytes_now, bytes);
}

// Two principals that may store.
Access two_senders() {
  const std::string salt(32, 'a');
  AccessOptions options;
  options.tokens = {{"carol", token_hash(kIngestToken, salt), {Role::kIngest}, std::nullopt, std::nullopt},
                    {"dave", token_hash(kGoodToken, salt), {Role::kIngest}, std::nullopt, std::nullopt}};
  return *Access::make(std::move(options));
}

TEST(HttpServer, RefusesBodiesBeyondTheRoomForAll) {
  HttpServerOptions options;
  options.limits.bodies_bytes = 1000;
  LoopbackServer loopback(options, two_senders());
  RawClient first(loopback.port());
  RawClient second(loopback.port());
  first.send(post(600) + std::string(450, 'a'));
  second.send(post(600, kGoodToken) + std::string(450, 'b'));
  wait_for_bodies(loopback, 900);
  const std::string response = loopback.exchange(post(101, kGoodToken, kClose) + std::string(101, 'c'));
  EXPECT_TRUE(has_status(response, 503));
  EXPECT_EQ(occurrences(response, "Retry-After: 1\r\n"), 1U);
  EXPECT_TRUE(has_status(loopback.exchange(post(40, kGoodToken, kClose) + std::string(40, 'd')), 200));
}

TEST(HttpServer, TakesRoomForWhatHasComeAndNotForWhatMayCome) {
  HttpServerOptions options;
  options.limits.bodies_bytes = 2 * kBodyLimit;
  LoopbackServer loopback(options);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 40; ++i) {
    idle.push_back(std::make_unique<RawClient>(loopback.port()));
    idle.back()->send(i % 2 == 0
                          ? post(kBodyLimit)
                          : ask("POST", "/store", kIngestToken, "Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n");
  }
  wait_for_bodies(loopback, 20);
  EXPECT_TRUE(has_status(loopback.exchange(post(900, kIngestToken, kClose) + std::string(900, 'a')), 200))
      << "of the same principal, too";
}

TEST(HttpServer, OnePrincipalHasHalfOfTheRoomAtMost) {
  HttpServerOptions options;
  options.limits.bodies_bytes = 2 * kBodyLimit;
  LoopbackServer loopback(options, two_senders());
  std::vector<std::unique_ptr<RawClient>> greedy;
  for (int i = 0; i < 10; ++i) {
    greedy.push_back(std::make_unique<RawClient>(loopback.port()));
    greedy.back()->send(post(kBodyLimit) + std::string(100, 'a'));
  }
  wait_for_bodies(loopback, kBodyLimit);
  EXPECT_TRUE(has_status(loopback.exchange(post(1, kIngestToken, kClose) + "a"), 503));
  EXPECT_TRUE(has_status(loopback.exchange(post(kBodyLimit, kGoodToken, kClose) + std::string(kBodyLimit, 'b')), 200));
  greedy.clear();
  wait_for_bodies(loopback, 0);
  EXPECT_TRUE(
      has_status(loopback.exchange(post(kBodyLimit, kIngestToken, kClose) + std::string(kBodyLimit, 'c')), 200));
}

TEST(HttpServer, RefusesRequestsBeyondTheQueue) {
  HttpServerOptions options;
  options.handlers = 1;
  options.limits.waiting_requests = 1;
  LoopbackServer loopback(options);
  RawClient running(loopback.port());
  running.send(ask("GET", "/slow"));
  while (loopback.server().figures().requests_now < 1) { std::this_thread::yield(); }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the handler has taken it from the queue
  RawClient waiting(loopback.port());
  waiting.send(ask("GET", "/hello"));
  while (loopback.server().figures().requests_now < 2) { std::this_thread::yield(); }
  EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/hello", kGoodToken, kClose)), 503));
  loopback.open_gate();
  EXPECT_TRUE(has_status(running.read_response(), 200));
  EXPECT_TRUE(has_status(waiting.read_response(), 200));
}

TEST(HttpServer, AnswersOthersWhileEveryBulkHandlerWaits) {
  LoopbackServer loopback;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(loopback.port()));
    clients.back()->send(ask("GET", "/bulk"));
  }
  while (loopback.server().figures().requests_now < 20) { std::this_thread::yield(); }
  EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/hello", kGoodToken, kClose)), 200));
  loopback.open_gate();
  for (const auto& client : clients) { EXPECT_TRUE(has_status(client->read_response(), 200)); }
}

TEST(HttpServer, AnswersBesideManyIdleAndDrippingConnections) {
  HttpServerOptions options;
  options.network_threads = 1;
  options.handlers = 1;
  LoopbackServer loopback(options);
  std::vector<std::unique_ptr<RawClient>> others;
  for (int i = 0; i < 550; ++i) {
    others.push_back(std::make_unique<RawClient>(loopback.port()));
    if (i >= 500) {
      others.back()->send(i % 2 == 0 ? "GET /he" : ask("POST", "/store", kIngestToken, "Content-Length: 9\r\n"));
    }
  }
  while (loopback.server().figures().connections_now < 550) { std::this_thread::yield(); }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/hello", kGoodToken, kClose)), 200));
    for (std::size_t dripping = 500; dripping < 550; dripping += 2) { others[dripping]->send("l"); }
  }
  EXPECT_TRUE(loopback.server().figures().timeouts.empty());
}

TEST(HttpServer, RefusesConnectionsBeyondTheLimits) {
  HttpServerOptions options;
  options.limits.connections_per_address = 2;
  LoopbackServer loopback(options);
  {
    RawClient first(loopback.port());
    RawClient second(loopback.port());
    first.send(ask("GET", "/open", ""));
    second.send(ask("GET", "/open", ""));
    EXPECT_TRUE(has_status(first.read_response(), 200));
    EXPECT_TRUE(has_status(second.read_response(), 200));
    EXPECT_EQ(loopback.exchange(ask("GET", "/open", "", kClose)), "");
    EXPECT_EQ(loopback.server().figures().connections_refused["too_many_connections_of_address"], 1U);
  }
  while (loopback.server().figures().connections_now > 0) { std::this_thread::yield(); }
  EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/open", "", kClose)), 200));
  const std::vector<AuditLine> lines = loopback.audit_lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].action, "connection.refused");
}

TEST(HttpServer, WritesAuditLinesAtALimitedRate) {
  HttpServerOptions options;
  options.limits.audit_lines_per_second = 2;
  LoopbackServer loopback(options);
  for (int i = 0; i < 5; ++i) { loopback.exchange(ask("GET", "/hello", "", kClose)); }
  EXPECT_EQ(loopback.server().figures().audit_lines_dropped, 3U);
  loopback.pass_seconds(1);
  loopback.exchange(ask("GET", "/hello", "", kClose));
  EXPECT_EQ(loopback.audit_lines().size(), 3U);
}

TEST(HttpServer, ClosesConnectionsThatDrip) {
  HttpServerOptions options;
  options.limits.head_seconds = 1;
  options.limits.body_seconds = 1;
  options.limits.idle_seconds = 1;
  LoopbackServer loopback(options);
  RawClient idle(loopback.port());
  RawClient head(loopback.port());
  RawClient body(loopback.port());
  head.send("GET /hello HT");
  body.send(ask("POST", "/store", kIngestToken, "Content-Length: 900\r\n") + "a");
  for (int i = 0; i < 8; ++i) {  // a byte now and then does not buy time
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    head.send("T");
    body.send("a");
  }
  EXPECT_EQ(head.read_all(), "");
  EXPECT_EQ(body.read_all(), "");
  EXPECT_EQ(idle.read_all(), "");
  const HttpFigures figures = loopback.server().figures();
  EXPECT_EQ(figures.timeouts, (std::map<std::string, std::uint64_t>{{"body", 1}, {"head", 1}, {"idle", 1}}));
  EXPECT_EQ(loopback.stored(), 0);
  EXPECT_EQ(figures.bodies_bytes_now, 0U);
  ASSERT_EQ(loopback.audit_lines().size(), 1U);
}

TEST(HttpServer, ClosesConnectionsThatDoNotRead) {
  HttpServerOptions options;
  options.limits.write_seconds = 1;
  LoopbackServer loopback(options);
  RawClient client(loopback.port(), 4096);
  client.send(ask("GET", "/huge"));
  while (loopback.server().figures().timeouts["write"] == 0) { std::this_thread::yield(); }
  while (loopback.server().figures().connections_now > 0) { std::this_thread::yield(); }
}

TEST(HttpServer, SaysEventsAsTheyCome) {
  LoopbackServer loopback;
  const std::string response = loopback.exchange(ask("GET", "/events"));
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_EQ(occurrences(response, "Content-Type: text/event-stream; charset=utf-8\r\n"), 1U);
  EXPECT_TRUE(response.ends_with("\r\n\r\n9\r\n: hello\n\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n"))
      << response;
  EXPECT_EQ(loopback.server().figures().event_streams_now, 0U);
}

TEST(HttpServer, BoundsTheNumberOfStreams) {
  HttpServerOptions options;
  options.limits.event_streams = 1;
  LoopbackServer loopback(options);
  RawClient first(loopback.port());
  first.send(ask("GET", "/silent"));
  first.read_until("\r\n\r\n");
  EXPECT_TRUE(has_status(loopback.exchange(ask("GET", "/silent", kGoodToken, kClose)), 503));
  EXPECT_EQ(loopback.server().figures().event_streams_now, 1U);
}

TEST(HttpServer, DropsReadersThatDoNotFollow) {
  HttpServerOptions options;
  options.limits.write_seconds = 1;
  LoopbackServer loopback(options);
  RawClient client(loopback.port(), 4096);
  client.send(ask("GET", "/flood"));
  while (loopback.server().figures().event_streams_dropped == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(loopback.server().figures().event_streams_now, 0U);
}

TEST(HttpServer, StopsInGoodOrder) {
  LoopbackServer loopback;
  RawClient idle(loopback.port());
  RawClient running(loopback.port());
  RawClient following(loopback.port());
  running.send(ask("GET", "/slow"));
  following.send(ask("GET", "/silent"));
  following.read_until("\r\n\r\n");
  while (loopback.server().figures().requests_now < 1) { std::this_thread::yield(); }
  std::thread stopping([&] { loopback.server().stop(); });
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_EQ(following.read_all(), "0\r\n\r\n");
  loopback.open_gate();
  const std::string response = running.read_all();
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_EQ(occurrences(response, "Connection: close\r\n"), 1U);
  stopping.join();
  EXPECT_EQ(loopback.server().figures().connections_now, 0U);
}

TEST(HttpServer, CutsWhatDoesNotEnd) {
  HttpServerOptions options;
  options.limits.stop_seconds = 1;
  LoopbackServer loopback(options);
  RawClient dripping(loopback.port());
  dripping.send("GET /hello HT");
  while (loopback.server().figures().connections_now < 1) { std::this_thread::yield(); }
  loopback.server().stop();
  EXPECT_EQ(dripping.read_all(), "");
  EXPECT_EQ(loopback.server().figures().connections_now, 0U);
}

TEST(HttpServer, ListensWithoutTlsOnLoopbackOnly) {
  const Router router;
  Access access = known_access();
  HttpServerOptions options;
  options.port = 0;
  options.address = "0.0.0.0";
  const auto server = HttpServer::start(options, router, access, {[] { return kWallClock; }, {}, {}});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ErrorKind::kUsage);
  options.address = "example";
  EXPECT_FALSE(HttpServer::start(options, router, access, {[] { return kWallClock; }, {}, {}}));
}

TEST(HttpServer, SaysThatThePortIsTaken) {
  LoopbackServer loopback;
  const Router router;
  Access access = known_access();
  HttpServerOptions options;
  options.port = loopback.port();
  const auto server = HttpServer::start(options, router, access, {[] { return kWallClock; }, {}, {}});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().kind, ErrorKind::kInputOutput);
}

}  // namespace
}  // namespace keyvigil
