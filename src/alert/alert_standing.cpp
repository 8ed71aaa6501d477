#include "alert/alert_standing.h"

#include <array>

namespace keyvigil {

std::string_view to_string(AlertStatus status) {
  constexpr std::array<std::string_view, 4> kNames = {"Active", "InProgress", "Resolved", "Dismissed"};
  return kNames[static_cast<std::size_t>(status)];
}

}  // namespace keyvigil
