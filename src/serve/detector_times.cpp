#include "serve/detector_times.h"

#include <chrono>

#include "detect/detectors.h"

namespace keyvigil {

void DetectorTimes::sample(const Observation& seen) {
  auto begun = std::chrono::steady_clock::now();
  for (const DetectorRow& row : kDetectors) {
    static_cast<void>(row.decide(seen));
    const auto ended = std::chrono::steady_clock::now();
    seconds_[static_cast<std::size_t>(row.type)] += kOneIn * std::chrono::duration<double>(ended - begun).count();
    begun = ended;
  }
}

}  // namespace keyvigil
