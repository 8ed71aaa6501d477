// What a running service cannot take over from a configuration that was read again.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"

namespace keyvigil {

// Keys that differ and need a restart, as the file names them.
[[nodiscard]] std::vector<std::string> keys_that_need_a_restart(const Config& running, const Config& fresh);

// `fresh`, with the running values of those keys.
[[nodiscard]] Config without_restart(const Config& running, Config fresh);

}  // namespace keyvigil
