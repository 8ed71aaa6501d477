// survey_date_order: whether a CSV table writes the day or the month first, told by its times themselves.
//
// Reads the table from its beginning until a time settles it, else to its end or kSurveyLimitBytes; holds one batch.
#pragma once

#include <optional>

#include "base/locale_time.h"
#include "base/result.h"
#include "source/framer.h"

namespace keyvigil {

inline constexpr std::uint64_t kSurveyLimitBytes = std::uint64_t{1} << 30;  // decompressed

// Nothing: every time can be read both ways. An error: the bytes could not be read.
[[nodiscard]] Result<std::optional<DateOrder>> survey_date_order(ReadBytes read, const FramingOptions& options);

}  // namespace keyvigil
