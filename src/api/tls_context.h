// The server's side of TLS: 1.2 with forward secrecy and authenticated ciphers, or 1.3 (RFC 9325).
#pragma once

#include <memory>

#include <boost/asio/ssl/context.hpp>

#include "api/tls.h"

namespace keyvigil {

struct TlsContext {
  std::unique_ptr<boost::asio::ssl::context> context;
  EventTime expires;  // the certificate
};

// Errors say which file is wrong and how: unreadable, no PEM, readable for everybody, key of another certificate.
[[nodiscard]] Result<TlsContext> tls_context(const TlsFiles& files);

}  // namespace keyvigil
