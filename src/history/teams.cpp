#include "history/teams.h"

#include <algorithm>

#include "base/ascii.h"

namespace keyvigil {

Teams::Teams(const std::vector<Team>& teams) {
  for (const Team& team : teams) {
    for (const std::string& caller : team.callers) { callers_[lower_case(caller)].insert(sizes_.size()); }
    std::set<std::string> vaults;
    for (const std::string& vault : team.vaults) { vaults.insert(lower_case(vault)); }
    for (const std::string& vault : vaults) { vaults_[vault].insert(sizes_.size()); }
    sizes_.push_back(std::max<std::size_t>(1, vaults.size()));
  }
}

const std::set<std::size_t>* Teams::teams_of_vault(std::string_view vault_id) const {
  auto found = vaults_.find(vault_id);
  if (found == vaults_.end()) { found = vaults_.find(vault_id.substr(vault_id.rfind('/') + 1)); }
  return found == vaults_.end() ? nullptr : &found->second;
}

std::optional<double> Teams::popularity(std::initializer_list<std::string_view> caller_names, std::string_view vault_id,
                                        std::span<const std::string_view> vaults_of_caller) const {
  const std::set<std::size_t>* wanted = teams_of_vault(vault_id);
  if (wanted == nullptr) { return std::nullopt; }
  std::map<std::size_t, double> shares;  // of the caller, by team
  for (const std::string_view name : caller_names) {
    const auto found = callers_.find(lower_case(name));
    if (found == callers_.end()) { continue; }
    for (const std::size_t team : found->second) { shares[team] = 1 / static_cast<double>(found->second.size()); }
  }
  if (shares.empty()) {
    if (vaults_of_caller.empty()) { return std::nullopt; }
    for (const std::string_view vault : vaults_of_caller) {
      const std::set<std::size_t>* teams = teams_of_vault(vault);
      if (teams == nullptr) { continue; }
      for (const std::size_t team : *teams) { shares[team] += 1 / static_cast<double>(vaults_of_caller.size()); }
    }
  }
  double popularity = 0;
  for (const std::size_t team : *wanted) {
    const auto share = shares.find(team);
    if (share != shares.end()) { popularity += share->second / static_cast<double>(sizes_[team]); }
  }
  return std::min(1.0, popularity);
}

}  // namespace keyvigil
