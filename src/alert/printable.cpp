#include "alert/printable.h"

#include <cstdint>

#include <fmt/format.h>

namespace keyvigil {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Point {
  char32_t value = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. REQUIRES: not empty.
Point first_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) { return {lead, 1}; }
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) { return {}; }
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) { return {}; }
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) { return {}; }
  return {value, size};
}

bool is_harmful(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0xAD || point == 0x61C ||
         (point >= 0x200B && point <= 0x200F) || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2060 && point <= 0x206F) || point == 0xFEFF || (point >= 0xE0000 && point <= 0xE007F);
}

}  // namespace

std::string bounded_utf8(std::string_view text, std::size_t limit_bytes) {
  std::string out;
  std::size_t last_fit = 0;  // where out may be cut so that the ellipsis still fits
  while (!text.empty()) {
    const Point point = first_point(text);
    const std::string_view piece = point.size == 0 ? kReplacement : text.substr(0, point.size);
    if (out.size() + piece.size() > limit_bytes) {
      out.resize(last_fit);
      out += kEllipsis;
      return out;
    }
    out += piece;
    if (out.size() + kEllipsis.size() <= limit_bytes) { last_fit = out.size(); }
    text.remove_prefix(point.size == 0 ? 1 : point.size);
  }
  return out;
}

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Point point = first_point(text);
    const std::size_t size = point.size == 0 ? 1 : point.size;
    if (point.size == 0) {
      out += kReplacement;
    } else if (!is_harmful(point.value)) {
      out += text.substr(0, size);
    } else if (point.value < 0x100) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(point.value));
    } else {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point.value));
    }
    text.remove_prefix(size);
  }
  return out;
}

std::size_t count_columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) { count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1U : 0U; }
  return count;
}

std::size_t bytes_of_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  std::size_t count = 0;
  while (end < text.size()) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++count > columns) { break; }
    ++end;
  }
  return end;
}

std::string cut_columns(std::string_view text, std::size_t columns) {
  if (count_columns(text) <= columns) { return std::string(text); }
  return std::string(text.substr(0, bytes_of_columns(text, columns - 1))) + std::string(kEllipsis);
}

}  // namespace keyvigil
