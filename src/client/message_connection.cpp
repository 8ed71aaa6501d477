#include "client/message_connection.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/file_descriptor.h"

namespace keyvigil {
namespace {

constexpr int kStepMilliseconds = 100;  // so long a stop may go unnoticed

struct Address {
  std::string scheme;
  std::string host;
  std::string port;
  [[nodiscard]] std::string place() const { return fmt::format("{}://{}:{}", scheme, host, port); }
};

Result<Address> parse(const std::string& url) {
  Address address;
  const std::size_t end = url.find("://");
  const std::size_t colon = url.rfind(':');
  if (end != std::string::npos && colon > end + 3) {
    address.scheme = url.substr(0, end);
    address.host = url.substr(end + 3, colon - end - 3);
    address.port = url.substr(colon + 1);
  }
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  int port = 0;
  const char* last = address.port.data() + address.port.size();
  const auto [rest, error] = std::from_chars(address.port.data(), last, port);
  const bool known = address.scheme == "udp" || address.scheme == "tcp" || address.scheme == "tls";
  if (!known || error != std::errc() || rest != last || port < 1 || port > 65'535) {
    return fail(ErrorKind::kUsage, fmt::format("expected a URL such as tls://collector.example:6514, found '{}'", url));
  }
  return address;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { ::SSL_free(session); }
};

std::string reason_of(int error_number) {
  return std::generic_category().message(error_number);
}

// What OpenSSL holds against the peer; its certificate first.
std::string tls_reason(const SSL* session) {
  const long verdict = ::SSL_get_verify_result(session);
  const unsigned long error = ::ERR_get_error();
  ::ERR_clear_error();
  if (verdict != X509_V_OK) { return ::X509_verify_cert_error_string(verdict); }
  std::array<char, 256> text{};
  if (error == 0) { return "the connection was closed"; }
  ::ERR_error_string_n(error, text.data(), text.size());
  return text.data();
}

}  // namespace

// A socket that never blocks; whoever waits, waits in steps, so that a stop is seen.
struct MessageConnection::Link {
  Address address;
  FileDescriptor socket;
  std::unique_ptr<SSL_CTX, FreeContext> context;
  std::unique_ptr<SSL, FreeSession> session;
  long timeout_seconds = 0;

  [[nodiscard]] tl::unexpected<Error> refusal(std::string_view doing, const std::string& reason) const {
    return fail(ErrorKind::kInputOutput, fmt::format("{}: cannot {}: {}", address.place(), doing, reason));
  }

  Result<void> wait_for(short events, std::string_view doing, const std::atomic<bool>& stop) const {
    for (long waited = 0; waited < timeout_seconds * 1000; waited += kStepMilliseconds) {
      if (stop) { return refusal(doing, "the service stops"); }
      pollfd entry{socket.get(), events, 0};
      const int ready = ::poll(&entry, 1, kStepMilliseconds);
      if (ready > 0) { return {}; }
      if (ready < 0 && errno != EINTR) { return refusal(doing, reason_of(errno)); }
    }
    return refusal(doing, fmt::format("no answer within {} s", timeout_seconds));
  }

  Result<void> connect_to(const addrinfo& at, const std::atomic<bool>& stop) {
    socket = FileDescriptor(::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at.ai_protocol));
    if (!socket.valid()) { return refusal("connect", reason_of(errno)); }
    if (::connect(socket.get(), at.ai_addr, at.ai_addrlen) == 0) { return {}; }
    if (errno != EINPROGRESS) { return refusal("connect", reason_of(errno)); }
    if (auto waited = wait_for(POLLOUT, "connect", stop); !waited) { return waited; }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0 ? Result<void>() : refusal("connect", reason_of(error));
  }

  Result<void> connect_to_host(const std::atomic<bool>& stop) {
    addrinfo wanted{};
    wanted.ai_socktype = address.scheme == "udp" ? SOCK_DGRAM : SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &wanted, &found); code != 0) {
      return refusal("find the host", ::gai_strerror(code));
    }
    const std::unique_ptr<addrinfo, FreeAddresses> list(found);
    Result<void> done = refusal("connect", "the host has no address");
    for (const addrinfo* at = found; at != nullptr && !done; at = at->ai_next) { done = connect_to(*at, stop); }
    return done;
  }

  // Runs `step` until it is done; `step` answers as OpenSSL's functions do.
  template <typename Step>
  Result<void> tls(std::string_view doing, const std::atomic<bool>& stop, const Step& step) {
    while (true) {
      ::ERR_clear_error();
      const int answer = step();
      if (answer > 0) { return {}; }
      const int why = ::SSL_get_error(session.get(), answer);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        return refusal(doing, tls_reason(session.get()));
      }
      if (auto waited = wait_for(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, doing, stop); !waited) {
        return waited;
      }
    }
  }

  Result<void> start_tls(const std::string& ca_file, const std::atomic<bool>& stop) {
    context.reset(::SSL_CTX_new(::TLS_client_method()));
    if (!context) { return refusal("start TLS", "OpenSSL has no memory"); }
    ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const int loaded = ca_file.empty() ? ::SSL_CTX_set_default_verify_paths(context.get())
                                       : ::SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
    if (loaded != 1) {
      ::ERR_clear_error();
      return refusal("start TLS", fmt::format("expected certificates in '{}', found none", ca_file));
    }
    session.reset(::SSL_new(context.get()));
    const bool named =
        ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session.get()), address.host.c_str()) == 1 ||
        (::SSL_ctrl(session.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, address.host.data()) == 1 &&
         ::SSL_set1_host(session.get(), address.host.c_str()) == 1);
    ::ERR_clear_error();
    if (!named || ::SSL_set_fd(session.get(), socket.get()) != 1) { return refusal("start TLS", "no such host name"); }
    return tls("agree on TLS", stop, [&] { return ::SSL_connect(session.get()); });
  }

  Result<void> write(std::string_view bytes, const std::atomic<bool>& stop) {
    if (session) {
      return tls("send", stop,
                 [&] { return ::SSL_write(session.get(), bytes.data(), static_cast<int>(bytes.size())); });
    }
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN || errno == EINTR) {
        if (auto waited = wait_for(POLLOUT, "send", stop); !waited) { return waited; }
      } else {
        return refusal("send", reason_of(errno));
      }
    }
    return {};
  }

  // Collectors say nothing, so anything to read is an end, an error, or a TLS record that is not for us.
  [[nodiscard]] bool is_closed() {
    std::array<char, 256> ignored{};
    if (session) {
      const int count = ::SSL_read(session.get(), ignored.data(), static_cast<int>(ignored.size()));
      const int why = ::SSL_get_error(session.get(), count);
      ::ERR_clear_error();
      return count <= 0 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
    }
    const ssize_t count = ::recv(socket.get(), ignored.data(), ignored.size(), 0);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
  }
};

MessageConnection::MessageConnection(MessageTarget target) : target_(std::move(target)) {}
MessageConnection::~MessageConnection() = default;
MessageConnection::MessageConnection(MessageConnection&& other) noexcept = default;
MessageConnection& MessageConnection::operator=(MessageConnection&& other) noexcept = default;

bool MessageConnection::is_stream() const {
  return !target_.url.starts_with("udp://");
}

Result<void> MessageConnection::open(const std::atomic<bool>& stop) {
  auto address = parse(target_.url);
  if (!address) { return tl::unexpected(address.error()); }
  auto link = std::make_unique<Link>();
  link->address = *std::move(address);
  link->timeout_seconds = target_.timeout_seconds;
  if (auto done = link->connect_to_host(stop); !done) { return done; }
  if (link->address.scheme == "tls") {
    if (auto done = link->start_tls(target_.ca_file, stop); !done) { return done; }
  }
  link_ = std::move(link);
  return {};
}

Result<void> MessageConnection::send(std::string_view message, const std::atomic<bool>& stop) {
  if (link_ && is_stream() && link_->is_closed()) { link_.reset(); }
  if (!link_) {
    if (auto done = open(stop); !done) { return done; }
  }
  auto done = link_->write(message, stop);
  if (!done) { link_.reset(); }
  return done;
}

Result<void> MessageConnection::flush(const std::atomic<bool>& stop) {
  if (!link_ || !is_stream()) { return {}; }
  for (long waited = 0; waited < target_.timeout_seconds * 1000 && !stop; waited += kStepMilliseconds) {
    int waiting = 0;
    if (link_->is_closed() || ::ioctl(link_->socket.get(), SIOCOUTQ, &waiting) != 0) { break; }
    if (waiting == 0) { return {}; }
    ::poll(nullptr, 0, waited == 0 ? 1 : kStepMilliseconds);
  }
  auto refused = link_->refusal("send", "the other side did not take what was sent");
  link_.reset();
  return refused;
}

}  // namespace keyvigil
