// keyvigil token: a new bearer token, and what of it goes into the configuration.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

namespace keyvigil {

CLI::App* add_token_command(CLI::App& app);
void run_token(std::ostream& out);

}  // namespace keyvigil
