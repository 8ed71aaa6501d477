// Threat lists from files to an address book.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/result.h"
#include "intel/address_book.h"

namespace keyvigil {

inline constexpr std::size_t kListLimitBytes = std::size_t{1} << 30;

[[nodiscard]] Result<AddressBook> load_lists(const ListConfig& config);

}  // namespace keyvigil
