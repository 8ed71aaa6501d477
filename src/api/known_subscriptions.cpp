#include "api/known_subscriptions.h"

#include "api/arm_answer.h"
#include "api/http_message.h"

namespace keyvigil {
namespace {

constexpr std::size_t kVaultLimit = 100'000;

}  // namespace

std::string subscription_in(std::string_view resource_id) {
  constexpr std::string_view kStart = "/subscriptions/";
  if (!equal_without_case(resource_id.substr(0, kStart.size()), kStart)) { return {}; }
  resource_id.remove_prefix(kStart.size());
  return lower_case(resource_id.substr(0, resource_id.find('/')));
}

std::set<std::string> known_subscriptions(const AlertRendering& rendering, const LiveView& live,
                                          const Principal& principal) {
  std::set<std::string> known = principal.subscriptions.value_or(std::set<std::string>());
  for (const auto& [id, place] : rendering.subscriptions) { known.insert(id); }
  if (live.readiness && !principal.subscriptions) {
    const auto vaults = live.readiness(kVaultLimit);
    if (vaults) {
      for (const VaultReadiness& vault : *vaults) { known.insert(subscription_in(vault.vault_id)); }
    }
  }
  std::erase_if(known, [&](const std::string& id) { return !is_guid(id) || !principal.sees(id); });
  return known;
}

}  // namespace keyvigil
