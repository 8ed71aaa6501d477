// VaultSettings: who is let into a vault by its configuration, as last told, to see when it changes.
//
// Records tell parts: each is compared with the same part told before, and only then. Hashes are kept. A plain value.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "event/access_event.h"

namespace keyvigil {

class VaultSettings {
 public:
  // Takes over what the event tells. True: a part that was known is another one now.
  bool learn(const AccessEvent& event);

  auto fields() { return std::tie(rbac_authorization_, network_); }

 private:
  TriState rbac_authorization_ = TriState::kAbsent;
  // Of bypass, default action, address rules, subnet rules and public access (TextField::kNetworkAcls); 0: not told.
  std::array<std::uint32_t, 5> network_{};
};

// Whether the event tells any setting.
[[nodiscard]] bool tells_settings(const AccessEvent& event);

}  // namespace keyvigil
