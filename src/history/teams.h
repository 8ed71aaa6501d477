// Teams: which callers and vaults belong together by what the owners of the estate say. Where they say it, it stands in
// place of what the names of resource groups suggest (vault_scope.h).
//
// Callers are named by object id, user principal name, application id or managed identity; vaults by name or resource
// id; both may be in several teams. Compared in lower case. Immutable; threads: may be read by all.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keyvigil {

struct Team {
  std::string name;
  std::vector<std::string> callers;
  std::vector<std::string> vaults;
  friend bool operator==(const Team&, const Team&) = default;
};

class Teams {
 public:
  Teams() = default;
  explicit Teams(const std::vector<Team>& teams);

  [[nodiscard]] bool empty() const { return sizes_.empty(); }
  // The chance that a caller of these names turns to this vault rather than to others of its teams: its team's share
  // over the size of the team, 0 where they have no team in common. A caller in no team is of the teams of the vaults
  // it uses. Nothing where the vault is in no team, or the caller has neither a team nor vaults.
  [[nodiscard]] std::optional<double> popularity(std::initializer_list<std::string_view> caller_names,
                                                 std::string_view vault_id,
                                                 std::span<const std::string_view> vaults_of_caller) const;

 private:
  using Members = std::map<std::string, std::set<std::size_t>, std::less<>>;  // team numbers by name

  [[nodiscard]] const std::set<std::size_t>* teams_of_vault(std::string_view vault_id) const;

  Members callers_;
  Members vaults_;
  std::vector<std::size_t> sizes_;  // vaults, by team
};

}  // namespace keyvigil
