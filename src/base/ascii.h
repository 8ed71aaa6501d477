// Letters of ASCII without regard to case, as Azure compares identifiers; every other byte is only equal to itself.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace keyvigil {

[[nodiscard]] constexpr char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr char upper_case(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) { return lower_case(c); });
  return lowered;
}

[[nodiscard]] constexpr bool equal_without_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         (left == right || std::equal(left.begin(), left.end(), right.begin(),
                                      [](char a, char b) { return lower_case(a) == lower_case(b); }));
}

}  // namespace keyvigil
