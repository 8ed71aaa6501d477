// Dead letters of a store's file, also while serve writes to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/outbox_rows.h"

namespace keyvigil {

// As read_dead_letters() and read_dead_letter(). Each refuses what is no store.
[[nodiscard]] Result<std::vector<DeadLetter>> dead_letters_in(const std::string& store, const DeadLetterFilter& filter);
[[nodiscard]] Result<std::optional<DeadLetterContent>> dead_letter_in(const std::string& store, std::uint64_t id);

}  // namespace keyvigil
