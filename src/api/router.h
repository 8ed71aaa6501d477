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
};

class Router {
 public:
  // No role: anybody, without a token.
  void add(std::string_view method, std::string_view pattern, std::optional<Role> role, RouteHandler handler,
           const RouteLimits& limits = {});

  // For the transport, before the body is read: how large it may be.
  [[nodiscard]] RouteLimits limits(std::string_view method, std::string_view path) const;
  // Never fails: whatever is wrong is a response.
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
  std::vector<Route> routes_;
};

// {"error":{"code":...,"message":...}}
[[nodiscard]] HttpResponse arm_error(int status, std::string_view code, std::string_view message);
[[nodiscard]] HttpResponse json_response(int status, std::string body);

}  // namespace keyvigil
