// Text from outside, made fit to keep and to show. Callers choose their user agents and object names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyvigil {

// Valid UTF-8 of at most `limit_bytes` (>= 4): what is not UTF-8 becomes U+FFFD, what is too long ends in U+2026.
[[nodiscard]] std::string bounded_utf8(std::string_view text, std::size_t limit_bytes);

// For terminals: control characters (C0, C1, DEL), line separators and the marks that turn, join or hide text become
// visible escapes such as \x1b and \u202e, so that no text can move the cursor, colour or reorder a line.
// REQUIRES: valid UTF-8.
[[nodiscard]] std::string harmless(std::string_view text);

// Code points of valid UTF-8, taken as columns.
[[nodiscard]] std::size_t count_columns(std::string_view text);

// Bytes of the longest beginning that is no wider than `columns`.
[[nodiscard]] std::size_t bytes_of_columns(std::string_view text, std::size_t columns);

// At most `columns` (>= 1) columns; what is cut ends in U+2026.
[[nodiscard]] std::string cut_columns(std::string_view text, std::size_t columns);

}  // namespace keyvigil
