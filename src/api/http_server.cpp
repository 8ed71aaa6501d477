#include "api/http_server.h"

#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "api/http_connection.h"
#include "api/http_service.h"
#include "api/tls_context.h"
#include "base/check.h"

namespace keyvigil {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kOtherFiles = 256;  // that the rest of the program may have open
constexpr int kAcceptPauseMilliseconds = 100;
constexpr int kCutSeconds = 5;

// One address for the limit per address: of IPv6 the /64, which is what one customer gets.
std::string address_group(const asio::ip::address& address) {
  if (!address.is_v6()) { return address.to_string(); }
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return asio::ip::make_address_v6(bytes).to_string();
}

std::string text_of(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) { return address.to_string(); }
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
}

// As many connections as the system lets this process have.
std::size_t possible_connections(std::size_t wanted) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) { return wanted; }
  const rlim_t needed = wanted + kOtherFiles;
  if (files.rlim_cur < needed) {
    files.rlim_cur = std::min<rlim_t>(needed, files.rlim_max);
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (files.rlim_cur >= needed) { return wanted; }
  return files.rlim_cur > 2 * kOtherFiles ? files.rlim_cur - kOtherFiles : files.rlim_cur / 2;
}

}  // namespace

struct HttpServer::State {
  State(const HttpServerOptions& options, const Router& router, Access& access, HttpServerParts parts)
      : service(options, router, access, std::move(parts)), accept_pause(accept_strand) {}

  Result<void> listen();
  void run();
  void accept();
  void on_accept(Tcp::socket socket);
  // Why one more may not come; empty: it may. REQUIRES: `mutex` is held.
  std::string reason_against(const std::string& group) const;
  void remove(std::uint64_t id, const std::string& group);
  void tell_all(void (HttpConnection::*what)());
  bool wait_until_empty(int seconds);
  void stop();

  HttpService service;
  asio::io_context network;
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(network);
  asio::strand<asio::io_context::executor_type> accept_strand = asio::make_strand(network);
  Tcp::acceptor acceptor{accept_strand};
  asio::steady_timer accept_pause;

  mutable std::mutex mutex;  // guards what follows but the threads
  std::condition_variable ended;
  std::size_t connection_limit = 0;
  std::uint64_t next_id = 1;
  std::map<std::uint64_t, std::unique_ptr<HttpConnection>> connections;
  std::map<std::string, std::size_t> connections_by_group;
  std::optional<TlsContext> tls;
  std::uint16_t port = 0;

  std::mutex stop_mutex;
  bool stopped = false;
  std::vector<std::thread> threads;
};

Result<void> HttpServer::State::listen() {
  const HttpServerOptions& options = service.options();
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("Expected a numeric address to listen on, as 127.0.0.1 or ::, found '{}'.", options.address));
  }
  if (!options.tls && !address.is_loopback()) {
    return fail(
        ErrorKind::kUsage,
        fmt::format("Without TLS the service listens on loopback only, not on {}. Give a certificate and a key, "
                    "or listen on 127.0.0.1.",
                    options.address));
  }
  if (options.tls) {
    auto context = tls_context(*options.tls);
    if (!context) { return tl::unexpected<Error>(context.error()); }
    tls = *std::move(context);
  }
  connection_limit = possible_connections(options.limits.connections);
  const Tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) { acceptor.set_option(Tcp::acceptor::reuse_address(true), error); }
  if (!error && address.is_v6()) { acceptor.set_option(asio::ip::v6_only(false), error); }
  if (!error) { acceptor.bind(endpoint, error); }
  if (!error) { acceptor.listen(asio::socket_base::max_listen_connections, error); }
  if (error) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("Cannot listen on {} port {}: {}. Choose another port, or stop the "
                            "program that has it.",
                            options.address, options.port, error.message()));
  }
  port = acceptor.local_endpoint().port();
  return {};
}

void HttpServer::State::run() {
  accept();
  for (int i = 0; i < service.options().network_threads; ++i) {
    threads.emplace_back([this] { network.run(); });
  }
}

void HttpServer::State::accept() {
  acceptor.async_accept(asio::any_io_executor(asio::make_strand(network)),
                        [this](error_code error, Tcp::socket socket) {
                          if (service.stopping() || error == asio::error::operation_aborted) { return; }
                          if (!error) {
                            on_accept(std::move(socket));
                            return accept();
                          }
                          // No file descriptor, no memory: others must end first.
                          accept_pause.expires_after(std::chrono::milliseconds(kAcceptPauseMilliseconds));
                          accept_pause.async_wait([this](error_code cancelled) {
                            if (!cancelled && !service.stopping()) { accept(); }
                          });
                        });
}

std::string HttpServer::State::reason_against(const std::string& group) const {
  if (connections.size() >= connection_limit) { return "too_many_connections"; }
  const auto found = connections_by_group.find(group);
  const std::size_t of_group = found == connections_by_group.end() ? 0 : found->second;
  return of_group >= service.limits().connections_per_address ? "too_many_connections_of_address" : "";
}

void HttpServer::State::on_accept(Tcp::socket socket) {
  error_code error;
  const Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) { return; }  // gone already
  socket.set_option(Tcp::no_delay(true), error);
  const std::string group = address_group(peer.address());
  std::unique_lock lock(mutex);
  if (service.stopping()) { return; }
  if (const std::string reason = reason_against(group); !reason.empty()) {
    lock.unlock();
    service.refuse_connection(text_of(peer.address()), reason);
    return;
  }
  const std::uint64_t id = next_id++;
  ++connections_by_group[group];
  service.count_connection();
  auto& connection = connections[id];
  connection = std::make_unique<HttpConnection>(std::move(socket), tls ? tls->context.get() : nullptr, service,
                                                text_of(peer.address()), [this, id, group] { remove(id, group); });
  asio::post(connection->executor(), [begun = connection.get()] { begun->begin(); });
}

void HttpServer::State::remove(std::uint64_t id, const std::string& group) {
  std::unique_ptr<HttpConnection> gone;
  const std::lock_guard lock(mutex);
  const auto found = connections.find(id);
  gone = std::move(found->second);
  connections.erase(found);
  if (--connections_by_group[group] == 0) { connections_by_group.erase(group); }
  if (connections.empty()) { ended.notify_all(); }
}

// Each is told on its own strand, where it is looked up again: it may have gone meanwhile.
void HttpServer::State::tell_all(void (HttpConnection::*what)()) {
  const std::lock_guard lock(mutex);
  for (const auto& [id, connection] : connections) {
    asio::post(connection->executor(), [this, id = id, what] {
      HttpConnection* told = nullptr;
      {
        const std::lock_guard inner(mutex);
        const auto found = connections.find(id);
        if (found != connections.end()) { told = found->second.get(); }
      }
      if (told != nullptr) { (told->*what)(); }
    });
  }
}

bool HttpServer::State::wait_until_empty(int seconds) {
  std::unique_lock lock(mutex);
  return ended.wait_for(lock, std::chrono::seconds(seconds), [this] { return connections.empty(); });
}

void HttpServer::State::stop() {
  const std::lock_guard once(stop_mutex);
  if (std::exchange(stopped, true)) { return; }
  service.begin_stop();
  asio::post(accept_strand, [this] {
    error_code ignored;
    acceptor.close(ignored);
    accept_pause.cancel();
  });
  tell_all(&HttpConnection::stop);
  if (!wait_until_empty(service.limits().stop_seconds)) { tell_all(&HttpConnection::cut); }
  service.close_handlers();
  wait_until_empty(kCutSeconds);
  work.reset();
  network.stop();
  for (std::thread& thread : threads) { thread.join(); }
  service.close_audit();
}

Result<HttpServer> HttpServer::start(const HttpServerOptions& options, const Router& router, Access& access,
                                     HttpServerParts parts) {
  auto state = std::make_unique<State>(options, router, access, std::move(parts));
  if (auto listening = state->listen(); !listening) { return tl::unexpected<Error>(listening.error()); }
  state->run();
  return HttpServer(std::move(state));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

// An exception here ends the program, as is wanted: without its network it cannot stop.
HttpServer::~HttpServer() {  // NOLINT(bugprone-exception-escape)
  if (state_) { state_->stop(); }
}

std::uint16_t HttpServer::port() const {
  return state_->port;
}

HttpFigures HttpServer::figures() const {
  HttpFigures figures = state_->service.figures();
  const std::lock_guard lock(state_->mutex);
  figures.connections_now = state_->connections.size();
  if (state_->tls) { figures.certificate_expires = state_->tls->expires; }
  return figures;
}

Result<void> HttpServer::reload_certificate(const TlsFiles& files) {
  CHECK(state_->service.options().tls.has_value());
  auto context = tls_context(files);
  if (!context) { return tl::unexpected<Error>(context.error()); }
  const std::lock_guard lock(state_->mutex);
  state_->tls = *std::move(context);
  return {};
}

void HttpServer::stop() {
  state_->stop();
}

}  // namespace keyvigil
