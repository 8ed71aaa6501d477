#include "api/http_transport.h"

#include <array>

#include <boost/asio/write.hpp>

namespace keyvigil {

namespace asio = boost::asio;

void HttpTransport::async_read_some(asio::mutable_buffer into, Moved moved) {
  tls_ ? tls_->async_read_some(into, std::move(moved)) : tcp_.async_read_some(into, std::move(moved));
}

void HttpTransport::async_write(asio::const_buffer head, asio::const_buffer body, Moved moved) {
  const std::array<asio::const_buffer, 2> both = {head, body};
  tls_ ? asio::async_write(*tls_, both, std::move(moved)) : asio::async_write(tcp_, both, std::move(moved));
}

void HttpTransport::async_read_raw(asio::mutable_buffer into, Moved moved) {
  tcp_.async_read_some(into, std::move(moved));
}

void HttpTransport::async_handshake(Ended ended) {
  tls_->async_handshake(asio::ssl::stream_base::server, std::move(ended));
}

void HttpTransport::async_shutdown(Ended ended) {
  tls_->async_shutdown(std::move(ended));
}

}  // namespace keyvigil
