// BoundedJson: the one way in for JSON that somebody else wrote.
//
// A tree takes up to forty times the bytes of its text, and whoever walks it by recursion takes stack for each level.
// So both are measured on the text, before anything is built of it. Threads: free functions over values.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace keyvigil {

struct JsonBounds {
  std::size_t levels = 64;
  std::size_t tree_bytes = std::size_t{512} << 20;  // of memory, by json_tree_bytes()
};

// What is too much of it, as "JSON nested deeper than 64 levels"; empty: it fits. Text that is no JSON may fit.
[[nodiscard]] std::string json_excess(std::string_view text, const JsonBounds& bounds = {});

// Where the library stopped reading text that is no JSON, and its sentence, which quotes the text.
struct JsonFault {
  std::size_t byte = 0;
  std::string what;  // empty: it is JSON
};
// REQUIRES: the text fits its bounds.
[[nodiscard]] JsonFault json_fault(std::string_view text);

// The memory that the tree of a text takes, estimated from above.
[[nodiscard]] std::size_t json_tree_bytes(std::string_view text);

// Cuts the first value, or the first mark (',' ':' '}' ']'), off JSON; without the blanks around it. Empty: there is
// none. REQUIRES: `rest` is a piece of valid JSON.
[[nodiscard]] std::string_view take_json(std::string_view& rest);

// Discarded where the text is no JSON, or too much of it.
template <typename Json = nlohmann::json>
[[nodiscard]] Json parse_bounded_json(std::string_view text, const JsonBounds& bounds = {}) {
  if (!json_excess(text, bounds).empty()) { return Json(Json::value_t::discarded); }
  return Json::parse(text.begin(), text.end(), nullptr, false);
}

// The same, but what lies deeper than `bounds.levels` is left out.
template <typename Json = nlohmann::json>
[[nodiscard]] Json parse_pruned_json(std::string_view text, const JsonBounds& bounds) {
  if (json_tree_bytes(text) > bounds.tree_bytes) { return Json(Json::value_t::discarded); }
  const auto keep = [&](int depth, typename Json::parse_event_t /*event*/, Json& /*value*/) {
    return depth <= static_cast<int>(bounds.levels);
  };
  return Json::parse(text.begin(), text.end(), keep, false);
}

}  // namespace keyvigil
