#include "source/collector_text.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/bounded_json.h"

namespace keyvigil {

namespace {

using Json = nlohmann::json;

constexpr int kLevels = 4;               // of collectors inside collectors
constexpr std::size_t kJsonDepth = 128;  // what lies deeper in a value is left out

// In the order in which they are tried: one record often stands in several of them.
constexpr std::array kCollectorMembers{"_raw", "original", "message",  "event",      "result",      "_source",
                                       "body", "log",      "raw",      "rawdata",    "records",     "payload",
                                       "data", "content",  "fields",   "record",     "stringvalue", "value",
                                       "line", "msg",      "@message", "rawmessage", "rawevent",    "jsonpayload"};
constexpr std::array kArrayMembers{"records", "results", "value", "tables", "columns", "columnDescriptors"};

Json parse(std::string_view text) {
  return parse_pruned_json(text, {.levels = kJsonDepth});
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* member(const Json& object, std::string_view name) {
  for (const auto& [key, value] : object.items()) {
    if (equal_without_case(key, name)) return &value;
  }
  return nullptr;
}

bool is_record(const Json& object) {
  return object.contains("operationName") || object.contains("OperationName");
}

bool is_envelope(const Json& object) {
  return std::ranges::any_of(kArrayMembers, [&](const char* name) {
    const Json* const found = member(object, name);
    return found != nullptr && found->is_array();
  });
}

std::optional<std::string> find_in(const Json& value, int level);

std::optional<std::string> find_in_members(const Json& object, int level) {
  for (const char* const name : kCollectorMembers) {
    const Json* const found = member(object, name);
    if (found == nullptr) continue;
    if (auto text = find_in(*found, level + 1)) return text;
  }
  return std::nullopt;
}

std::optional<std::string> find_in_text(const std::string& text, int level) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos || (text[begin] != '{' && text[begin] != '[')) return std::nullopt;
  const Json inner = parse(text);
  if (!inner.is_discarded()) return find_in(inner, level);
  // Several records, or one that the collector cut: the framer says what is wrong with it.
  return text.find("perationName") == std::string::npos ? std::nullopt : std::optional(text);
}

std::optional<std::string> find_in(const Json& value, int level) {
  if (level > kLevels) return std::nullopt;
  if (value.is_string()) return find_in_text(value.get_ref<const std::string&>(), level);
  if (value.is_object() && !is_record(value) && !is_envelope(value)) return find_in_members(value, level);
  const bool holds_objects = value.is_object() || (value.is_array() && !value.empty() && value.front().is_object());
  return holds_objects ? std::optional(dump(value)) : std::nullopt;
}

}  // namespace

std::optional<std::string> text_inside(std::string_view object) {
  const Json value = parse(object);
  if (!value.is_object()) return std::nullopt;
  const Json* const hits = member(value, "hits");
  if (hits != nullptr && hits->is_object()) return text_inside(dump(*hits));
  if (hits != nullptr && hits->is_array()) return dump(*hits);
  if (is_envelope(value)) return std::string(object);
  return find_in_members(value, 0);
}

}  // namespace keyvigil
