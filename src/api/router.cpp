#include "api/router.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alert/printable.h"
#include "base/percent_coding.h"

namespace keyvigil {
namespace {

constexpr std::size_t kQueryFieldLimit = 64;

bool is_clean(const std::string& text) {
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20) || c == 0x7F; };
  return std::none_of(text.begin(), text.end(), is_control) && bounded_utf8(text, text.size() + 4) == text;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    if (!segment.empty()) { segments.push_back(segment); }
  }
  return segments;
}

// "." and "..", also where a slash or backslash was encoded: no path here needs them, and whoever sends them hopes for
// a file system.
bool climbs(std::string_view segment) {
  while (true) {
    const std::size_t end = segment.find_first_of("/\\");
    const std::string_view piece = segment.substr(0, end);
    if (piece == "." || piece == "..") { return true; }
    if (end == std::string_view::npos) { return false; }
    segment.remove_prefix(end + 1);
  }
}

// Nothing where the path cannot be decoded, or climbs.
std::optional<std::vector<std::string>> decode_path(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view raw : split_path(path)) {
    auto segment = percent_decode(raw, false);
    if (!segment || climbs(*segment)) { return std::nullopt; }
    segments.push_back(std::move(*segment));
  }
  return segments;
}

bool fits(const Router::Route& route, const std::vector<std::string>& segments) {
  return std::equal(route.segments.begin(), route.segments.end(), segments.begin(), segments.end(),
                    [](const std::string& expected, const std::string& found) {
                      return is_parameter(expected) || equal_without_case(expected, found);
                    });
}

// Whether `left` has a literal where the two first differ in kind.
bool is_more_literal(const Router::Route& left, const Router::Route& right) {
  for (std::size_t i = 0; i < left.segments.size(); ++i) {
    const bool parameter = is_parameter(left.segments[i]);
    if (parameter != is_parameter(right.segments[i])) { return !parameter; }
  }
  return false;
}

struct Match {
  const Router::Route* route = nullptr;  // of the method; null: none
  std::set<std::string> methods;         // that the path knows
};

// Of the most literal pattern that fits: what is behind a parameter is another resource, with methods of its own.
Match match(const std::vector<Router::Route>& routes, std::string_view method,
            const std::vector<std::string>& segments) {
  if (method == "HEAD") { method = "GET"; }
  Match found;
  const Router::Route* closest = nullptr;
  for (const Router::Route& route : routes) {
    if (!fits(route, segments) || (closest != nullptr && is_more_literal(*closest, route))) { continue; }
    if (closest == nullptr || is_more_literal(route, *closest)) {
      found = {};
      closest = &route;
    }
    found.methods.insert(route.method);
    if (route.method == method) { found.route = &route; }
  }
  return found;
}

bool holds(const Principal& principal, Role role) {
  return principal.has(role) || (role == Role::kReader && principal.has(Role::kOperator));
}

HttpResponse not_authenticated() {
  HttpResponse response = arm_error(401, "AuthenticationFailed",
                                    "Authentication failed. Send a token that this service knows in the header "
                                    "'Authorization: Bearer <token>'.");
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse method_not_allowed(std::string_view method, const std::set<std::string>& methods) {
  const std::string allowed = fmt::format("{}", fmt::join(methods, ", "));
  HttpResponse response = arm_error(
      405, "MethodNotAllowed", fmt::format("This path does not know the method '{}'; it knows {}.", method, allowed));
  response.headers.emplace_back("Allow", allowed);
  return response;
}

HttpResponse not_authorized(const Principal& principal, Role role) {
  constexpr std::array<std::string_view, 3> kNames = {"reader", "operator", "ingest"};
  return arm_error(403, "AuthorizationFailed",
                   fmt::format("The client '{}' does not have the role '{}' that this path needs.", principal.name,
                               kNames[static_cast<std::size_t>(role)]));
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, std::optional<Role> role, RouteHandler handler,
                 const RouteLimits& limits) {
  Route route{std::string(method), std::string(pattern), {}, role, std::move(handler), limits};
  for (const std::string_view segment : split_path(pattern)) {
    route.segments.push_back(is_parameter(segment) ? std::string(segment) : lower_case(segment));
  }
  routes_.push_back(std::move(route));
}

RouteLimits Router::limits(std::string_view method, std::string_view path) const {
  const auto segments = decode_path(path);
  if (!segments) { return {}; }
  const Match found = match(routes_, method, *segments);
  return found.route == nullptr ? RouteLimits{} : found.route->limits;
}

Router::Choice Router::choose(HttpRequest& request) const {
  const auto segments = decode_path(request.path);
  if (!segments) {
    HttpResponse refusal = arm_error(400, "InvalidUri",
                                     "Expected a path of UTF-8 without control characters and without '.' or '..', "
                                     "where '%' is followed by two hexadecimal digits.");
    refusal.refused = "bad_path";
    return {nullptr, std::move(refusal)};
  }
  const Match found = match(routes_, request.method, *segments);
  if (found.methods.empty()) {
    return {nullptr, arm_error(404, "NotFound", "No resource of this service has that path.")};
  }
  if (found.route == nullptr) { return {nullptr, method_not_allowed(request.method, found.methods)}; }

  const Route& route = *found.route;
  if (route.role) {
    if (request.principal.name.empty()) { return {&route, not_authenticated()}; }
    if (!holds(request.principal, *route.role)) { return {&route, not_authorized(request.principal, *route.role)}; }
  }
  request.path_parameters.clear();
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    const std::string_view name = route.segments[i];
    if (!is_parameter(name)) { continue; }
    request.path_parameters.emplace_back(name.substr(1, name.size() - 2), (*segments)[i]);
  }
  const std::string_view subscription = request.parameter("subscription");
  if (!subscription.empty() && !request.principal.sees(lower_case(subscription))) {
    HttpResponse refusal = unknown_subscription(subscription);
    refusal.refused = "foreign_subscription";
    return {&route, std::move(refusal)};
  }
  return {&route, std::nullopt};
}

std::optional<HttpResponse> Router::refuse(HttpRequest& request) const {
  return choose(request).refusal;
}

HttpResponse Router::answer(HttpRequest& request) const {
  Choice choice = choose(request);
  return choice.refusal ? std::move(*choice.refusal) : choice.route->handler(request);
}

HttpResponse unknown_subscription(std::string_view subscription_id) {
  return arm_error(404, "SubscriptionNotFound",
                   fmt::format("The subscription '{}' could not be found.", subscription_id));
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string plain(text);
  if (plus_is_blank) { std::ranges::replace(plain, '+', ' '); }
  auto decoded = percent_decoded(plain);
  return decoded && is_clean(*decoded) ? decoded : std::nullopt;
}

std::optional<HttpFields> parse_query(std::string_view query) {
  HttpFields fields;
  while (!query.empty()) {
    const std::string_view piece = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), piece.size() + 1));
    if (piece.empty()) { continue; }
    if (fields.size() == kQueryFieldLimit) { return std::nullopt; }
    const std::size_t equals = piece.find('=');
    auto name = percent_decode(piece.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1), true);
    if (!name || !value) { return std::nullopt; }
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

HttpResponse arm_error(int status, std::string_view code, std::string_view message) {
  nlohmann::ordered_json body;
  body["error"] = {{"code", code}, {"message", message}};
  return json_response(status, body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

HttpResponse json_response(int status, std::string body) {
  return {status, {{"Content-Type", "application/json; charset=utf-8"}}, std::move(body), {}, {}};
}

}  // namespace keyvigil
