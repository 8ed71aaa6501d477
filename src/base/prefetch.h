// Prefetch: asks the memory for what will be read soon, while other work is done. Says nothing about what is there.
#pragma once

#include <cstddef>

namespace keyvigil {

inline void prefetch_bytes(const void* first, std::size_t size) {
  constexpr std::size_t kLineBytes = 64;
  for (std::size_t at = 0; at < size; at += kLineBytes) { __builtin_prefetch(static_cast<const char*>(first) + at); }
}

template <typename T>
void prefetch(const T& value) {
  prefetch_bytes(&value, sizeof(T));
}

}  // namespace keyvigil
