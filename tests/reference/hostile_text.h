// Text that would move a cursor, turn a line around or hide in it, and the check that an output has none of it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "alert/alert_document.h"
#include "alert/printable.h"

namespace keyvigil {

// C0, DEL, C1, marks of direction and joining, separators of lines, the byte order mark; each as UTF-8.
inline std::vector<std::string> harmful_points() {
  const auto utf8 = [](char32_t point) {
    std::string text;
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += static_cast<char>(0xC0 | (point >> 6));
      text += static_cast<char>(0x80 | (point & 0x3F));
    } else {
      text += static_cast<char>(0xE0 | (point >> 12));
      text += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
      text += static_cast<char>(0x80 | (point & 0x3F));
    }
    return text;
  };
  std::vector<std::string> points;
  const auto add = [&](char32_t first, char32_t last) {
    for (char32_t point = first; point <= last; ++point) { points.push_back(utf8(point)); }
  };
  add(0, 0x1F);
  add(0x7F, 0x9F);
  add(0x200B, 0x200F);
  add(0x2028, 0x202E);
  add(0x2066, 0x2069);
  add(0xFEFF, 0xFEFF);
  return points;
}

// All of them, in an order that a cut does not hide: the ones that are easily forgotten first.
inline std::string hostile_text() {
  std::string text = "x\xE2\x80\xAEy\x1B[31mz\x07";
  for (const std::string& point : harmful_points()) { text += point; }
  return text;
}

inline bool is_harmless(std::string_view text) {
  return harmless(text) == text;
}

// Line ends are the output's own.
inline void expect_harmless(std::string_view text, std::string_view what) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) { line.remove_suffix(1); }
    EXPECT_TRUE(is_harmless(line)) << what << ": " << harmless(line);
  }
}

// Every text of a document, keys too.
inline void expect_harmless_texts(const Json& json, std::string_view what) {
  if (json.is_string()) { return expect_harmless(json.get<std::string>(), what); }
  if (!json.is_structured()) { return; }
  for (const auto& [key, value] : json.items()) {
    EXPECT_TRUE(is_harmless(key)) << what;
    expect_harmless_texts(value, what);
  }
}

}  // namespace keyvigil
