// HttpRequest and HttpResponse: what a route sees and says, without the transport.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/principal.h"
#include "base/event_time.h"

namespace keyvigil {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;          // GET, POST, ...
  std::string path;            // as received, without the query
  HttpFields path_parameters;  // by the names of the pattern, percent-decoded
  HttpFields query;            // names and values percent-decoded
  HttpFields headers;          // names in lower case
  std::string body;            // as received: content-encoding is the route's matter
  std::string peer_address;
  std::string host;  // scheme and authority under which the client came: "https://host:port"
  Principal principal;
  EventTime now;  // wall clock

  [[nodiscard]] std::string_view parameter(std::string_view name) const;                   // of the path; empty: none
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;  // without regard to case
  [[nodiscard]] std::string_view header(std::string_view name) const;                      // empty: none
};

struct HttpResponse {
  int status = 200;
  HttpFields headers;
  std::string body;
};

}  // namespace keyvigil
