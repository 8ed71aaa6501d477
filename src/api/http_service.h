// HttpService: what all connections of a server share, without the transport: who may come in, what a request is
// answered, what is counted, and the audit lines. Threads: any.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/access.h"
#include "api/handler_pool.h"
#include "api/http_server.h"
#include "api/router.h"

namespace keyvigil {

class HttpService {
 public:
  HttpService(const HttpServerOptions& options, const Router& router, Access& access, HttpServerParts parts);

  [[nodiscard]] const HttpServerOptions& options() const { return options_; }
  [[nodiscard]] const HttpLimits& limits() const { return options_.limits; }
  [[nodiscard]] RouteLimits route_limits(const HttpRequest& request) const;
  [[nodiscard]] HandlerPool& handlers(bool bulk) { return bulk ? bulk_handlers_ : handlers_; }

  // Who asks, and whether that may go on to the body: the response where it may not. May fetch keys, so it may wait.
  [[nodiscard]] std::optional<HttpResponse> admit(HttpRequest& request);
  [[nodiscard]] HttpResponse answer(HttpRequest& request);
  // What a stream says next; nothing also where the feed failed.
  [[nodiscard]] std::optional<std::string> next_of(const EventFeed& feed);
  [[nodiscard]] EventTime now() const { return parts_.now(); }
  // To be called once for each response: counts it, writes its audit line, adds the headers that every response has.
  void complete(const HttpRequest& request, HttpResponse& response);
  // Ditto for a connection that was refused.
  void refuse_connection(const std::string& peer_address, const std::string& cause);

  // Room for more of a body: false where all bodies together, or the principal's, would be larger than the limit.
  [[nodiscard]] bool reserve(const std::string& principal, std::size_t bytes);
  void release(const std::string& principal, std::size_t bytes);
  [[nodiscard]] bool begin_stream();
  void end_stream(bool dropped);

  void count_connection();
  void count_failed_handshake();
  void count_timeout(const std::string& phase);
  void count_received(std::size_t body_bytes);
  [[nodiscard]] HttpFigures figures() const;

  [[nodiscard]] bool stopping() const { return stopping_; }
  void begin_stop() { stopping_ = true; }
  void close_handlers();  // returns when none runs
  void close_audit();     // returns when every line is written

 private:
  void write_audit(AuditLine line);
  void report(const std::string& text) const;

  const HttpServerOptions options_;
  const Router& router_;
  Access& access_;
  const HttpServerParts parts_;
  std::atomic<bool> stopping_ = false;

  mutable std::mutex mutex_;  // guards the rest but the pools
  HttpFigures figures_;
  std::map<std::string, std::size_t> bodies_by_principal_;  // bytes; none is 0
  std::int64_t audit_second_ = 0;
  std::size_t audit_lines_ = 0;  // in that second

  HandlerPool audit_writer_;  // lines may wait for the disk; responses do not
  HandlerPool handlers_;
  HandlerPool bulk_handlers_;
};

// 1994-11-06T08:49:37Z -> "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
[[nodiscard]] std::string to_http_date(EventTime time);
// What a client sent to be echoed, where it is fit for that: 1 to 64 letters, digits, '-', '_', '.'; else empty.
[[nodiscard]] std::string_view echoable(std::string_view text);

}  // namespace keyvigil
