// DetectorTimes: how long each detector takes, estimated from one decision in kOneIn.
//
// Detectors are pure, so the sampled decision is asked once more and timed, and the engine knows nothing of it. An
// estimate of wall time; nothing is decided by it. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>

#include "catalogue/alert_type.h"
#include "detect/observation.h"

namespace keyvigil {

class DetectorTimes {
 public:
  static constexpr std::uint32_t kOneIn = 64;

  // Call for every decision that asked detectors, afterwards.
  void see(const Observation& seen) {
    if (++since_sample_ < kOneIn) { return; }
    since_sample_ = 0;
    sample(seen);
  }
  // Of all decisions, by type.
  [[nodiscard]] const std::array<double, kAlertTypeCount>& seconds() const { return seconds_; }

 private:
  void sample(const Observation& seen);

  std::uint32_t since_sample_ = 0;
  std::array<double, kAlertTypeCount> seconds_{};
};

}  // namespace keyvigil
