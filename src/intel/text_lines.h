// Lists of lines: their lines, comments and words.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "intel/list_builder.h"
#include "intel/list_readers.h"

namespace keyvigil {

// The lines of a text, trimmed, counted from 1.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool next(TextLine& line) {
    if (rest_.empty()) { return false; }
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = TextLine{++number_, trim(rest_.substr(0, end))};
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return true;
  }

 private:
  std::string_view rest_;
  std::uint64_t number_ = 0;
};

[[nodiscard]] inline bool is_comment(std::string_view line) {
  return line.starts_with('#') || line.starts_with(';');
}

[[nodiscard]] inline std::string_view strip_comment_marks(std::string_view line) {
  const std::size_t first = line.find_first_not_of("#; \t");
  const std::size_t last = line.find_last_not_of("# \t");
  return first == std::string_view::npos || last < first ? std::string_view{} : line.substr(first, last - first + 1);
}

// The first word, which is cut off the front of `text`.
[[nodiscard]] inline std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

template <typename Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) { return std::nullopt; }
  return number;
}

}  // namespace keyvigil
