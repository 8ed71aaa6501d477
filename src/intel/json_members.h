// Members of JSON documents that nobody vouches for: a missing or mistyped one is empty.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bounded_json.h"

namespace keyvigil {

// Discarded where the text is no JSON document; `why` then says what and where.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, std::string& why, const JsonBounds& bounds = {});

[[nodiscard]] const nlohmann::json* member(const nlohmann::json& object, const char* key);
[[nodiscard]] std::string_view text_of(const nlohmann::json& object, const char* key);
[[nodiscard]] const nlohmann::json& array_of(const nlohmann::json& object, const char* key);
// Lists write truth as true, 1, "1" or "True".
[[nodiscard]] bool truth_of(const nlohmann::json& object, const char* key, bool otherwise);
// A text as it stands, a number or truth in words; anything else is empty.
[[nodiscard]] std::string scalar_text(const nlohmann::json* value);
// 0..100, also written as text or with decimals; -1: not said.
[[nodiscard]] int percent_of(const nlohmann::json& object, const char* key);

// The first line that is not blank, trimmed.
[[nodiscard]] std::string_view first_line(std::string_view text);

}  // namespace keyvigil
