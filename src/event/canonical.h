// The pieces of CanonicalOrder, for whoever keeps time and hash beside an event and only needs the rest.
//
// CanonicalOrder = milliseconds, duplicate_hash, compare_identity, compare_correlation, compare_remainder.
#pragma once

#include <compare>

#include "event/access_event.h"

namespace keyvigil {

// What two duplicates share beside the time: operation, uri, caller, address. Known operations compare by id,
// unknown ones by lower-cased name.
[[nodiscard]] std::strong_ordering compare_identity(const AccessEvent& left, const AccessEvent& right);

// Events without a correlation id come after those with one: a filter that looks at neighbours alone then knows
// whether anything of the group was kept.
[[nodiscard]] std::strong_ordering compare_correlation(const AccessEvent& left, const AccessEvent& right);

// Every other canonical field; time and place do not count.
[[nodiscard]] std::strong_ordering compare_remainder(const AccessEvent& left, const AccessEvent& right);

// All three, in this order: the canonical order of events whose milliseconds and duplicate_hash are equal.
[[nodiscard]] std::strong_ordering compare_within_hash(const AccessEvent& left, const AccessEvent& right);

}  // namespace keyvigil
