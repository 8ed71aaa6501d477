// ExpansionLimit: how far an archive may expand before it is taken for one that was made to exhaust a reader.
//
// Logs shrink to a twentieth, seldom to a hundredth; what expands further, beyond a free allowance, or beyond the
// total, is not read on.
#pragma once

#include <cstdint>

namespace keyvigil {

struct ExpansionLimit {
  std::uint64_t ratio = 250;                             // plain bytes to stored ones
  std::uint64_t free_bytes = std::uint64_t{64} << 20;    // that need no ratio
  std::uint64_t total_bytes = std::uint64_t{256} << 30;  // of one archive

  [[nodiscard]] bool allows(std::uint64_t plain_bytes, std::uint64_t stored_bytes) const {
    if (plain_bytes > total_bytes) return false;
    return plain_bytes <= free_bytes || (plain_bytes - free_bytes) / ratio <= stored_bytes;
  }
};

}  // namespace keyvigil
