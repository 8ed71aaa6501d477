// ExpansionLimit: how far an archive may expand before it is taken for one that was made to exhaust a reader.
//
// Logs shrink to a twentieth, seldom to a hundredth; what expands further, beyond a free allowance, or beyond the
// total, is not read on.
#pragma once

#include <algorithm>
#include <cstdint>

namespace keyvigil {

struct ExpansionLimit {
  std::uint64_t ratio = 250;                             // plain bytes to stored ones
  std::uint64_t free_bytes = std::uint64_t{64} << 20;    // that need no ratio
  std::uint64_t total_bytes = std::uint64_t{256} << 30;  // of one archive

  // How many plain bytes may come of so many stored ones.
  [[nodiscard]] std::uint64_t allowed(std::uint64_t stored_bytes) const {
    const bool beyond_total = stored_bytes > total_bytes / ratio;
    return beyond_total ? total_bytes : std::min(total_bytes, free_bytes + stored_bytes * ratio);
  }
};

}  // namespace keyvigil
