// Which part of an alert an event is: what made it, what followed and belongs to it, or what the subject did besides.
//
// One rule for each type of alert, by what its detector counted (docs/formats/alert.md has them as a table). The same
// rule is asked of events that happened before the alert fired and of those that come while it is open. Threads: pure.
#pragma once

#include <optional>

#include "alert/alert.h"
#include "engine/decision.h"
#include "engine/finding.h"
#include "event/access_event.h"

namespace keyvigil {

// Context joins until so long after the last suspicious event; what follows a cause belongs to it for as long.
inline constexpr std::int64_t kJoinTicks = 24 * EventTime::kTicksPerHour;

// Nothing: the event is none of it. REQUIRES: the event is by the alert's caller, or on its vault.
[[nodiscard]] std::optional<Part> part_of(const Alert& alert, const AccessEvent& event, const EventMarks& marks);

// The rule takes in what a finding is about; true: events that happened before may belong to it now.
[[nodiscard]] bool widen(EvidenceRule& rule, const Finding& finding, EventTime at);
// ... and an event that is evidence now.
void widen(EvidenceRule& rule, const AccessEvent& event, const EventMarks& marks, Part part);

[[nodiscard]] bool is_credential_read(const AccessEvent& event);
[[nodiscard]] bool is_in(const std::vector<Span>& spans, std::int64_t ticks);

}  // namespace keyvigil
