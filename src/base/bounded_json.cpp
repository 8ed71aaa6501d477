#include "base/bounded_json.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyvigil {
namespace {

// What the library and the allocator take for each part of a tree, with vectors that grow by half.
constexpr std::size_t kContainerBytes = 64;
constexpr std::size_t kElementBytes = 32;
constexpr std::size_t kMemberBytes = 64;  // beside its key
constexpr std::size_t kTextBytes = 48;
constexpr std::size_t kTextInPlaceBytes = 15;

constexpr std::string_view kBlank = " \t\r\n";

// Behind the text whose opening quote is at `at`; the end where it has none.
std::size_t behind_text(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

struct Extent {
  std::size_t levels = 0;
  std::size_t tree_bytes = 0;
};

// As far as `bounds` go.
Extent measure(std::string_view text, const JsonBounds& bounds) {
  Extent found;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size() && found.levels <= bounds.levels && found.tree_bytes <= bounds.tree_bytes;) {
    const char c = text[i];
    if (c == '"') {
      const std::size_t end = behind_text(text, i);
      const std::size_t size = end - i;
      found.tree_bytes += kTextBytes + (size > kTextInPlaceBytes + 2 ? size : 0);
      i = end;
      continue;
    }
    ++i;
    if (c == '{' || c == '[') {
      found.levels = std::max(found.levels, ++depth);
      found.tree_bytes += kContainerBytes + kElementBytes;
    } else if (c == '}' || c == ']') {
      depth -= depth > 0 ? 1U : 0U;
    } else if (c == ',') {
      found.tree_bytes += kElementBytes;
    } else if (c == ':') {
      found.tree_bytes += kMemberBytes;
    }
  }
  return found;
}

}  // namespace

std::string json_excess(std::string_view text, const JsonBounds& bounds) {
  const Extent found = measure(text, bounds);
  if (found.levels > bounds.levels) { return fmt::format("JSON nested deeper than {} levels", bounds.levels); }
  if (found.tree_bytes > bounds.tree_bytes) {
    return fmt::format("JSON of so many parts that reading it takes more than {} MiB of memory",
                       bounds.tree_bytes >> 20);
  }
  return {};
}

JsonFault json_fault(std::string_view text) {
  try {
    [[maybe_unused]] const auto tree = nlohmann::json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return {std::min(error.byte, text.size()), error.what()};
  } catch (const nlohmann::json::exception& error) { return {0, error.what()}; }
  return {};
}

std::size_t json_tree_bytes(std::string_view text) {
  return measure(text, {SIZE_MAX - 1, SIZE_MAX - 1}).tree_bytes;
}

std::string_view take_json(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
  if (rest.empty()) { return {}; }
  std::size_t end = 1;
  if (rest.front() == '"') {
    end = behind_text(rest, 0);
  } else if (rest.front() == '{' || rest.front() == '[') {
    for (std::size_t depth = 1; depth > 0 && end < rest.size();) {
      const char c = rest[end];
      end = c == '"' ? behind_text(rest, end) : end + 1;
      depth += c == '{' || c == '[' ? 1U : 0U;
      depth -= c == '}' || c == ']' ? 1U : 0U;
    }
  } else if (std::string_view(",:}]").find(rest.front()) == std::string_view::npos) {
    end = std::min(rest.find_first_of(",:}] \t\r\n"), rest.size());
  }
  const std::string_view value = rest.substr(0, end);
  rest.remove_prefix(end);
  return value;
}

}  // namespace keyvigil
