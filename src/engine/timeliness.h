// Whether an event was decided in its turn.
#pragma once

#include <cstdint>

namespace keyvigil {

enum class Timeliness : std::uint8_t {
  kInTime = 0,
  kLate = 1,
  kBeyondHorizon = 2,  // so late (48 h) that it meets only the threat lists and teaches nothing
};

}  // namespace keyvigil
