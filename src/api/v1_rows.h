// The rows that v1_routes.cpp puts together, and what their handlers share.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "api/v1_routes.h"

namespace keyvigil {

using V1Handler = HttpResponse (*)(const V1Routes& needs, const HttpRequest& request);

struct V1Row {
  std::string_view method;
  std::string_view path;  // after /v1/
  std::optional<Role> role;
  std::span<const std::string_view> query;  // names that it knows; others are refused
  V1Handler handler;
};

[[nodiscard]] std::span<const V1Row> v1_alert_rows();
[[nodiscard]] std::span<const V1Row> v1_entity_rows();
[[nodiscard]] std::span<const V1Row> v1_service_rows();
[[nodiscard]] std::span<const V1Row> v1_output_rows();

// What every list of alerts says of one.
[[nodiscard]] Json alert_summary(const StoredAlert& stored, const AlertRendering& rendering);

// A whole number of the query, `otherwise` where it is absent. Errors name it and its range.
[[nodiscard]] Result<std::int64_t> number_in_query(const HttpRequest& request, std::string_view name,
                                                   std::int64_t least, std::int64_t most, std::int64_t otherwise);
// A time of the query.
[[nodiscard]] Result<std::optional<EventTime>> time_in_query(const HttpRequest& request, std::string_view name);

[[nodiscard]] HttpResponse bad_request(const Error& error);
[[nodiscard]] HttpResponse not_found(std::string_view what);

}  // namespace keyvigil
