#include "engine/engine.h"

#include "detect/detectors.h"

namespace keyvigil {

void Engine::decide(const AccessEvent& event, Timeliness timeliness, Decision& out) {
  out.address = book_->look_up(event.address, event.time);
  out.late = timeliness != Timeliness::kInTime;
  out.findings.clear();
  out.vault_operations.clear();
  const Observation seen{event, out.address};
  for (const DetectorRow& row : kDetectors) {
    for (const Suspicion& suspicion : row.decide(seen)) { out.findings.push_back(Finding{row.type, suspicion}); }
  }
  if (timeliness != Timeliness::kBeyondHorizon) { recent_operations_.learn(event); }
  if (!out.findings.empty()) { out.vault_operations = recent_operations_.of_vault(event.vault_id(), event.time); }
}

}  // namespace keyvigil
