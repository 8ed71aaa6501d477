// What the answers of ARM's routes and of our own have in common.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "alert/alert_document.h"
#include "api/http_message.h"
#include "base/result.h"

namespace keyvigil {

// For the service's log: failures whose sentence is not for the one who asked.
using Report = std::function<void(const std::string& sentence)>;

[[nodiscard]] HttpResponse json_answer(int status, const Json& body);
[[nodiscard]] HttpResponse no_content();

// 400 where what the client said could not be used (ErrorKind::kUsage, kInput), else 503 with Retry-After; then the
// sentence is reported, for it names files.
[[nodiscard]] HttpResponse store_failure(const Error& error, const Report& report);

// 400 where api-version is missing or none of these, each with what is supported.
[[nodiscard]] std::optional<HttpResponse> refuse_api_version(const HttpRequest& request,
                                                             std::span<const std::string_view> supported);

// The body as a JSON object. Errors say what was expected.
[[nodiscard]] Result<Json> object_in_body(const HttpRequest& request);

[[nodiscard]] bool is_guid(std::string_view text);

// The address of this request again, with these query fields in place of its own. Names and values are encoded.
[[nodiscard]] std::string same_path(const HttpRequest& request, const HttpFields& query);

}  // namespace keyvigil
