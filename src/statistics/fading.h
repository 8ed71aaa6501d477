// Counts that fade: what was learned loses weight as more is learned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace keyvigil {

// Keeps the share `kept` of what was learned, and takes over what is pending. REQUIRES: equal sizes.
inline void fade_and_add(std::span<double> learned, std::span<std::uint32_t> pending, double kept) {
  for (std::size_t i = 0; i < learned.size(); ++i) {
    learned[i] = kept * learned[i] + static_cast<double>(std::exchange(pending[i], 0U));
  }
}

}  // namespace keyvigil
