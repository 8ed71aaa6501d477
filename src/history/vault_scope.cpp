#include "history/vault_scope.h"

#include <algorithm>
#include <string>

#include "base/hash.h"

namespace keyvigil {
namespace {

// The environments of Microsoft's naming guidance (Cloud Adoption Framework, "Define your naming convention"), and
// their usual short forms.
constexpr auto kEnvironments =
    std::to_array<std::string_view>({"acc", "dev", "development", "int", "nonprod", "prd", "prod", "production", "qa",
                                     "sandbox", "shared", "stage", "staging", "stg", "test", "tst", "uat"});
static_assert(std::ranges::is_sorted(kEnvironments));

// What stands between slash number `slashes` + 1 and the next one; empty where there is none.
std::string_view part(std::string_view id, std::size_t slashes) {
  std::size_t from = 0;
  for (; slashes > 0; --slashes) {
    from = id.find('/', from);
    if (from == std::string_view::npos) { return {}; }
    ++from;
  }
  const std::size_t to = id.find('/', from);
  return to == std::string_view::npos ? std::string_view() : id.substr(from, to - from);
}

std::string without_environment(std::string_view name) {
  std::string kept;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find_first_of("-_."), name.size());
    const std::string_view word = name.substr(0, end);
    if (!std::ranges::binary_search(kEnvironments, word)) { kept.append(word).append(1, '-'); }
    name.remove_prefix(std::min(name.size(), end + 1));
  }
  return kept;
}

}  // namespace

VaultScopes scopes_of(std::string_view vault_id) {
  constexpr std::size_t kSubscription = 2;  // "/subscriptions/S/resourcegroups/G/..."
  constexpr std::size_t kGroup = 4;
  const std::uint64_t alone = hash64(vault_id);
  VaultScopes scopes = {alone, alone, alone};
  const std::string_view subscription = part(vault_id, kSubscription);
  const std::string_view group = part(vault_id, kGroup);
  if (!subscription.empty()) { scopes[2] = hash64("subscription " + std::string(subscription)); }
  if (group.empty()) { return scopes; }
  scopes[0] = hash64("group " + std::string(subscription) + "/" + std::string(group));
  const std::string stem = without_environment(group);
  if (!stem.empty()) { scopes[1] = hash64("stem " + stem); }
  return scopes;
}

}  // namespace keyvigil
