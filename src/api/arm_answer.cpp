#include "api/arm_answer.h"

#include <algorithm>

#include <fmt/format.h>

#include "api/router.h"
#include "base/bounded_json.h"
#include "base/percent_coding.h"

namespace keyvigil {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

HttpResponse json_answer(int status, const Json& body) {
  return json_response(status, to_json_line(body));
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse store_failure(const Error& error, const Report& report) {
  if (error.kind == ErrorKind::kUsage || error.kind == ErrorKind::kInput) {
    return arm_error(400, "InvalidRequest", error.message);
  }
  if (report) { report(error.message); }
  HttpResponse response =
      arm_error(503, "ServiceUnavailable", "The service cannot answer now; its log says why. Try again later.");
  response.headers.emplace_back("Retry-After", "10");
  return response;
}

std::optional<HttpResponse> refuse_api_version(const HttpRequest& request,
                                               std::span<const std::string_view> supported) {
  const auto given = request.query_value("api-version");
  if (!given || given->empty()) {
    return arm_error(400, "MissingApiVersionParameter",
                     fmt::format("The api-version query parameter (?api-version=) is required for all requests. The "
                                 "supported versions are '{}'.",
                                 fmt::join(supported, ",")));
  }
  const bool known = std::any_of(supported.begin(), supported.end(),
                                 [&](std::string_view version) { return equal_without_case(version, *given); });
  if (known) { return std::nullopt; }
  return arm_error(400, "InvalidApiVersionParameter",
                   fmt::format("The api-version '{}' is invalid. The supported versions are '{}'.", *given,
                               fmt::join(supported, ",")));
}

Result<Json> object_in_body(const HttpRequest& request) {
  if (request.body.empty()) {
    return fail(ErrorKind::kInput, "Expected a JSON object in the body, found an empty body.");
  }
  if (const std::string excess = json_excess(request.body); !excess.empty()) {
    return fail(ErrorKind::kInput, fmt::format("Expected a JSON object in the body, found {}.", excess));
  }
  Json body = parse_bounded_json<Json>(request.body);
  if (body.is_discarded()) { return fail(ErrorKind::kInput, "Expected a JSON object in the body, found no JSON."); }
  if (!body.is_object()) {
    return fail(ErrorKind::kInput, fmt::format("Expected a JSON object in the body, found {}.", body.type_name()));
  }
  return body;
}

bool is_guid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(kForm.begin(), kForm.end(), text.begin(), text.end(),
                    [](char form, char c) { return form == 'x' ? is_hex(c) : c == form; });
}

std::string same_path(const HttpRequest& request, const HttpFields& query) {
  std::string address = request.host + request.path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    address += fmt::format("{}{}={}", separator, percent_encoded(name, "$"), percent_encoded(value, "$"));
    separator = '&';
  }
  return address;
}

}  // namespace keyvigil
