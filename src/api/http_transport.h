// HttpTransport: a TCP connection with or without TLS, as one stream for Asio's and Beast's algorithms.
//
// One deadline at a time, set with expire_after(), holds for whatever is read or written until the next. Not for use
// from more than one strand.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace keyvigil {

class HttpTransport {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

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

  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return tls_ ? tls_->async_read_some(buffers, std::forward<Handler>(handler))
                : tcp_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return tls_ ? tls_->async_write_some(buffers, std::forward<Handler>(handler))
                : tcp_.async_write_some(buffers, std::forward<Handler>(handler));
  }
  // REQUIRES: has_tls().
  template <typename Handler>
  void async_handshake(Handler&& handler) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  template <typename Handler>
  void async_shutdown(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace keyvigil
