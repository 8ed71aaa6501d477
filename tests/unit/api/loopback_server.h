// A server on loopback with small routes, and a client for bytes as they are, which can misbehave.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/http_server.h"
#include "base/check.h"

namespace keyvigil {

inline const std::string kGoodToken = "kv_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
inline const std::string kBoundToken = "kv_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
inline const std::string kIngestToken = "kv_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";
inline const std::string kOwnSubscription = "11111111-2222-4333-8444-555555555555";
inline const std::string kForeignSubscription = "99999999-2222-4333-8444-555555555555";
inline constexpr EventTime kWallClock{1'700'000'000 * EventTime::kTicksPerSecond};
inline constexpr std::size_t kBodyLimit = 1000;

// A TCP connection to 127.0.0.1.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False where the server has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) { return false; }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Until the server closes; fails where nothing comes for `seconds`.
  std::string read_all(int seconds = 20) {
    while (read_some(seconds)) {}
    return std::exchange(received_, {});
  }
  // Until the text has come; what came up to its end.
  std::string read_until(std::string_view text, int seconds = 20) {
    std::size_t at = received_.find(text);
    while (at == std::string::npos && read_some(seconds)) { at = received_.find(text); }
    const std::size_t end = at == std::string::npos ? received_.size() : at + text.size();
    std::string read = received_.substr(0, end);
    received_.erase(0, end);
    return read;
  }
  // One response with Content-Length.
  std::string read_response() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) { return head; }
    const std::size_t length = std::stoul(head.substr(at + 16));
    while (received_.size() < length && read_some(20)) {}
    head += received_.substr(0, length);
    received_.erase(0, length);
    return head;
  }

 private:
  bool read_some(int seconds) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, seconds * 1000) <= 0) {
      received_ += "(nothing came)";
      return false;
    }
    char block[65536];
    const ssize_t size = ::recv(socket_, block, sizeof block, 0);
    if (size <= 0) { return false; }
    received_.append(block, static_cast<std::size_t>(size));
    return true;
  }

  int socket_;
  std::string received_;
};

inline std::size_t occurrences(std::string_view whole, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = whole.find(text); at != std::string_view::npos; at = whole.find(text, at + 1)) { ++count; }
  return count;
}

inline std::string ask(std::string_view method, std::string_view target, std::string_view token = kGoodToken,
                       std::string_view more = "") {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost:8443\r\n";
  if (!token.empty()) { text += "Authorization: Bearer " + std::string(token) + "\r\n"; }
  return text + std::string(more) + "\r\n";
}

inline Access known_access() {
  const std::string salt(32, 'a');
  AccessOptions options;
  options.tokens = {
      {"alice", token_hash(kGoodToken, salt), {Role::kOperator}, std::nullopt, std::nullopt},
      {"bob", token_hash(kBoundToken, salt), {Role::kReader}, std::set<std::string>{kOwnSubscription}, std::nullopt},
      {"carol", token_hash(kIngestToken, salt), {Role::kIngest}, std::nullopt, std::nullopt}};
  auto access = Access::make(std::move(options));
  CHECK(access.has_value());
  return *std::move(access);
}

// Plain HTTP unless options.tls is set. What reaches a handler that stores is counted.
class LoopbackServer {
 public:
  explicit LoopbackServer(HttpServerOptions options = {}, std::optional<Access> access = std::nullopt)
      : access_(access ? *std::move(access) : known_access()) {
    options.port = 0;
    add_routes();
    HttpServerParts parts;
    parts.now = [this] { return EventTime{now_ticks_.load()}; };
    parts.audit = [this](const AuditLine& line) {
      const std::lock_guard lock(mutex_);
      audit_lines_.push_back(line);
    };
    auto server = HttpServer::start(options, router_, access_, std::move(parts));
    CHECK(server.has_value());
    server_.emplace(*std::move(server));
  }

  [[nodiscard]] HttpServer& server() { return *server_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  // Sends, and reads until the server closes. The request must end the connection.
  std::string exchange(std::string_view text) {
    RawClient client(port());
    client.send(text);
    return client.read_all();
  }
  // Stops the server: then all lines are written.
  std::vector<AuditLine> audit_lines() {
    server_->stop();
    const std::lock_guard lock(mutex_);
    return audit_lines_;
  }
  [[nodiscard]] int stored() const { return stored_; }
  void open_gate() { gate_open_ = true; }
  void pass_seconds(std::int64_t seconds) { now_ticks_ += seconds * EventTime::kTicksPerSecond; }

 private:
  void add_routes() {
    router_.add("GET", "/hello", Role::kReader, [](const HttpRequest& request) {
      return json_response(200, "{\"host\":\"" + request.host + "\",\"name\":\"" + request.principal.name + "\"}");
    });
    router_.add("GET", "/open", std::nullopt, [](const HttpRequest&) { return json_response(200, "{}"); });
    router_.add("GET", "/large", Role::kReader,
                [](const HttpRequest&) { return json_response(200, "\"" + std::string(1 << 20, 'a') + "\""); });
    router_.add("GET", "/huge", Role::kReader,
                [](const HttpRequest&) { return json_response(200, std::string(std::size_t{64} << 20, ' ')); });
    router_.add("GET", "/subscriptions/{subscription}/alerts", Role::kReader,
                [](const HttpRequest&) { return json_response(200, "[]"); });
    router_.add("POST", "/store", Role::kIngest,
                [this](const HttpRequest& request) {
                  ++stored_;
                  return HttpResponse{200, {}, std::to_string(request.body.size()), {}, {}};
                },
                {.body_bytes = kBodyLimit});
    router_.add("POST", "/nothing", Role::kOperator, [](const HttpRequest&) {
      return HttpResponse{204, {}, {}, {}, {}};
    });
    router_.add("GET", "/slow", Role::kReader, [this](const HttpRequest&) { return wait_at_gate(); });
    router_.add("GET", "/bulk", Role::kReader, [this](const HttpRequest&) { return wait_at_gate(); }, {.bulk = true});
    router_.add("GET", "/broken", Role::kReader, [](const HttpRequest&) {
      return json_response(200, std::string(3, 'a').substr(4));  // the library throws
    });
    router_.add("GET", "/split", Role::kReader, [](const HttpRequest&) {
      return HttpResponse{200, {{"X-Name", "a\r\nX-Forged: b"}}, "{}", {}, {}};
    });
    router_.add("GET", "/events", Role::kReader, [](const HttpRequest&) {
      HttpResponse response{200, {}, ": hello\n\n", {}, {}};
      response.feed = [count = 0]() mutable -> std::optional<std::string> {
        if (++count > 2) { return std::nullopt; }
        return "data: " + std::to_string(count) + "\n\n";
      };
      return response;
    });
    router_.add("GET", "/flood", Role::kReader, [](const HttpRequest&) {
      HttpResponse response;
      response.feed = [] { return std::string(std::size_t{1} << 20, ':'); };
      return response;
    });
    router_.add("GET", "/silent", Role::kReader, [](const HttpRequest&) {
      HttpResponse response;
      response.feed = [] { return std::string(); };
      return response;
    });
  }

  HttpResponse wait_at_gate() {
    while (!gate_open_) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
    return json_response(200, "{}");
  }

  Access access_;
  Router router_;
  std::atomic<std::int64_t> now_ticks_ = kWallClock.ticks;
  std::atomic<int> stored_ = 0;
  std::atomic<bool> gate_open_ = false;
  std::mutex mutex_;
  std::vector<AuditLine> audit_lines_;
  std::optional<HttpServer> server_;  // last: it ends first
};

}  // namespace keyvigil
