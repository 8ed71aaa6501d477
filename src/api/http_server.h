// HttpServer: HTTP/1.1 over TLS (RFC 9110, RFC 9112), bounded in everything that a client chooses.
//
// A few threads speak with the network and never wait for a handler; handlers run in two bounded pools (ordinary and
// bulk routes), so that neither a slow client nor a slow route holds up the others. A request is judged in this order:
// head within its limits, route, token, role, subscription, and only then is its body read, up to the route's limit.
// Whatever is refused gets one audit line. Handlers may throw what a library throws: that is answered with 500.
// Threads: all members may be called from any thread; handlers, authenticate, audit and now are called from many.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/access.h"
#include "api/router.h"
#include "api/tls.h"
#include "base/event_time.h"
#include "base/result.h"
#include "store/stored_alert.h"

namespace keyvigil {

// Each limit is at least 1.
struct HttpLimits {
  std::size_t connections = 4096;
  std::size_t connections_per_address = 1024;  // per IPv4 address or IPv6 /64
  std::size_t head_bytes = std::size_t{32} << 10;
  std::size_t head_fields = 100;
  std::size_t target_bytes = std::size_t{8} << 10;
  // What has come of all bodies that are being read or handled, of which one principal may have half; beyond: 503. At
  // least twice the largest body of a route, or that would never get in.
  std::size_t bodies_bytes = std::size_t{256} << 20;
  std::size_t waiting_requests = 1024;  // in each pool; beyond: 503
  std::size_t event_streams = 64;
  std::size_t event_bytes = std::size_t{1} << 20;  // that a feed may say at once; beyond: the stream ends
  std::size_t audit_lines_per_second = 100;        // beyond: counted only
  int handshake_seconds = 10;
  int head_seconds = 15;  // from the first byte of a request to the end of its head
  int body_seconds = 60;
  int write_seconds = 30;
  int idle_seconds = 75;  // between requests
  int stop_seconds = 10;  // for running requests, when the server stops
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 8443;          // 0: any
  std::optional<TlsFiles> tls;        // nothing: plain HTTP, on loopback only
  std::string public_url;             // "https://host:port" in links; empty: as the client called it
  bool strict_transport_security = false;
  int network_threads = 2;
  int handlers = 8;
  int bulk_handlers = 4;  // for routes with RouteLimits::bulk
  HttpLimits limits;
};

// What the server asks of others. `report` gets sentences about the server itself, for the log.
struct HttpServerParts {
  std::function<EventTime()> now;                       // wall clock
  std::function<void(const AuditLine&)> audit;          // one line for each request or connection that was refused
  std::function<void(const std::string& text)> report;  // may be empty
};

// Since the start; `now` counts are gauges.
struct HttpFigures {
  std::uint64_t connections_now = 0;
  std::uint64_t connections = 0;
  std::map<std::string, std::uint64_t> connections_refused;  // by cause
  std::uint64_t failed_handshakes = 0;
  std::map<std::string, std::uint64_t> timeouts;  // handshake, head, body, write, idle
  std::uint64_t requests_now = 0;                 // in handlers, or waiting for one
  std::map<int, std::uint64_t> responses;         // by status
  std::map<std::string, std::uint64_t> refused;   // requests, by cause
  std::uint64_t audit_lines_dropped = 0;          // beyond audit_lines_per_second
  std::uint64_t handler_failures = 0;             // that threw
  double handler_seconds = 0;                     // sum over all requests
  std::uint64_t body_bytes_received = 0;
  std::uint64_t body_bytes_sent = 0;
  std::uint64_t bodies_bytes_now = 0;
  std::uint64_t event_streams_now = 0;
  std::uint64_t event_streams_dropped = 0;  // slow readers, and feeds that said too much
  std::optional<EventTime> certificate_expires;
};

class HttpServer {
 public:
  // Listens when it returns. `router` and `access` must outlive the server. Errors: kUsage for what the options say,
  // kInputOutput for an address in use and for certificates.
  [[nodiscard]] static Result<HttpServer> start(const HttpServerOptions& options, const Router& router, Access& access,
                                                HttpServerParts parts);
  // Stops, if stop() was not called.
  ~HttpServer();  // NOLINT(bugprone-exception-escape): see there
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] HttpFigures figures() const;
  // Reads certificate and key, for new connections. Where they are bad the old ones stay. REQUIRES: it started with
  // TLS.
  [[nodiscard]] Result<void> reload_certificate(const TlsFiles& files);
  // No new connections, idle ones are closed, running requests are answered within stop_seconds, the rest is cut.
  // Returns when no handler runs any more. May be called again.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace keyvigil
