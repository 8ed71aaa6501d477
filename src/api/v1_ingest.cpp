#include "api/v1_ingest.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/arm_answer.h"
#include "api/arm_rows.h"

namespace keyvigil {
namespace {

// Azure takes 1 MB in one call; its clients count only the elements, and send a larger one alone.
constexpr std::size_t kStreamBodyBytes = std::size_t{4} << 20;
constexpr std::array<std::string_view, 2> kVersions = {"2021-11-01-preview", "2023-01-01"};
constexpr std::size_t kNameBytes = 128;
constexpr int kRetrySoon = 10;

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kNameBytes && std::all_of(name.begin(), name.end(), fits);
}

// Bytes are recognised by what they are; the header may only not contradict that.
std::optional<HttpResponse> refuse_encoding(const HttpRequest& request) {
  const std::string_view encoding = request.header("content-encoding");
  for (const std::string_view known : {"", "identity", "gzip", "x-gzip", "zstd"}) {
    if (equal_without_case(encoding, known)) { return std::nullopt; }
  }
  return arm_error(415, "UnsupportedContentEncoding",
                   fmt::format("Expected Content-Encoding gzip, zstd or identity, found '{}'.", encoding));
}

HttpResponse with_retry(HttpResponse response, int seconds) {
  response.headers.emplace_back("Retry-After", fmt::format("{}", std::max(1, seconds)));
  return response;
}

HttpResponse refused(const IngestAnswer& answer) {
  switch (answer.outcome) {
    case IngestAnswer::Outcome::kBusy:
      return with_retry(arm_error(429, "TooManyRequests", answer.message), answer.retry_after_seconds);
    case IngestAnswer::Outcome::kMalformed:
      return arm_error(400, "InvalidRequestContent", answer.message);
    case IngestAnswer::Outcome::kTooLarge:
      return arm_error(413, "ContentLengthLimitExceeded", answer.message);
    case IngestAnswer::Outcome::kForeign: {
      HttpResponse response = arm_error(403, "AuthorizationFailed", answer.message);
      response.refused = "foreign_records";
      return response;
    }
    case IngestAnswer::Outcome::kFailed:
    case IngestAnswer::Outcome::kStored:
      break;
  }
  return with_retry(arm_error(503, "ServiceUnavailable", answer.message), answer.retry_after_seconds);
}

HttpResponse with_client_id(HttpResponse response, const HttpRequest& request) {
  const std::string_view id = request.header("x-ms-client-request-id");
  if (is_name(id)) { response.headers.emplace_back("x-ms-client-request-id", id); }
  return response;
}

// Ours: Azure's clients do not look at it.
void tell_refused(const IngestAnswer& answer, HttpResponse& response) {
  if (answer.refused > 0) { response.headers.emplace_back("x-keyvigil-refused", fmt::format("{}", answer.refused)); }
}

HttpResponse take_stream(const IngestRoutes& needs, const HttpRequest& request) {
  if (auto refusal = refuse_api_version(request, kVersions)) { return std::move(*refusal); }
  if (auto refusal = refuse_encoding(request)) { return std::move(*refusal); }
  const std::string_view rule = request.parameter("rule");
  const std::string_view stream = request.parameter("stream");
  if (!is_name(rule) || !is_name(stream)) {
    return arm_error(
        404, "NotFound",
        fmt::format("Expected the names of a data collection rule and of a stream: 1 to {} letters, digits "
                    "and -_. each.",
                    kNameBytes));
  }
  const IngestAnswer answer = needs.ingest(fmt::format("ingest/{}/{}", rule, stream), request.body, request.principal);
  if (answer.outcome != IngestAnswer::Outcome::kStored) { return refused(answer); }
  HttpResponse response = no_content();
  tell_refused(answer, response);
  return response;
}

HttpResponse take_logs(const IngestRoutes& needs, const HttpRequest& request) {
  if (auto refusal = refuse_encoding(request)) { return std::move(*refusal); }
  const IngestAnswer answer = needs.ingest("logs", request.body, request.principal);
  if (answer.outcome != IngestAnswer::Outcome::kStored) { return refused(answer); }
  Json body{{"records", answer.records}, {"refused", answer.refused}};
  if (answer.refused > 0) {
    body["refusedByCause"] = answer.refused_by_cause;
    body["firstRefusal"] = answer.first_refusal;
  }
  return json_answer(200, body);
}

// An input belongs to no subscription: who is bound to some knows of none.
HttpResponse forget_stream(const IngestRoutes& needs, const HttpRequest& request) {
  const std::string name = fmt::format("ingest/{}/{}", request.parameter("rule"), request.parameter("stream"));
  auto forgotten = request.principal.subscriptions ? Result<bool>(false)
                                                   : needs.forget(name, audit_line(request, "input.forget", name));
  if (!forgotten) { return with_retry(arm_error(503, "ServiceUnavailable", forgotten.error().message), kRetrySoon); }
  if (!*forgotten) { return arm_error(404, "NotFound", fmt::format("There is no input '{}'.", name)); }
  return no_content();
}

}  // namespace

void add_ingest_routes(Router& router, const IngestRoutes& needs) {
  router.add("POST", "/dataCollectionRules/{rule}/streams/{stream}", Role::kIngest,
             [needs](const HttpRequest& request) { return with_client_id(take_stream(needs, request), request); },
             {.body_bytes = kStreamBodyBytes, .bulk = true});
  router.add("POST", "/v1/logs", Role::kIngest,
             [needs](const HttpRequest& request) { return with_client_id(take_logs(needs, request), request); },
             {.body_bytes = needs.logs_body_bytes, .bulk = true});
  router.add("DELETE", "/v1/sources/ingest/{rule}/{stream}", Role::kOperator,
             [needs](const HttpRequest& request) { return forget_stream(needs, request); });
}

}  // namespace keyvigil
