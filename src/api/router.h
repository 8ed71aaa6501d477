// Router: from method and path to a route, its role and its parameters.
//
// Patterns are "/subscriptions/{subscription}/providers/Microsoft.Security/alerts": literal segments match without
// regard to case, {name} takes one segment, percent-decoded; empty segments do not count. Of two patterns that fit, the
// one with the earlier literal wins. Unknown paths answer 404, known ones with another method 405 with Allow, missing
// or unknown tokens 401, a role that is not held 403 (operators are readers too); errors have the ARM body. A
// {subscription} that the principal may not see answers as an unknown one does. Threads: const after the last add().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"

namespace keyvigil {

using RouteHandler = std::function<HttpResponse(const HttpRequest&)>;

struct RouteLimits {
  std::size_t body_bytes = std::size_t{64} << 10;
  bool bulk = false;  // waits for the disk: has handlers of its own, so that it cannot hold up the others
};

class Router {
 public:
  // No role: anybody, without a token.
  void add(std::string_view method, std::string_view pattern, std::optional<Role> role, RouteHandler handler,
           const RouteLimits& limits = {});

  // For the transport, before the body is read: how large it may be.
  [[nodiscard]] RouteLimits limits(std::string_view method, std::string_view path) const;
  // For the transport, before the body is read: the response where the request can be refused already.
  [[nodiscard]] std::optional<HttpResponse> refuse(HttpRequest& request) const;
  // Never fails: whatever is wrong is a response. Fills in the parameters of the path. HEAD is answered as GET is.
  [[nodiscard]] HttpResponse answer(HttpRequest& request) const;

  struct Route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;  // lower case; "{name}" for parameters, as in the pattern
    std::optional<Role> role;
    RouteHandler handler;
    RouteLimits limits;
  };
  // In the order in which they were added.
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Choice {
    const Route* route = nullptr;
    std::optional<HttpResponse> refusal;  // where set, route may be null
  };
  // Fills in the parameters of the path.
  [[nodiscard]] Choice choose(HttpRequest& request) const;
  std::vector<Route> routes_;
};

// {"error":{"code":...,"message":...}}
[[nodiscard]] HttpResponse arm_error(int status, std::string_view code, std::string_view message);
[[nodiscard]] HttpResponse json_response(int status, std::string body);
// 404 as ARM has it: for a subscription that nobody knows, and for one that the principal may not know of.
[[nodiscard]] HttpResponse unknown_subscription(std::string_view subscription_id);

// "%24skip" -> "$skip". Nothing where a percent sign is not followed by two hexadecimal digits, or where what comes out
// is not UTF-8 or holds control characters. `plus_is_blank`: as in queries.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);
// Without the question mark. Nothing where a name or value cannot be decoded, or where there are more than 64.
[[nodiscard]] std::optional<HttpFields> parse_query(std::string_view query);

}  // namespace keyvigil
