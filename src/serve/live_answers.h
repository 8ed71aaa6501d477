// What the running estates answer to the API: figures, readiness, profiles, alerts that are still open. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "api/live_view.h"
#include "serve/live_estates.h"

namespace keyvigil {

// What is known of inputs beside what came of them.
struct InputReports {
  std::map<std::string, InputReport> reports;  // by name
  std::set<std::string> followed;              // of those that are followed at all
};

// Of inputs, estates and lists; what the loop and the store know is added by others.
[[nodiscard]] LiveFigures live_figures(const LiveEstates& live, const InputReports& inputs);
[[nodiscard]] std::vector<VaultReadiness> readiness(const LiveEstates& live, std::size_t limit);
[[nodiscard]] std::optional<EntityProfile> profile(const LiveEstates& live, const std::string& kind,
                                                   const std::string& key);
[[nodiscard]] std::vector<Alert> open_alerts(const LiveEstates& live, const std::vector<OpenAlertKey>& keys);

}  // namespace keyvigil
