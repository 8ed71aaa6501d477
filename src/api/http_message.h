// HttpRequest and HttpResponse: what a route sees and says, without the transport.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/principal.h"
#include "base/ascii.h"
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

// What a server-sent event stream says next, as text of the format (WHATWG HTML 9.2): asked about once a second, by one
// thread at a time, after what it said before was sent. Empty: nothing new. Nothing: the stream ends.
using EventFeed = std::function<std::optional<std::string>()>;

struct HttpResponse {
  int status = 200;
  HttpFields headers;
  std::string body;
  // Why the request was refused, in a word for the audit trail ("foreign_subscription"). The transport writes the line.
  // Empty: not refused, or for the reason that the status gives (401, 403, 413, 429 are always audited).
  std::string refused;
  EventFeed feed;  // set: the body is text/event-stream, begins with `body`, and stays open
};

}  // namespace keyvigil
