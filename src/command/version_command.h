// keyvigil version: the program's version, and which versions of each format it reads and writes.
#pragma once

#include <string>

namespace keyvigil {

// The whole output: the program's version alone on the first line.
[[nodiscard]] std::string version_text();

}  // namespace keyvigil
