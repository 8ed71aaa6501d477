#include "api/http_connection.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace keyvigil {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr std::size_t kHostLimit = 255;
constexpr int kHeartbeatSeconds = 15;  // comments keep proxies from closing a silent stream, and find readers that left
// After a response that ends the connection, what the client still sends is thrown away for a moment: closing at once
// would reset the connection and take the response with it (RFC 9112 9.6).
constexpr int kDrainSeconds = 2;
constexpr std::size_t kDrainBytes = std::size_t{32} << 20;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Whether a line begins with a blank, up to the end of the head (RFC 9112 5.2).
bool has_fold(std::string_view text) {
  const std::string_view head = text.substr(0, text.find("\r\n\r\n"));
  return head.find("\r\n ") != std::string_view::npos || head.find("\r\n\t") != std::string_view::npos;
}

std::string_view view(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

HttpResponse refusal(int status, std::string_view code, std::string_view message, std::string cause) {
  HttpResponse response = arm_error(status, code, message);
  response.refused = std::move(cause);
  return response;
}

HttpResponse overloaded() {
  HttpResponse response =
      refusal(503, "ServerBusy", "The service has more requests than it can take now. Try again.", "overloaded");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse too_large(std::size_t limit_bytes) {
  return refusal(413, "RequestEntityTooLarge",
                 fmt::format("The body is longer than {} bytes, the limit of this path.", limit_bytes),
                 "body_too_large");
}

// "https://host/path?query", as proxies have it -> "/path?query".
std::string_view origin_form(std::string_view target) {
  const std::size_t scheme = target.starts_with('/') ? std::string_view::npos : target.find("://");
  if (scheme == std::string_view::npos) { return target; }
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

bool is_field_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

}  // namespace

std::optional<std::string> origin_of(std::string_view host, bool has_tls) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == ':' || c == '[' || c == ']' || c == '_';
  };
  if (host.empty() || host.size() > kHostLimit || !std::all_of(host.begin(), host.end(), fits)) { return std::nullopt; }
  return (has_tls ? "https://" : "http://") + std::string(host);
}

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, asio::ssl::context* tls, HttpService& service,
                               std::string peer_address, std::function<void()> ended)
    : transport_(std::move(socket), tls),
      service_(service),
      peer_address_(std::move(peer_address)),
      ended_(std::move(ended)),
      buffer_(service.limits().head_bytes + 2 * kReadBytes),
      feed_timer_(transport_.get_executor()) {}

HttpConnection::~HttpConnection() {
  release_body();
}

void HttpConnection::begin() {
  if (!transport_.has_tls()) { return wait_for_request(); }
  transport_.expire_after(service_.limits().handshake_seconds);
  transport_.async_handshake([this](ErrorCode error) {
    if (!error) { return wait_for_request(); }
    if (error == beast::error::timeout) { service_.count_timeout("handshake"); }
    service_.count_failed_handshake();
    finish();
  });
}

void HttpConnection::stop() {
  if (phase_ == Phase::kHandshake || phase_ == Phase::kIdle) { return cut(); }
  if (phase_ == Phase::kFeed) { feed_timer_.cancel(); }
}

void HttpConnection::cut() {
  cut_ = true;
  feed_timer_.cancel();
  transport_.tcp().close();
}

void HttpConnection::wait_for_request() {
  if (service_.stopping() || cut_) { return close(); }
  phase_ = Phase::kIdle;
  answered_ = false;
  request_ = {};
  response_ = {};
  message_ = {};
  parser_.reset();
  if (buffer_.size() > 0) { return read_head(); }
  buffer_.shrink_to_fit();
  transport_.expire_after(service_.limits().idle_seconds);
  transport_.async_read_some(buffer_.prepare(service_.limits().head_bytes), [this](ErrorCode error, std::size_t size) {
    if (error == beast::error::timeout) { service_.count_timeout("idle"); }
    if (error) { return error == asio::error::eof ? close() : finish(); }
    buffer_.commit(size);
    read_head();
  });
}

void HttpConnection::read_head() {
  phase_ = Phase::kHead;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(service_.limits().head_bytes));
  parser_->body_limit(boost::none);  // judged when the route is known
  folded_ = false;
  transport_.expire_after(service_.limits().head_seconds);
  parse_head();
}

// Not with async_read_header(): the parser joins folded lines, so they are to be seen before.
void HttpConnection::parse_head() {
  while (buffer_.size() > 0 && !parser_->is_header_done()) {
    folded_ = folded_ || has_fold(view(buffer_));
    ErrorCode error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == http::error::need_more) { break; }
    if (error) { return on_head(error); }
  }
  if (parser_->is_header_done()) { return on_head({}); }
  const std::size_t room = beast::read_size(buffer_, kReadBytes);
  if (room == 0) { return on_head(http::error::buffer_overflow); }
  transport_.async_read_some(buffer_.prepare(room), [this](ErrorCode error, std::size_t size) {
    if (error == asio::error::eof) {
      return on_head(parser_->got_some() ? http::error::partial_message : http::error::end_of_stream);
    }
    if (error) { return on_head(error); }
    buffer_.commit(size);
    parse_head();
  });
}

void HttpConnection::on_head(ErrorCode error) {
  request_.now = service_.now();
  request_.peer_address = peer_address_;
  if (error) { return on_bad_head(error); }
  const auto& message = parser_->get();
  request_.method = std::string(view(message.method_string()));
  for (const auto& field : message) {
    request_.headers.emplace_back(lower_case(view(field.name_string())), std::string(view(field.value())));
  }
  const std::string_view target = origin_form(view(message.target()));
  request_.path = std::string(target.substr(0, target.find('?')));
  keep_alive_ = message.keep_alive();
  const auto length = parser_->content_length();
  has_body_ = parser_->chunked() || (length && *length > 0);
  if (auto fault = head_fault()) {
    keep_alive_ = false;
    return refuse(*std::move(fault));
  }
  limits_ = service_.route_limits(request_);
  hand_over(false, &HttpConnection::admit, &HttpConnection::on_admitted);
}

void HttpConnection::on_bad_head(ErrorCode error) {
  has_body_ = true;  // whatever follows is no request
  keep_alive_ = false;
  if (error == beast::error::timeout) {
    service_.count_timeout("head");
    return finish();
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    const std::string_view read = view(buffer_);
    if (read.find('\n') == std::string_view::npos && !parser_->is_header_done() && parser_->get().target().empty()) {
      return refuse(refusal(414, "UriTooLong",
                            fmt::format("The request line is longer than {} bytes.", service_.limits().head_bytes),
                            "uri_too_long"));
    }
    return refuse(refusal(431, "RequestHeaderFieldsTooLarge",
                          fmt::format("The head of the request is longer than {} bytes.", service_.limits().head_bytes),
                          "head_too_large"));
  }
  if (error == http::error::end_of_stream) { return close(); }
  if (error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_method).category()) {
    return finish();  // the client has gone
  }
  if (error == http::error::bad_version) {
    return refuse(refusal(505, "HttpVersionNotSupported", "Expected HTTP/1.1.", "malformed_request"));
  }
  refuse(refusal(400, "BadRequest", fmt::format("Expected an HTTP/1.1 request, found: {}.", error.message()),
                 "malformed_request"));
}

std::optional<HttpResponse> HttpConnection::head_fault() {
  const auto bad = [](std::string_view message) { return refusal(400, "BadRequest", message, "malformed_request"); };
  const auto& message = parser_->get();
  const HttpLimits& limits = service_.limits();
  if (message.target().size() > limits.target_bytes) {
    return refusal(414, "UriTooLong", fmt::format("The URI is longer than {} bytes.", limits.target_bytes),
                   "uri_too_long");
  }
  if (request_.headers.size() > limits.head_fields) {
    return refusal(431, "RequestHeaderFieldsTooLarge",
                   fmt::format("The request has more than {} header fields.", limits.head_fields), "head_too_large");
  }
  for (const auto& [name, value] : request_.headers) {
    if (!std::all_of(value.begin(), value.end(), is_field_text)) { return bad("A header holds control characters."); }
  }
  if (folded_) { return bad("Expected each header in one line, found one that goes on in the next."); }
  const auto count = [&](http::field name) { return message.count(name); };
  if (count(http::field::authorization) > 1) { return bad("Expected one Authorization header, found more."); }
  const std::string_view length = request_.header("content-length");
  if (count(http::field::content_length) > 1 || length.find_first_not_of("0123456789") != std::string_view::npos) {
    return bad("Expected one Content-Length header, a decimal number.");
  }
  if (count(http::field::transfer_encoding) > 0 &&
      (count(http::field::transfer_encoding) > 1 || count(http::field::content_length) > 0)) {
    return bad("Expected either Content-Length or one Transfer-Encoding.");
  }
  if (count(http::field::transfer_encoding) > 0 && message.version() < 11) {
    return bad("Expected HTTP/1.1 for Transfer-Encoding.");
  }
  const std::string_view transfer = request_.header("transfer-encoding");
  if (!transfer.empty() && !equal_without_case(transfer, "chunked")) {
    return refusal(501, "NotImplemented", "Expected Transfer-Encoding chunked, found another one.",
                   "malformed_request");
  }
  const std::string_view expect = request_.header("expect");
  if (!expect.empty() && !equal_without_case(expect, "100-continue")) {
    return refusal(417, "ExpectationFailed", "Expected 'Expect: 100-continue', found another one.",
                   "malformed_request");
  }
  const auto origin = origin_of(request_.header("host"), transport_.has_tls());
  if (count(http::field::host) != 1 || !origin) { return bad("Expected one Host header with a host and a port."); }
  request_.host = service_.options().public_url.empty() ? *origin : service_.options().public_url;
  if (!request_.path.starts_with('/')) { return bad("Expected a path that begins with a slash."); }
  const std::string_view target = origin_form(view(message.target()));
  const std::size_t question = target.find('?');
  auto query = parse_query(question == std::string_view::npos ? std::string_view() : target.substr(question + 1));
  if (!query) {
    return bad(
        "Expected a query of at most 64 parameters, in UTF-8 without control characters, where '%' is followed "
        "by two hexadecimal digits.");
  }
  request_.query = *std::move(query);
  return std::nullopt;
}

void HttpConnection::hand_over(bool bulk, void (HttpConnection::*job)(), void (HttpConnection::*then)()) {
  phase_ = Phase::kHandler;
  transport_.tcp().expires_never();
  const bool taken = service_.handlers(bulk).submit([this, job, then] {
    (this->*job)();
    asio::post(executor(), [this, then] { cut_ ? finish() : (this->*then)(); });
  });
  if (!taken) { refuse(overloaded()); }
}

void HttpConnection::admit() {
  if (auto refused = service_.admit(request_)) {
    response_ = *std::move(refused);
    answered_ = true;
  } else if (!has_body_ && !limits_.bulk) {
    response_ = service_.answer(request_);
    answered_ = true;
  }
  if (answered_) { complete(); }
}

void HttpConnection::answer() {
  response_ = service_.answer(request_);
  answered_ = true;
  complete();
}

void HttpConnection::complete() {
  if (response_.feed) {
    feeding_ = request_.method != "HEAD" && service_.begin_stream();
    if (!feeding_ && request_.method != "HEAD") { response_ = overloaded(); }
  }
  service_.complete(request_, response_);
}

void HttpConnection::on_admitted() {
  if (answered_) { return respond(); }
  if (!has_body_) { return hand_over(true, &HttpConnection::answer, &HttpConnection::respond); }
  const auto length = parser_->content_length();
  if (length && *length > limits_.body_bytes) { return refuse(too_large(limits_.body_bytes)); }
  parser_->body_limit(limits_.body_bytes);
  parser_->eager(true);
  transport_.expire_after(service_.limits().body_seconds);
  phase_ = Phase::kBody;
  if (request_.header("expect").empty() || buffer_.size() > 0) { return read_body(); }
  transport_.async_write(asio::buffer(kContinue), {}, [this](ErrorCode error, std::size_t) {
    if (error) { return finish(); }
    read_body();
  });
}

// Not with async_read_some(), which goes on by itself behind a whole chunk: room is taken for what has come, after each
// read, and not for what a client says that will come.
void HttpConnection::read_body() {
  while (buffer_.size() > 0 && !parser_->is_done()) {
    ErrorCode error;
    const std::size_t used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == http::error::need_more) { break; }
    if (error) { return on_body(error); }
  }
  const std::size_t size = parser_->get().body().size();
  if (!service_.reserve(request_.principal.name, size - reserved_bytes_)) { return refuse(overloaded()); }
  reserved_bytes_ = size;
  if (parser_->is_done()) { return on_body({}); }
  const std::size_t room = beast::read_size(buffer_, kReadBytes);
  if (room == 0) { return on_body(http::error::buffer_overflow); }
  transport_.async_read_some(buffer_.prepare(room), [this](ErrorCode error, std::size_t read) {
    if (error) { return on_body(error); }
    buffer_.commit(read);
    read_body();
  });
}

void HttpConnection::on_body(ErrorCode error) {
  if (error == http::error::body_limit) { return refuse(too_large(limits_.body_bytes)); }
  if (error == beast::error::timeout) {  // the socket is closed: nobody can be told but the audit trail
    service_.count_timeout("body");
    response_ = refusal(408, "RequestTimeout", "The body did not come in time.", "body_timeout");
    service_.complete(request_, response_);
    return finish();
  }
  if (error && error.category() == make_error_code(http::error::bad_chunk).category() &&
      error != http::error::partial_message) {
    return refuse(
        refusal(400, "BadRequest", fmt::format("The body is malformed: {}.", error.message()), "malformed_request"));
  }
  if (error) { return finish(); }
  has_body_ = false;  // it was read
  request_.body = std::move(parser_->get().body());
  service_.count_received(request_.body.size());
  hand_over(limits_.bulk, &HttpConnection::answer, &HttpConnection::respond);
}

void HttpConnection::refuse(HttpResponse response) {
  response_ = std::move(response);
  service_.complete(request_, response_);
  respond();
}

void HttpConnection::respond() {
  release_body();
  // A body that was not read would be taken for the next request.
  keep_alive_ = keep_alive_ && !has_body_ && !service_.stopping();
  feeding_ ? begin_feed() : write_response();
}

void HttpConnection::set_head() {
  message_.result(static_cast<unsigned>(response_.status));
  message_.version(parser_->is_header_done() ? parser_->get().version() : 11);
  message_.keep_alive(keep_alive_);
  for (const auto& [name, value] : response_.headers) {
    // No header may begin another one.
    if (std::all_of(value.begin(), value.end(), is_field_text)) { message_.insert(name, value); }
  }
}

std::string HttpConnection::head_text() const {
  std::ostringstream head;
  head << message_.base();
  return head.str();
}

void HttpConnection::write_response() {
  phase_ = Phase::kWrite;
  set_head();
  // 204 and 304 have neither a body nor its length (RFC 9110 8.6).
  if (response_.status != 204 && response_.status != 304) { message_.content_length(response_.body.size()); }
  if (request_.method == "HEAD") { response_.body.clear(); }
  chunk_ = head_text();
  transport_.expire_after(service_.limits().write_seconds);
  transport_.async_write(asio::buffer(chunk_), asio::buffer(response_.body),
                         [this](ErrorCode error, std::size_t) { on_written(error); });
}

void HttpConnection::on_written(ErrorCode error) {
  if (error == beast::error::timeout) { service_.count_timeout("write"); }
  if (error) { return finish(); }
  keep_alive_ ? wait_for_request() : close();
}

void HttpConnection::begin_feed() {
  silent_seconds_ = 0;
  keep_alive_ = false;
  chunked_ = parser_->get().version() >= 11;
  set_head();
  if (chunked_) { message_.chunked(true); }
  chunk_ = head_text();
  if (!response_.body.empty()) { write_chunk(response_.body); }
  phase_ = Phase::kWrite;
  transport_.expire_after(service_.limits().write_seconds);
  transport_.async_write(asio::buffer(chunk_), {}, [this](ErrorCode error, std::size_t) {
    if (error) { return end_feed(error == beast::error::timeout); }
    wait_for_feed();
  });
}

void HttpConnection::wait_for_feed() {
  phase_ = Phase::kFeed;
  if (service_.stopping() || cut_) { return end_feed(false); }
  transport_.tcp().expires_never();
  feed_timer_.expires_after(std::chrono::seconds(1));
  feed_timer_.async_wait([this](ErrorCode) {
    if (service_.stopping() || cut_) { return end_feed(false); }
    phase_ = Phase::kHandler;
    const bool taken = service_.handlers(false).submit([this] {
      ask_feed();
      asio::post(executor(), [this] { on_fed(); });
    });
    if (!taken) { wait_for_feed(); }  // a second later there may be room
  });
}

void HttpConnection::ask_feed() {
  fed_ = service_.next_of(response_.feed);
}

void HttpConnection::on_fed() {
  if (cut_ || !fed_) { return end_feed(false); }
  if (fed_->size() > service_.limits().event_bytes) { return end_feed(true); }
  chunk_.clear();
  if (!fed_->empty()) {
    write_chunk(*fed_);
    silent_seconds_ = 0;
  } else if (++silent_seconds_ >= kHeartbeatSeconds) {
    write_chunk(": \n\n");
    silent_seconds_ = 0;
  } else {
    return wait_for_feed();
  }
  phase_ = Phase::kWrite;
  transport_.expire_after(service_.limits().write_seconds);
  transport_.async_write(asio::buffer(chunk_), {}, [this](ErrorCode error, std::size_t) {
    if (error) { return end_feed(error == beast::error::timeout); }
    wait_for_feed();
  });
}

void HttpConnection::write_chunk(const std::string& text) {
  chunk_ += chunked_ ? fmt::format("{:x}\r\n{}\r\n", text.size(), text) : text;
}

void HttpConnection::end_feed(bool dropped) {
  feeding_ = false;
  service_.end_stream(dropped);
  if (cut_ || dropped || !transport_.tcp().socket().is_open()) { return finish(); }
  if (!chunked_) { return close(); }
  phase_ = Phase::kWrite;
  chunk_ = "0\r\n\r\n";
  transport_.expire_after(service_.limits().write_seconds);
  transport_.async_write(asio::buffer(chunk_), {},
                         [this](ErrorCode error, std::size_t) { error ? finish() : close(); });
}

void HttpConnection::release_body() {
  if (reserved_bytes_ > 0) { service_.release(request_.principal.name, std::exchange(reserved_bytes_, 0)); }
}

void HttpConnection::close() {
  phase_ = Phase::kClosing;
  if (cut_) { return finish(); }
  transport_.expire_after(kDrainSeconds);
  if (!transport_.has_tls()) { return drain(); }
  transport_.async_shutdown([this](ErrorCode error) {
    if (error == beast::error::timeout || !transport_.tcp().socket().is_open()) { return finish(); }
    drain();
  });
}

void HttpConnection::drain() {
  if (drained_.empty()) {
    ErrorCode ignored;
    transport_.tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    drained_.resize(kReadBytes);
  }
  transport_.async_read_raw(asio::buffer(drained_), [this](ErrorCode error, std::size_t size) {
    drained_bytes_ += size;
    if (error || drained_bytes_ > kDrainBytes) { return finish(); }
    drain();
  });
}

void HttpConnection::finish() {
  if (feeding_) {
    feeding_ = false;
    service_.end_stream(false);
  }
  asio::post(executor(), std::move(ended_));  // destroys this
}

}  // namespace keyvigil
