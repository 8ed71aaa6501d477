// What the order of events must be, the slow way: collect all, sort plainly, compare every pair of a group.
#pragma once

#include <string>
#include <vector>

#include "event/access_event.h"

namespace keyvigil::reference {

// Canonical order, without duplicates.
[[nodiscard]] std::vector<AccessEvent> ordered_without_duplicates(std::vector<AccessEvent> events);

// One line that tells any two different canonical events apart.
[[nodiscard]] std::string describe(const AccessEvent& event);

}  // namespace keyvigil::reference
