// HttpConnection: one client's connection, from handshake to close: reads a request, has it answered, writes, again.
//
// Owned by the server, under its id. Always exactly one operation is under way (network, timer or handler), so that the
// connection is gone when that one ends with nothing to follow. Everything but the handlers runs on its strand.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "api/http_service.h"
#include "api/http_transport.h"

namespace keyvigil {

class HttpConnection {
 public:
  // `ended` is called once, last, and destroys this.
  HttpConnection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls, HttpService& service,
                 std::string peer_address, std::function<void()> ended);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] HttpTransport::executor_type executor() { return transport_.get_executor(); }
  // On the strand, as the following two.
  void begin();
  // Ends now if no request has come; else after the response.
  void stop();
  void cut();

 private:
  enum class Phase { kHandshake, kIdle, kHead, kBody, kHandler, kWrite, kFeed, kClosing };
  using ErrorCode = HttpTransport::ErrorCode;

  void wait_for_request();
  void read_head();
  // Gives the parser what has come, until it has a whole head.
  void parse_head();
  void on_head(ErrorCode error);
  void on_bad_head(ErrorCode error);
  // What is wrong with a head that could be parsed.
  [[nodiscard]] std::optional<HttpResponse> head_fault();
  void on_admitted();
  void read_body();
  void on_body(ErrorCode error);
  // Runs `job` in a pool and goes on with `then` on the strand; answers 503 where the pool is full.
  void hand_over(bool bulk, void (HttpConnection::*job)(), void (HttpConnection::*then)());
  void admit();
  void answer();
  void complete();
  void refuse(HttpResponse response);
  void respond();
  void set_head();
  [[nodiscard]] std::string head_text() const;
  void write_response();
  void on_written(ErrorCode error);
  void begin_feed();
  void ask_feed();
  void on_fed();
  void write_chunk(const std::string& text);
  void wait_for_feed();
  void end_feed(bool dropped);
  void release_body();
  void close();  // in good order: what was written arrives
  void drain();
  void finish();  // no more operations

  HttpTransport transport_;
  HttpService& service_;
  const std::string peer_address_;
  std::function<void()> ended_;

  Phase phase_ = Phase::kHandshake;
  bool cut_ = false;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  HttpRequest request_;
  RouteLimits limits_;
  bool folded_ = false;  // a header goes on in another line
  bool has_body_ = false;
  bool keep_alive_ = false;
  bool answered_ = false;
  std::size_t reserved_bytes_ = 0;
  HttpResponse response_;
  boost::beast::http::response<boost::beast::http::empty_body> message_;  // only its head

  boost::asio::steady_timer feed_timer_;
  bool feeding_ = false;
  bool chunked_ = false;
  int silent_seconds_ = 0;
  std::optional<std::string> fed_;
  std::string chunk_;

  std::string drained_;
  std::size_t drained_bytes_ = 0;
};

// The scheme and authority under which a client came, as HttpRequest::host has it; nothing where Host is no authority.
[[nodiscard]] std::optional<std::string> origin_of(std::string_view host, bool has_tls);

}  // namespace keyvigil
