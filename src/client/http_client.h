// HttpClient: one HTTP request to somewhere else, bounded in size and time, over libcurl.
//
// TLS certificates are always checked. Redirects are not followed. Names and values of headers must not hold line
// ends: a call with one is refused. Errors (ErrorKind::kInputOutput) name the host, never the query or a header, since
// these carry secrets. Threads: one owner; connections are kept open between calls.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace keyvigil {

struct HttpCall {
  std::string method = "GET";
  std::string url;  // http or https
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string ca_file;  // PEM; empty: the system's
  long timeout_seconds = 30;
  const std::atomic<bool>* stop = nullptr;                 // set by another thread: the call fails at once
  std::size_t answer_limit_bytes = std::size_t{64} << 20;  // a larger body fails with ErrorKind::kLimit
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  [[nodiscard]] std::string_view header(std::string_view name) const;  // empty: none
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;

  // An answer of any status is a value; an error means that there was none.
  [[nodiscard]] Result<HttpAnswer> send(const HttpCall& call);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// scheme://host:port of a URL, for messages.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace keyvigil
