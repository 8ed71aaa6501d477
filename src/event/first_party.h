// Microsoft's own service principals and clients, by application id, and what each does in vaults on its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/access_event.h"

namespace keyvigil {

// REQUIRES: lower case. A service of Microsoft, as opposed to its clients of users (CLI, portal); callers must still
// check that the token is app-only.
[[nodiscard]] bool is_first_party_app(std::string_view app_id);

// What a service does in vaults on its own, by the documentation of each service's use of customer-managed keys,
// certificates or inventory.
enum class Routine : std::uint8_t {
  kClient,     // no service: people sign in with it
  kInventory,  // reads the properties of vaults
  kScan,       // reads properties of vaults and objects, and their names; no secret
  kKeys,       // wraps and unwraps with customer-managed keys
  kSecrets,    // fetches certificates and secrets that were bound to it
  kBackup,     // backs keys and secrets up
};
// As the configuration names them: "inventory", "scan", "keys", "secrets", "backup".
[[nodiscard]] std::string_view to_string(Routine routine);  // "" for a client
[[nodiscard]] std::optional<Routine> parse_routine(std::string_view name);

struct FirstPartyApp {
  std::string app_id;  // lower case
  Routine routine = Routine::kInventory;
  friend bool operator==(const FirstPartyApp&, const FirstPartyApp&) = default;
};

// The built-in services, and those that a configuration adds. An immutable value.
class FirstPartyApps {
 public:
  FirstPartyApps() = default;
  // One that is built in may be given another routine.
  explicit FirstPartyApps(std::vector<FirstPartyApp> more);

  // Whether the event is what its caller, a service and no person, is known to do on its own: the sweep of VaultGet by
  // Azure Resource Graph is a routine, a SecretGet by it is not. The properties of a vault are read by any service; a
  // service that the vault itself let through as trusted may read what holds no secret.
  [[nodiscard]] bool is_routine(const AccessEvent& event) const;

 private:
  [[nodiscard]] std::optional<Routine> routine_of(const AccessEvent& event) const;

  std::vector<FirstPartyApp> more_;  // ordered by id
};

// A short name for well-known client applications ("Azure CLI"), or "".
[[nodiscard]] std::string_view known_app_name(std::string_view app_id);

}  // namespace keyvigil
