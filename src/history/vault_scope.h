// Vault scopes: what a vault's resource id says about whom it belongs to.
//
// Three scopes, from narrow to wide: its resource group; the group's name without the words for an environment, in any
// subscription, because an application's development and production vaults lie apart; its subscription. Names of groups
// are chosen by the estate's owners, not by callers. Threads: pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace keyvigil {

inline constexpr std::size_t kVaultScopeCount = 3;
using VaultScopes = std::array<std::uint64_t, kVaultScopeCount>;  // hashes
inline constexpr std::array<double, kVaultScopeCount> kVaultScopeWeights = {0.4, 0.4, 0.2};

// REQUIRES: lower case. A scope that the id does not have is the hash of the whole id: shared with nothing.
[[nodiscard]] VaultScopes scopes_of(std::string_view vault_id);

}  // namespace keyvigil
