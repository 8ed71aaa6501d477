#include "api/http_message.h"

#include <algorithm>

namespace keyvigil {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') { return c - '0'; }
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) { return std::nullopt; }
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) { return std::nullopt; }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::optional<HttpFields> parse_query(std::string_view text) {
  HttpFields fields;
  while (!text.empty()) {
    std::string piece(text.substr(0, text.find('&')));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) { continue; }
    std::replace(piece.begin(), piece.end(), '+', ' ');
    const std::size_t equals = piece.find('=');
    const std::string_view whole = piece;
    auto name = percent_decoded(whole.substr(0, equals));
    auto value = percent_decoded(equals == std::string::npos ? std::string_view() : whole.substr(equals + 1));
    if (!name || !value) { return std::nullopt; }
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

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
