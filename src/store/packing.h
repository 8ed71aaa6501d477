// Packing: values compressed as one zstd frame (RFC 8878) with its size and its checksum inside.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace keyvigil {

[[nodiscard]] std::string pack(std::string_view bytes);

// Fails on whatever pack() did not write, and on more than `limit_bytes`.
[[nodiscard]] Result<std::string> unpack(std::string_view packed, std::size_t limit_bytes);

// Begins with the magic bytes of gzip or of a zstd frame.
[[nodiscard]] bool looks_compressed(std::string_view bytes);

}  // namespace keyvigil
