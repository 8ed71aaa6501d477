// What a configuration names and the service reads only when it needs it: whether it is there, said at the start and at
// a reload, and not when the first alert goes out.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace keyvigil {

// Secrets of outputs and key sets in files. The error names the key and the place, never the content.
[[nodiscard]] Result<void> check_secrets(const Config& config);

}  // namespace keyvigil
