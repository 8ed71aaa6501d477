#include "api/open_alerts.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace keyvigil {

void bring_up_to_date(std::span<StoredAlert> alerts, const LiveView& live) {
  std::vector<OpenAlertKey> keys;
  for (const StoredAlert& stored : alerts) {
    if (stored.alert.open && !stored.simulated) { keys.push_back({stored.alert.generated, stored.alert.id}); }
  }
  if (keys.empty() || !live.open_alerts) { return; }
  auto open = live.open_alerts(keys);
  if (!open) { return; }
  for (Alert& alert : *open) {
    const auto stored = std::ranges::find_if(alerts, [&](const StoredAlert& one) { return one.alert.id == alert.id; });
    if (stored != alerts.end()) { stored->alert = std::move(alert); }
  }
}

}  // namespace keyvigil
