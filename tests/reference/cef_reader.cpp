#include "reference/cef_reader.h"

#include <algorithm>
#include <cctype>

namespace keyvigil {
namespace {

// Up to an unescaped pipe; what follows stays in `rest`.
std::optional<std::string> header_field(std::string_view& rest) {
  std::string field;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '|') {
      rest.remove_prefix(i + 1);
      return field;
    }
    if (rest[i] == '\\') {
      if (++i == rest.size() || (rest[i] != '|' && rest[i] != '\\')) { return std::nullopt; }
    }
    field += rest[i];
  }
  return std::nullopt;
}

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

std::optional<std::string> value_of(std::string_view raw) {
  std::string value;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      value += raw[i];
      continue;
    }
    if (++i == raw.size()) { return std::nullopt; }
    switch (raw[i]) {
      case 'n':
        value += '\n';
        break;
      case 'r':
        value += '\r';
        break;
      case '=':
      case '\\':
        value += raw[i];
        break;
      default:
        return std::nullopt;
    }
  }
  return value;
}

// Places of the unescaped equal signs: each ends a key.
std::vector<std::size_t> equal_signs(std::string_view text) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '=') {
      found.push_back(i);
    }
  }
  return found;
}

}  // namespace

std::optional<CefLine> read_cef(std::string_view line) {
  if (line.find_first_of("\r\n") != std::string_view::npos || !line.starts_with("CEF:")) { return std::nullopt; }
  line.remove_prefix(4);
  CefLine read;
  for (int i = 0; i < 7; ++i) {
    auto field = header_field(line);
    if (!field) { return std::nullopt; }
    read.header.push_back(*std::move(field));
  }
  const std::vector<std::size_t> equals = equal_signs(line);
  std::size_t key_begin = 0;
  for (std::size_t i = 0; i < equals.size(); ++i) {
    const std::string_view key = line.substr(key_begin, equals[i] - key_begin);
    std::size_t value_end = line.size();
    if (i + 1 < equals.size()) {
      value_end = line.rfind(' ', equals[i + 1]);
      if (value_end == std::string_view::npos || value_end <= equals[i]) { return std::nullopt; }
      key_begin = value_end + 1;
    }
    auto value = value_of(line.substr(equals[i] + 1, value_end - equals[i] - 1));
    if (!is_key(key) || !value || !read.extension.emplace(key, *std::move(value)).second) { return std::nullopt; }
  }
  return read;
}

}  // namespace keyvigil
