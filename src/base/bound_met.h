// BoundMet: what was left out or forgotten for want of room, of one kind. Every container has a bound, and each is
// told.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyvigil {

struct BoundMet {
  std::string_view name;  // one word, for metrics
  std::string_view what;  // goes on after the count
  std::uint64_t count = 0;
};

}  // namespace keyvigil
