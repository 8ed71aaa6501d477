// What was not taken of a threat list, in a sentence: for everybody who loads lists, so that no loss is silent.
#pragma once

#include <optional>
#include <string>

#include "base/event_time.h"
#include "intel/threat_list.h"

namespace keyvigil {

// "3 of 4 entries were refused (2 not an address, 1 ...); line 2: \"...\"; ..." with the first few; empty: nothing was.
[[nodiscard]] std::string losses_of(const ThreatList& list);

[[nodiscard]] std::uint64_t refused_total(const ThreatList& list);

// What the list says of its own date, where that can be read.
[[nodiscard]] std::optional<EventTime> date_of(const ThreatList& list);

}  // namespace keyvigil
