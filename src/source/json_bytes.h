// The bytes that the framing of JSON looks for. Room-internal. Threads: pure.
#pragma once

#include <cstdint>
#include <cstring>

namespace keyvigil {

[[nodiscard]] constexpr bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r';
}
[[nodiscard]] constexpr bool is_opener(char byte) {
  return byte == '{' || byte == '[';
}
[[nodiscard]] constexpr bool is_closer(char byte) {
  return byte == '}' || byte == ']';
}

// Null where there is none within `size` bytes.
[[nodiscard]] inline const char* find_line_end(const char* begin, std::uint64_t size) {
  return static_cast<const char*>(std::memchr(begin, '\n', size));
}

}  // namespace keyvigil
