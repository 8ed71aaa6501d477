// HttpRequest and HttpResponse: what a route sees and says, without the transport.
#pragma once

#include <functional>
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
  // A body that goes on (server-sent events): the transport sends `body`, then asks about once a second, with the wall
  // clock, for what is to follow; an empty answer is nothing new, no answer is the end. Called by one thread at a time.
  std::function<std::optional<std::string>(EventTime now)> follow;
};

// "%2D" -> "-". Nothing where a percent sign is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// "api%2Dversion=1&$skiptoken=a" -> names and values decoded, "+" is a blank. Nothing where it cannot be decoded.
[[nodiscard]] std::optional<HttpFields> parse_query(std::string_view text);

// ASCII only, as identifiers of ARM are compared.
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] bool equal_without_case(std::string_view left, std::string_view right);

}  // namespace keyvigil
