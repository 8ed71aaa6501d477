// What the detectors of first touches have in common: the probability and its reason.
//
// Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "detect/suspicion.h"
#include "history/facts.h"

namespace keyvigil {

// P(the caller makes a first touch as odd as this one on a day like today).
[[nodiscard]] double probability_of(const FirstTouch& touch);

// P(so many first touches as odd as these within a day).
[[nodiscard]] double probability_of(const DayOfFirstTouches& day);

// `usual`: the code where the caller is known and the thing was never touched. A caller who is new, or comes back, has
// codes of its own.
[[nodiscard]] Reason reason_of(const FirstTouch& touch, ReasonCode usual);
[[nodiscard]] Reason reason_of(const DayOfFirstTouches& day, ReasonCode code, EventTime at);

// "none of the 7 other callers of kv-a use kv-pay"; empty where nobody shares anything with the caller.
[[nodiscard]] std::string neighbours_in_words(const Reason& reason, std::string_view vault);

}  // namespace keyvigil
