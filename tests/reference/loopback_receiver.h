// LoopbackReceiver: a TCP server on 127.0.0.1 that answers as a test says, for tests of what goes out.
//
// HTTP: each request is taken whole (content-length) and answered by the test's function; a connection serves one
// request. Raw: everything until the other side closes is kept.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/file_descriptor.h"

namespace keyvigil {

struct ReceivedRequest {
  std::string line;                            // "POST /path HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

inline FileDescriptor loopback_socket(int type, int& port) {
  FileDescriptor made(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  CHECK(::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  CHECK(::getsockname(made.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return made;
}

class LoopbackReceiver {
 public:
  // The whole answer, status line first. An empty one closes the connection.
  using Answer = std::function<std::string(const ReceivedRequest& request, std::size_t number)>;

  explicit LoopbackReceiver(Answer answer, int port = 0) : answer_(std::move(answer)), port_(port) {
    listener_ = loopback_socket(SOCK_STREAM, port_);
    CHECK(::listen(listener_.get(), 16) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackReceiver() {
    stop_ = true;
    thread_.join();
  }
  LoopbackReceiver(const LoopbackReceiver&) = delete;
  LoopbackReceiver& operator=(const LoopbackReceiver&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  [[nodiscard]] std::vector<ReceivedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  [[nodiscard]] static std::string answer(int status, const std::string& body = "", const std::string& headers = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
           "content-length: " + std::to_string(body.size()) + "\r\nconnection: close\r\n\r\n" + body;
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) { continue; }
      const FileDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection.valid()) { take(connection.get()); }
    }
  }

  static std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
  }

  bool read_more(int from, std::string& bytes) const {
    while (!stop_) {
      pollfd entry{from, POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) { continue; }
      char buffer[4096];
      const ssize_t count = ::recv(from, buffer, sizeof buffer, 0);
      if (count <= 0) { return false; }
      bytes.append(buffer, static_cast<std::size_t>(count));
      return true;
    }
    return false;
  }

  void take(int connection) {
    std::string bytes;
    while (bytes.find("\r\n\r\n") == std::string::npos) {
      if (!read_more(connection, bytes)) { return; }
    }
    ReceivedRequest request;
    const std::size_t head = bytes.find("\r\n\r\n");
    std::size_t at = bytes.find("\r\n");
    request.line = bytes.substr(0, at);
    while (at < head) {
      const std::size_t end = bytes.find("\r\n", at + 2);
      const std::string line = bytes.substr(at + 2, end - at - 2);
      const std::size_t colon = line.find(':');
      request.headers[lower(line.substr(0, colon))] = line.substr(std::min(line.size(), colon + 2));
      at = end;
    }
    const std::size_t size = std::stoul("0" + request.headers["content-length"]);
    while (bytes.size() < head + 4 + size) {
      if (!read_more(connection, bytes)) { return; }
    }
    request.body = bytes.substr(head + 4, size);
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      number = requests_.size();
    }
    const std::string reply = answer_(request, number);
    (void)::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  Answer answer_;
  int port_ = 0;
  FileDescriptor listener_;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;
  std::thread thread_;
};

}  // namespace keyvigil
