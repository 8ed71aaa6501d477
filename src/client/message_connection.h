// MessageConnection: messages one way to a host, over UDP, TCP or TLS (URLs udp://, tcp://, tls://host:port).
//
// UDP: one datagram each. TCP and TLS: as they are, so framing is the caller's. Certificates are always checked,
// against the host's name, by TLS 1.2 or later. A stream is opened when it is needed, kept open, and opened anew where
// the other side has closed it. flush() waits until the other side's system has acknowledged all bytes: that is all
// that a protocol without answers can say. Errors name host and port. One owner.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace keyvigil {

struct MessageTarget {
  std::string url;
  std::string ca_file;  // PEM; empty: the system's
  long timeout_seconds = 20;
};

class MessageConnection {
 public:
  explicit MessageConnection(MessageTarget target);
  ~MessageConnection();
  MessageConnection(MessageConnection&& other) noexcept;
  MessageConnection& operator=(MessageConnection&& other) noexcept;

  [[nodiscard]] bool is_stream() const;
  // An error closes the connection: what was sent since the last flush() may have arrived or not.
  [[nodiscard]] Result<void> send(std::string_view message, const std::atomic<bool>& stop);
  [[nodiscard]] Result<void> flush(const std::atomic<bool>& stop);

 private:
  struct Link;
  [[nodiscard]] Result<void> open(const std::atomic<bool>& stop);

  MessageTarget target_;
  std::unique_ptr<Link> link_;
};

}  // namespace keyvigil
