// foreign_form: files that are well known, hold no records that can be read, and what to do with them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace keyvigil {

// As much of the beginning as is looked at (a tar names itself late).
inline constexpr std::size_t kForeignHeadBytes = 264;

// "a Parquet file; convert it with ...", or nothing where the beginning is of no known kind.
[[nodiscard]] std::optional<std::string_view> foreign_form(std::string_view head);

}  // namespace keyvigil
