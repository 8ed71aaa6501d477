// Whatever a client may choose of a request before its body: path and query, the Authorization header, tokens, key
// sets. Nothing but a known token is taken, and what is decoded stays within its bounds.
#include <algorithm>
#include <optional>
#include <string>

#include "api/access.h"
#include "api/content_encoding.h"
#include "api/http_connection.h"
#include "api/jwt.h"
#include "api/router.h"
#include "base/check.h"

namespace {

using namespace keyvigil;

constexpr EventTime kNow{1'700'000'000 * EventTime::kTicksPerSecond};

// Whether a part of the path between slashes, of either kind, is "..".
bool climbs(std::string text) {
  std::replace(text.begin(), text.end(), '\\', '/');
  return ("/" + text + "/").find("/../") != std::string::npos;
}

void try_router(const std::string& text) {
  Router router;
  std::string seen;
  router.add("GET", "/subscriptions/{subscription}/alerts/{name}", Role::kReader, [&](const HttpRequest& request) {
    seen = request.parameter("name");
    return json_response(200, "{}");
  });
  HttpRequest request;
  request.method = "GET";
  request.path = "/subscriptions/s/alerts/" + text;
  request.principal = {"somebody", {Role::kReader}, std::set<std::string>{"s"}};
  const HttpResponse response = router.answer(request);
  CHECK(response.status == 200 || response.status == 400 || response.status == 404);
  CHECK(!climbs(seen) && seen.find('\0') == std::string::npos);
  request.path = text;
  request.principal = {};
  CHECK(router.answer(request).status != 200);
  if (const auto query = parse_query(text)) {
    CHECK(query->size() <= 64);
    for (const auto& [name, value] : *query) { CHECK(name.size() + value.size() <= text.size()); }
  }
}

void try_access(Access& access, const std::string& text) {
  for (const std::string& header : {text, "Bearer " + text}) {
    const Authentication who = access.authenticate(header, kNow);
    CHECK(who.principal.name.empty());
    CHECK(header.empty() || !who.refused.empty());
  }
  if (const auto token = parse_jwt(text)) { CHECK(token->expires_seconds >= 0 && !token->key_id.empty()); }
  if (const auto bytes = base64url_decode(text)) { CHECK(base64url_encode(*bytes) == text); }
  if (const auto set = parse_key_set(text)) { CHECK(!set->keys.empty() && set->keys.size() <= 256); }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  AccessOptions options;
  options.tokens = {{"known",
                     token_hash("kv_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", std::string(32, '0')),
                     {Role::kReader},
                     std::nullopt,
                     std::nullopt}};
  JwtIssuer issuer;
  issuer.issuers = {"i"};
  issuer.audiences = {"a"};
  issuer.key_set = [&text]() -> Result<std::string> { return text; };
  options.issuers.push_back(std::move(issuer));
  auto access = Access::make(std::move(options));
  CHECK(access.has_value());
  try_router(text);
  try_access(*access, text);
  static_cast<void>(accepts_gzip(text));
  CHECK(echoable(text).size() <= 64);
  if (const auto origin = origin_of(text, true)) { CHECK(origin->find_first_of(" \r\n\"<>/", 8) == std::string::npos); }
  return 0;
}
