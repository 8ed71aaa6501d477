#include "api/http_message.h"

namespace keyvigil {

std::string_view HttpRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : path_parameters) {
    if (key == name) { return value; }
  }
  return {};
}

std::optional<std::string_view> HttpRequest::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (equal_without_case(key, name)) { return value; }
  }
  return std::nullopt;
}

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) { return value; }
  }
  return {};
}

}  // namespace keyvigil
