#include "intel/json_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "intel/list_builder.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

}  // namespace

Json parse_json(std::string_view text, std::string& why, const JsonBounds& bounds) {
  if (why = json_excess(text, bounds); !why.empty()) { return Json(Json::value_t::discarded); }
  Json document = parse_bounded_json(text, bounds);
  if (document.is_discarded()) {
    const JsonFault fault = json_fault(text);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(fault.byte), '\n');
    why = fmt::format("broken JSON at line {} (byte {}): {}", line, fault.byte, visible(fault.what, 200));
  }
  return document;
}

const Json* member(const Json& object, const char* key) {
  if (!object.is_object()) { return nullptr; }
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

std::string_view text_of(const Json& object, const char* key) {
  const Json* value = member(object, key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_ref<const std::string&>())
                                                : std::string_view{};
}

const Json& array_of(const Json& object, const char* key) {
  static const Json kNone = Json::array();
  const Json* value = member(object, key);
  return value != nullptr && value->is_array() ? *value : kNone;
}

bool truth_of(const Json& object, const char* key, bool otherwise) {
  const Json* value = member(object, key);
  if (value == nullptr || value->is_null()) { return otherwise; }
  if (value->is_boolean()) { return value->get<bool>(); }
  if (value->is_number()) { return value->get<double>() != 0; }
  if (!value->is_string()) { return false; }
  const std::string text = lower_case(value->get_ref<const std::string&>());
  return text != "0" && text != "false";
}

std::string scalar_text(const Json* value) {
  if (value == nullptr) { return {}; }
  if (value->is_string()) { return visible(value->get_ref<const std::string&>()); }
  return value->is_number() || value->is_boolean() ? value->dump() : std::string{};
}

int percent_of(const Json& object, const char* key) {
  const std::string text = scalar_text(member(object, key));
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && number >= 0 && number <= 100 ? static_cast<int>(number) : -1;
}

std::string_view first_line(std::string_view text) {
  const std::string_view from = text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return trim(from.substr(0, from.find('\n')));
}

}  // namespace keyvigil
