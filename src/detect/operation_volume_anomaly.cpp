// Test: how likely is so much in an hour or a day, for this caller or this vault; and so many distinct objects within a
// minute, for a user? Operations, credential reads and distinct objects are looked at apart, and paid for.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "detect/detectors.h"
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

Reason reason_of(const VolumeFact& fact) {
  Reason reason;
  reason.code = fact.of_vault ? ReasonCode::kVolumeOfVault : ReasonCode::kVolumeOfCaller;
  if (fact.window == VolumeWindow::kMinute) { reason.code = ReasonCode::kPaceOfUser; }
  const double mean = fact.usual - 1;
  const auto quantile = [&](double upper) { return static_cast<double>(critical_count(mean, fact.dispersion, upper)); };
  reason.observed = fact.count;
  reason.expected = fact.usual;
  reason.low = std::min(fact.usual, quantile(0.9));
  reason.high = std::max(fact.usual, quantile(0.1));
  reason.days_known = fact.windows;
  reason.surprise = fact.largest;
  reason.window_seconds = seconds_of(fact.window);
  reason.about = in_words(fact.measure);
  return reason;
}

// The least likely count of the caller or of the vault.
std::optional<Suspicion> least_likely(const Observation& seen, bool of_vault) {
  const VolumeFact* worst = nullptr;
  double worst_p = 1;
  for (const VolumeFact& fact : seen.facts.volumes) {
    if (fact.of_vault != of_vault) { continue; }
    const double p =
        std::min(1.0, kLooks * negative_binomial_upper_tail(fact.count - 1, fact.usual - 1, fact.dispersion));
    if (worst != nullptr && p >= worst_p) { continue; }
    worst = &fact;
    worst_p = p;
  }
  if (worst == nullptr) { return std::nullopt; }
  Suspicion suspicion{of_vault ? SubjectKind::kVault : SubjectKind::kCaller, worst_p, {}};
  if (worst_p <= seen.explained_up_to) { suspicion.reasons.push_back(reason_of(*worst)); }
  return suspicion;
}

}  // namespace

Suspicions operation_volume_anomaly(const Observation& seen) {
  Suspicions found;
  if (seen.facts.volumes.empty()) { return found; }
  for (const bool of_vault : {false, true}) {
    if (auto suspicion = least_likely(seen, of_vault)) { found.add(*std::move(suspicion)); }
  }
  return found;
}

}  // namespace keyvigil
