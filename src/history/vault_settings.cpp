#include "history/vault_settings.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 5> kNetworkParts = {"bypass", "defaultaction", "iprules", "subnetrules",
                                                           "publicaccess"};

}  // namespace

bool tells_settings(const AccessEvent& event) {
  return event.rbac_authorization != TriState::kAbsent || !event.get(TextField::kNetworkAcls).empty();
}

bool VaultSettings::learn(const AccessEvent& event) {
  bool differs = false;
  if (event.rbac_authorization != TriState::kAbsent) {
    const TriState before = std::exchange(rbac_authorization_, event.rbac_authorization);
    differs = before != TriState::kAbsent && before != rbac_authorization_;
  }
  std::string_view rest = event.get(TextField::kNetworkAcls);
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t sign = part.find('=');
    const auto* name = std::ranges::find(kNetworkParts, part.substr(0, sign));
    if (name == kNetworkParts.end() || sign == std::string_view::npos || sign + 1 == part.size()) { continue; }
    const auto told = static_cast<std::uint32_t>(hash64(part)) | 1U;
    const std::uint32_t before = std::exchange(network_[static_cast<std::size_t>(name - kNetworkParts.begin())], told);
    differs = differs || (before != 0 && before != told);
  }
  return differs;
}

}  // namespace keyvigil
