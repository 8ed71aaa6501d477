// What differs between the configuration of a running service and one that was read again.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace keyvigil {

// Keys as the file names them.
struct ConfigChanges {
  std::vector<std::string> taken_over;
  // The store and the address are what the service is; how requests are read, and what stands in the ids of alerts that
  // others know already, does not change under them.
  std::vector<std::string> need_restart;
};
[[nodiscard]] ConfigChanges config_changes(const Config& running, const Config& fresh);

// `fresh`, with the running values of the keys that need a restart.
[[nodiscard]] Config without_restart(const Config& running, Config fresh);

}  // namespace keyvigil
