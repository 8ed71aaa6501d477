// Name-based UUIDs, version 5 (RFC 9562 section 5.5): the same name gives the same UUID, everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyvigil {

using UuidBytes = std::array<std::uint8_t, 16>;

// Lower-case 8-4-4-4-12 form of the first 16 bytes of SHA-1(name space, name), version and variant set.
[[nodiscard]] std::string uuid_of_name(const UuidBytes& name_space, std::string_view name);

}  // namespace keyvigil
