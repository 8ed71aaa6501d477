// HttpTransport: a TCP connection with or without TLS, as one stream.
//
// One deadline at a time, set with expire_after(), holds for whatever is read or written until the next. Not for use
// from more than one strand.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace keyvigil {

class HttpTransport {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using ErrorCode = boost::system::error_code;
  // Called once, on the executor. One type for all: each further one costs seconds of the compiler's time.
  using Ended = std::function<void(ErrorCode)>;
  using Moved = std::function<void(ErrorCode, std::size_t bytes)>;

  // `tls`: null for plain HTTP; need not outlive this.
  HttpTransport(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls) : tcp_(std::move(socket)) {
    if (tls != nullptr) { tls_.emplace(tcp_, *tls); }
  }
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  [[nodiscard]] executor_type get_executor() { return tcp_.get_executor(); }
  [[nodiscard]] boost::beast::tcp_stream& tcp() { return tcp_; }
  [[nodiscard]] bool has_tls() const { return tls_.has_value(); }
  void expire_after(int seconds) { tcp_.expires_after(std::chrono::seconds(seconds)); }

  // What is read into or written stays where it is until `moved` is called; one reading and one writing at a time.
  void async_read_some(boost::asio::mutable_buffer into, Moved moved);
  // Both, one behind the other, whole.
  void async_write(boost::asio::const_buffer head, boost::asio::const_buffer body, Moved moved);
  // Reads below TLS: for bytes that nobody looks at.
  void async_read_raw(boost::asio::mutable_buffer into, Moved moved);
  // REQUIRES: has_tls().
  void async_handshake(Ended ended);
  void async_shutdown(Ended ended);

 private:
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace keyvigil
