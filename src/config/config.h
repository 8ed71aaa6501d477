// Config: the YAML file of --config. Every key is optional; docs/configuration.md lists them. Unknown keys are refused
// with the nearest known name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alert/alert_rendering.h"
#include "base/result.h"
#include "config/input_config.h"
#include "config/serve_config.h"
#include "event/first_party.h"
#include "history/teams.h"
#include "judge/budget.h"
#include "sink/output_options.h"

namespace keyvigil {

struct ListConfig {
  std::vector<std::string> tor;
  std::vector<std::string> suspicious;
  std::vector<std::string> service_tags;
  int minimum_confidence = 0;  // 0..100
  bool allow_non_global = false;
  std::vector<FeedConfig> feeds;  // by URL; of the service only
};

// Vaults that are judged together. Subscriptions in no estate belong to those without a name.
struct EstateConfig {
  std::string name;
  std::vector<std::string> subscriptions;  // lower case
  friend bool operator==(const EstateConfig&, const EstateConfig&) = default;
};

struct Config {
  ListConfig lists;
  std::int64_t lateness_minutes = 15;                                                       // 0..1440
  double alerts_per_thousand_vault_days = AlertBudget::kDefaultAlertsPerThousandVaultDays;  // above 0
  std::int64_t learning_days = 14;                                                          // 0..365
  std::vector<EstateConfig> estates;
  std::vector<Team> teams;
  std::vector<FirstPartyApp> first_party_apps;
  AlertRendering rendering;  // from `estates`
  ServeConfig serve;
  std::vector<OutputOptions> outputs;
};

// `place` (a path) goes into the error's sentence. Relative list paths are taken from `folder`.
[[nodiscard]] Result<Config> parse_config(const std::string& text, const std::string& place, const std::string& folder);
[[nodiscard]] Result<Config> read_config(const std::string& path);

}  // namespace keyvigil
