// LiveSettings: what of the configuration changes decisions. It is journalled where it changes, so that a replay after
// a crash decides the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace keyvigil {

struct LiveSettings {
  std::int64_t lateness_minutes = 15;
  double alerts_per_thousand_vault_days = AlertBudget::kDefaultAlertsPerThousandVaultDays;
  std::int64_t learning_days = 14;
  // Vaults that are judged together, by unique name. The first one has no name: it takes every subscription that is in
  // no other.
  std::vector<EstateConfig> estates = {EstateConfig{}};
  std::vector<Team> teams;
  std::vector<FirstPartyApp> first_party_apps;
};

[[nodiscard]] LiveSettings live_settings(const Config& config);

// JSON; equal settings give equal text.
[[nodiscard]] std::string to_json(const LiveSettings& settings);
[[nodiscard]] Result<LiveSettings> parse_live_settings(std::string_view json);

}  // namespace keyvigil
