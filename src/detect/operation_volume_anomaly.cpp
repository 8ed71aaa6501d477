// Test: how likely is so much in an hour or a day, for this caller or this vault; and so many distinct objects within a
// minute, for a user? Operations, credential reads and distinct objects are looked at apart, and paid for.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/reasons.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr double kLooks = 6;  // three measures in two windows

std::string_view in_words(VolumeMeasure measure) {
  constexpr std::array<std::string_view, kVolumeMeasureCount> kWords = {
      "operations", "credential reads and private-key uses", "distinct objects read"};
  return kWords[static_cast<std::size_t>(measure)];
}

std::int64_t seconds_of(VolumeWindow window) {
  constexpr std::array<std::int64_t, 3> kSeconds = {3600, 86'400, 60};
  return kSeconds[static_cast<std::size_t>(window)];
}

double probability_of(const VolumeFact& fact) {
  const double by_counts = negative_binomial_upper_tail(fact.count - 1, fact.usual - 1, fact.dispersion);
  return std::min(1.0, std::max(kLooks * by_counts, fact.as_far_above));
}

// Hours and days are UTC's, a minute is the one before the event.
EventTime began(const VolumeFact& fact, EventTime at) {
  switch (fact.window) {
    case VolumeWindow::kHour:
      return EventTime{at.hour() * EventTime::kTicksPerHour};
    case VolumeWindow::kDay:
      return EventTime{at.day() * EventTime::kTicksPerDay};
    case VolumeWindow::kMinute:
      break;
  }
  return EventTime{at.ticks - EventTime::kTicksPerMinute};
}

Reason reason_of(const VolumeFact& fact, EventTime at) {
  Reason reason;
  reason.code = fact.of_vault ? ReasonCode::kVolumeOfVault : ReasonCode::kVolumeOfCaller;
  if (fact.window == VolumeWindow::kMinute) { reason.code = ReasonCode::kPaceOfUser; }
  const double mean = fact.usual - 1;
  const auto quantile = [&](double upper) { return static_cast<double>(critical_count(mean, fact.dispersion, upper)); };
  reason.since = began(fact, at);
  reason.about = in_words(fact.measure);
  reason.with(Quantity::kObserved, fact.count)
      .with(Quantity::kUsual, fact.usual)
      .with(Quantity::kUsualLow, std::min(fact.usual, quantile(0.9)))
      .with(Quantity::kUsualHigh, std::max(fact.usual, quantile(0.1)))
      .with(Quantity::kLearnedWindows, fact.windows)
      .with(Quantity::kProbability, probability_of(fact))
      .with(Quantity::kWindowSeconds, static_cast<double>(seconds_of(fact.window)));
  return reason;
}

// The least likely count of the caller or of the vault.
std::optional<Suspicion> least_likely(const Observation& seen, bool of_vault) {
  const VolumeFact* worst = nullptr;
  double worst_p = 1;
  for (const VolumeFact& fact : seen.facts.volumes) {
    if (fact.of_vault != of_vault) { continue; }
    const double p = probability_of(fact);
    if (worst != nullptr && p >= worst_p) { continue; }
    worst = &fact;
    worst_p = p;
  }
  if (worst == nullptr) { return std::nullopt; }
  Suspicion suspicion{of_vault ? SubjectKind::kVault : SubjectKind::kCaller, worst_p, {}};
  suspicion.began = began(*worst, seen.event.time);
  if (worst_p <= seen.explained_up_to) { suspicion.reasons.push_back(reason_of(*worst, seen.event.time)); }
  return suspicion;
}

std::string volume_sentence(const Reason& reason, std::string_view whose) {
  constexpr double kExactObjects = 256;  // distinct ones are counted up to here (history/volume_windows.h)
  const bool cut = reason.about.starts_with("distinct") && reason.of(Quantity::kObserved) >= kExactObjects;
  constexpr double kHourSeconds = 3600;
  constexpr double kMinuteSeconds = 60;
  const double seconds = reason.of(Quantity::kWindowSeconds);
  const std::string_view window = seconds == kHourSeconds ? "hour" : seconds == kMinuteSeconds ? "minute" : "day";
  const double windows = std::floor(reason.of(Quantity::kLearnedWindows) + 0.5);
  const std::string learned =
      windows < 1 ? fmt::format("what others do in such a {}", window)
                  : fmt::format("about {} with any, older ones counting less", counted(windows, window));
  return fmt::format(
      "{}{} {} of {} in the {} from {}; usual are {} (four times in five between {} and {}), learned over {}. So many "
      "are "
      "expected {}.",
      cut ? "at least " : "", number_in_words(reason.of(Quantity::kObserved)), reason.about, whose, window,
      minute_in_words(reason.since), number_in_words(reason.of(Quantity::kUsual)),
      number_in_words(reason.of(Quantity::kUsualLow)), number_in_words(reason.of(Quantity::kUsualHigh)), learned,
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

}  // namespace

std::string volume_of_caller_sentence(const Reason& reason, const ReasonNames& names) {
  return volume_sentence(reason, names.caller);
}

std::string volume_of_vault_sentence(const Reason& reason, const ReasonNames& names) {
  return volume_sentence(reason, "all callers of the vault " + names.vault);
}

std::string pace_sentence(const Reason& reason, const ReasonNames& names) {
  return volume_sentence(reason, names.caller);
}

Suspicions operation_volume_anomaly(const Observation& seen) {
  Suspicions found;
  if (seen.facts.volumes.empty()) { return found; }
  for (const bool of_vault : {false, true}) {
    if (auto suspicion = least_likely(seen, of_vault)) { found.add(*std::move(suspicion)); }
  }
  return found;
}

}  // namespace keyvigil
