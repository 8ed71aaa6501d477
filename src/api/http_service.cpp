#include "api/http_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "alert/printable.h"
#include "api/content_encoding.h"

namespace keyvigil {
namespace {

constexpr std::size_t kAuditQueueLimit = 4096;
constexpr std::size_t kAuditTargetBytes = 512;
constexpr std::size_t kWorthCompressing = 1400;  // less fits into one packet anyway
constexpr std::size_t kEchoLimit = 64;

bool has(const HttpFields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return equal_without_case(field.first, name); });
}

void set_default(HttpFields& fields, std::string_view name, std::string value) {
  if (!has(fields, name)) { fields.emplace_back(name, std::move(value)); }
}

std::string random_guid() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) { text += '-'; }
    text += fmt::format("{:02x}", bytes[i]);
  }
  return text;
}

void add_identifiers(const HttpRequest& request, HttpFields& headers) {
  const std::string id = random_guid();
  const std::string_view correlation = echoable(request.header("x-ms-correlation-request-id"));
  const std::string_view client = echoable(request.header("x-ms-client-request-id"));
  set_default(headers, "x-ms-request-id", id);
  set_default(headers, "x-ms-correlation-request-id", correlation.empty() ? id : std::string(correlation));
  if (!client.empty()) { set_default(headers, "x-ms-client-request-id", std::string(client)); }
}

bool is_text(const HttpFields& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& field) {
    return equal_without_case(field.first, "content-type") &&
           (field.second.starts_with("application/json") || field.second.starts_with("text/"));
  });
}

void compress(const HttpRequest& request, HttpResponse& response) {
  if (response.feed || response.body.size() < kWorthCompressing || !is_text(response.headers)) { return; }
  if (has(response.headers, "content-encoding")) { return; }
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!accepts_gzip(request.header("accept-encoding"))) { return; }
  std::string compressed = gzip(response.body);
  if (compressed.empty()) { return; }
  response.body = std::move(compressed);
  response.headers.emplace_back("Content-Encoding", "gzip");
}

// Why the response counts as a refusal; empty: it does not.
std::string refusal_cause(const HttpResponse& response) {
  if (!response.refused.empty()) { return response.refused; }
  switch (response.status) {
    case 401:
      return "not_authenticated";
    case 403:
      return "not_authorized";
    case 413:
      return "too_large";
    case 429:
      return "too_many";
    default:
      return {};
  }
}

}  // namespace

HttpService::HttpService(const HttpServerOptions& options, const Router& router, Access& access, HttpServerParts parts)
    : options_(options),
      router_(router),
      access_(access),
      parts_(std::move(parts)),
      audit_writer_(1, kAuditQueueLimit),
      handlers_(options.handlers, options.limits.waiting_requests),
      bulk_handlers_(options.bulk_handlers, options.limits.waiting_requests, true) {}

RouteLimits HttpService::route_limits(const HttpRequest& request) const {
  return router_.limits(request.method, request.path);
}

std::optional<HttpResponse> HttpService::admit(HttpRequest& request) {
  Authentication who;
  try {
    who = access_.authenticate(request.header("authorization"), request.now);
  } catch (const std::exception& error) {  // a library's: no memory
    report(fmt::format("authentication failed: {}", error.what()));
    return arm_error(500, "InternalServerError", "The service failed; its log says why.");
  }
  request.principal = who.principal;
  std::optional<HttpResponse> refusal = router_.refuse(request);
  if (!refusal || refusal->status != 401) { return refusal; }
  if (who.try_again) {
    HttpResponse response = arm_error(503, "ServiceUnavailable", "Signing keys are being fetched. Try again.");
    response.headers.emplace_back("Retry-After", "1");
    response.refused = "keys_not_there";
    return response;
  }
  if (!who.refused.empty()) {
    refusal->refused = who.refused;
    for (auto& [name, value] : refusal->headers) {
      if (equal_without_case(name, "www-authenticate")) { value = "Bearer error=\"invalid_token\""; }
    }
  }
  return refusal;
}

HttpResponse HttpService::answer(HttpRequest& request) {
  std::string what;
  try {
    return router_.answer(request);
  } catch (const std::exception& error) { what = error.what(); }
  report(fmt::format("the handler of {} {} failed: {}", request.method, harmless(bounded_utf8(request.path, 256)),
                     harmless(bounded_utf8(what, 256))));
  const std::lock_guard lock(mutex_);
  ++figures_.handler_failures;
  return arm_error(500, "InternalServerError", "The service failed; its log says why.");
}

std::optional<std::string> HttpService::next_of(const EventFeed& feed) {
  std::string what;
  try {
    return feed();
  } catch (const std::exception& error) { what = error.what(); }
  report(fmt::format("an event stream failed: {}", harmless(bounded_utf8(what, 256))));
  const std::lock_guard lock(mutex_);
  ++figures_.handler_failures;
  return std::nullopt;
}

void HttpService::complete(const HttpRequest& request, HttpResponse& response) {
  const std::string cause = refusal_cause(response);
  if (!cause.empty()) {
    write_audit({request.now, request.principal.name, request.peer_address, "request.refused",
                 request.method + " " + request.path, fmt::format("{} {}", response.status, cause)});
  }
  if (!response.body.empty() || response.feed) {
    set_default(response.headers, "Content-Type",
                response.feed ? "text/event-stream; charset=utf-8" : "application/json; charset=utf-8");
  }
  compress(request, response);
  add_identifiers(request, response.headers);
  set_default(response.headers, "Date", to_http_date(parts_.now()));
  set_default(response.headers, "Cache-Control", "no-store");
  set_default(response.headers, "X-Content-Type-Options", "nosniff");
  set_default(response.headers, "X-Frame-Options", "DENY");
  set_default(response.headers, "Referrer-Policy", "no-referrer");
  set_default(response.headers, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (options_.strict_transport_security && options_.tls) {
    set_default(response.headers, "Strict-Transport-Security", "max-age=31536000");
  }
  const std::lock_guard lock(mutex_);
  ++figures_.responses[response.status];
  if (!cause.empty()) { ++figures_.refused[cause]; }
  figures_.body_bytes_sent += response.body.size();
  const std::int64_t ticks = parts_.now().ticks - request.now.ticks;
  figures_.handler_seconds += static_cast<double>(std::max<std::int64_t>(ticks, 0)) / EventTime::kTicksPerSecond;
}

void HttpService::refuse_connection(const std::string& peer_address, const std::string& cause) {
  write_audit({parts_.now(), {}, peer_address, "connection.refused", {}, cause});
  const std::lock_guard lock(mutex_);
  ++figures_.connections_refused[cause];
}

void HttpService::write_audit(AuditLine line) {
  line.target = harmless(bounded_utf8(line.target, kAuditTargetBytes));
  line.who = harmless(bounded_utf8(line.who, kAuditTargetBytes));
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t second = line.at.ticks / EventTime::kTicksPerSecond;
    if (second != audit_second_) {
      audit_second_ = second;
      audit_lines_ = 0;
    }
    if (++audit_lines_ > limits().audit_lines_per_second) {
      ++figures_.audit_lines_dropped;
      return;
    }
  }
  const bool taken = audit_writer_.submit([this, line = std::move(line)] {
    try {
      parts_.audit(line);
    } catch (const std::exception& error) { report(fmt::format("an audit line was lost: {}", error.what())); }
  });
  if (taken) { return; }
  const std::lock_guard lock(mutex_);
  ++figures_.audit_lines_dropped;
}

void HttpService::report(const std::string& text) const {
  if (parts_.report) { parts_.report(text); }
}

bool HttpService::reserve(const std::string& principal, std::size_t bytes) {
  if (bytes == 0) { return true; }
  const std::size_t limit = limits().bodies_bytes;
  const std::lock_guard lock(mutex_);
  const auto found = bodies_by_principal_.find(principal);
  const std::size_t own = found == bodies_by_principal_.end() ? 0 : found->second;
  if (bytes > limit - std::min<std::uint64_t>(limit, figures_.bodies_bytes_now)) { return false; }
  if (bytes > limit / 2 - std::min(limit / 2, own)) { return false; }
  figures_.bodies_bytes_now += bytes;
  bodies_by_principal_[principal] += bytes;
  return true;
}

void HttpService::release(const std::string& principal, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  figures_.bodies_bytes_now -= bytes;
  const auto found = bodies_by_principal_.find(principal);
  found->second -= bytes;
  if (found->second == 0) { bodies_by_principal_.erase(found); }
}

bool HttpService::begin_stream() {
  const std::lock_guard lock(mutex_);
  if (figures_.event_streams_now >= limits().event_streams) { return false; }
  ++figures_.event_streams_now;
  return true;
}

void HttpService::end_stream(bool dropped) {
  const std::lock_guard lock(mutex_);
  --figures_.event_streams_now;
  if (dropped) { ++figures_.event_streams_dropped; }
}

void HttpService::count_connection() {
  const std::lock_guard lock(mutex_);
  ++figures_.connections;
}

void HttpService::count_failed_handshake() {
  const std::lock_guard lock(mutex_);
  ++figures_.failed_handshakes;
}

void HttpService::count_timeout(const std::string& phase) {
  const std::lock_guard lock(mutex_);
  ++figures_.timeouts[phase];
}

void HttpService::count_received(std::size_t body_bytes) {
  const std::lock_guard lock(mutex_);
  figures_.body_bytes_received += body_bytes;
}

HttpFigures HttpService::figures() const {
  HttpFigures figures;
  {
    const std::lock_guard lock(mutex_);
    figures = figures_;
  }
  figures.requests_now = handlers_.busy() + bulk_handlers_.busy();
  return figures;
}

void HttpService::close_handlers() {
  handlers_.close();
  bulk_handlers_.close();
}

void HttpService::close_audit() {
  audit_writer_.close();
}

std::string to_http_date(EventTime time) {
  constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime civil = to_civil(time);
  const std::int64_t weekday = ((time.day() % 7) + 7) % 7;  // 1970-01-01 was a Thursday
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[static_cast<std::size_t>(weekday)], civil.day,
                     kMonths[static_cast<std::size_t>(civil.month - 1)], civil.year, civil.hour, civil.minute,
                     civil.second);
}

std::string_view echoable(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return text.size() <= kEchoLimit && std::all_of(text.begin(), text.end(), fits) ? text : std::string_view();
}

}  // namespace keyvigil
