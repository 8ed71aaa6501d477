// The name of this machine, as syslog messages carry it.
#pragma once

#include <string>

namespace keyvigil {

// Empty where the system has none.
[[nodiscard]] std::string host_name();

}  // namespace keyvigil
