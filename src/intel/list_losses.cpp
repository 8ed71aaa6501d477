#include "intel/list_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "intel/list_builder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kSamplesShown = 3;

}  // namespace

std::uint64_t refused_total(const ThreatList& list) {
  return std::accumulate(list.refused.begin(), list.refused.end(), std::uint64_t{0});
}

std::string losses_of(const ThreatList& list) {
  const std::uint64_t refused = refused_total(list);
  if (refused == 0) { return {}; }
  std::string causes;
  for (std::size_t cause = 0; cause < list.refused.size(); ++cause) {
    if (list.refused[cause] == 0) { continue; }
    causes += fmt::format("{}{} {}", causes.empty() ? "" : ", ", grouped(list.refused[cause]),
                          to_string(static_cast<ListRefusal>(cause)));
  }
  std::string text = fmt::format("{} of {} entries were refused ({})", grouped(refused),
                                 grouped(refused + list.entries.size()), causes);
  for (std::size_t i = 0; i < std::min(kSamplesShown, list.samples.size()); ++i) {
    text += fmt::format("; line {}: \"{}\"", list.samples[i].line, list.samples[i].found);
  }
  if (refused > kSamplesShown) { text += "; `keyvigil intel check` shows more"; }
  return text;
}

std::optional<EventTime> date_of(const ThreatList& list) {
  return parse_iso_time(list.date);
}

}  // namespace keyvigil
