// The files of a configuration: what the service writes is nothing that it reads, and lies in no folder that it
// follows; and nothing is waited for, as a pipe would be.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace keyvigil {

// A path at which nothing is, is left to whoever opens it.
[[nodiscard]] Result<void> expect_regular_file(std::string_view role, const std::string& path);

// `config_path`: empty where there is none; `state`: of --state, likewise.
[[nodiscard]] Result<void> check_service_paths(const Config& config, const std::string& config_path,
                                               const std::string& state);

}  // namespace keyvigil
