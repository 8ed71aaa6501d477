#include "command/learning_note.h"

#include <fmt/format.h>

#include <algorithm>

namespace keyvigil {

bool has_learned(const RunCounts& counts) {
  return counts.learned_at && counts.known_to && *counts.known_to >= *counts.learned_at;
}

std::string learning_note(const RunCounts& counts, std::int64_t learning_days, bool show_learning) {
  if (!counts.learned_at || !counts.known_to || has_learned(counts)) { return {}; }
  const std::int64_t first_ticks = counts.learned_at->ticks - learning_days * EventTime::kTicksPerDay;
  const double days = static_cast<double>(std::max<std::int64_t>(counts.known_to->ticks - first_ticks, 0)) /
                      static_cast<double>(EventTime::kTicksPerDay);
  const std::string held_back =
      show_learning
          ? fmt::format("{} findings before that are printed as Informational", counts.held_back)
          : fmt::format("{} findings before that are held back; --show-learning prints them", counts.held_back);
  return fmt::format(
      "the logs span {:.1f} of the {} days that behaviour is learned from: it raises alerts only from {} on; {}; "
      "--learning-days {} shortens the learning",
      days, learning_days, to_iso_milliseconds(*counts.learned_at), held_back,
      std::min(learning_days - 1, static_cast<std::int64_t>(days / 2)));
}

}  // namespace keyvigil
