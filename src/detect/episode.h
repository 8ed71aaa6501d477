// What the detectors of "this, then that" have in common.
//
// Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "detect/suspicion.h"
#include "history/facts.h"

namespace keyvigil {

// Episodes of the kind on a day; a caller that never opened one begins to as often as such callers do.
[[nodiscard]] double openings_to_expect(const EpisodeFacts& episode);
// P(so many episodes of the kind are opened today).
[[nodiscard]] double opening_probability(const EpisodeFacts& episode);
// P(so many reads in an episode).
[[nodiscard]] double reading_probability(const EpisodeFacts& episode);
// P(so many reads in an episode on a vault that is new to the caller): what visits of the class were, and as far as
// there were few, what the caller's episodes are.
[[nodiscard]] double visit_probability(const EpisodeFacts& episode);
// P(so many of them are fresh), of the caller and of its class: the larger.
[[nodiscard]] double probability_of(const FreshReads& fresh);
// P(so many reads in an episode) where the caller's vary as much as those of its class do.
[[nodiscard]] double number_probability(const EpisodeFacts& episode);
[[nodiscard]] Reason reason_of(const FreshReads& fresh, ReasonCode code, double window_seconds);
[[nodiscard]] Reason reason_of(const EpisodeFacts& episode, ReasonCode code, double window_seconds);
// "3 distinct ones"; "at least" where an episode counts no further.
[[nodiscard]] std::string reads_in_words(double reads, std::string_view singular);
// How unusual it is for the caller to open such an episode: what it had never `done`, or how `often` it does.
[[nodiscard]] std::string opening_in_words(const Reason& reason, std::string_view done, std::string_view often);

}  // namespace keyvigil
