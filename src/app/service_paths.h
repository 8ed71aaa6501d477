// The files of a configuration: what the service writes is nothing that it reads, and lies in no folder that it
// follows.
#pragma once

#include <string>

#include "app/config.h"
#include "base/result.h"

namespace keyvigil {

// `config_path`: empty where there is none; `state`: of --state, likewise.
[[nodiscard]] Result<void> check_service_paths(const Config& config, const std::string& config_path,
                                               const std::string& state);

}  // namespace keyvigil
