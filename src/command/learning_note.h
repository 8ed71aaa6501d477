// What a run says first where its logs are shorter than the learning: a person who sees no alert must know why.
#pragma once

#include <cstdint>
#include <string>

#include "command/run_counts.h"

namespace keyvigil {

// Empty: behaviour raises alerts, or there was nothing to learn from.
[[nodiscard]] std::string learning_note(const RunCounts& counts, std::int64_t learning_days, bool show_learning);

// Whether the time from which behaviour raises alerts lies behind what was decided.
[[nodiscard]] bool has_learned(const RunCounts& counts);

}  // namespace keyvigil
