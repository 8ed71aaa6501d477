// keyvigil completion: a shell's completion script, made from the commands and options themselves.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace keyvigil {

// `shell`: bash, zsh or fish.
[[nodiscard]] std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace keyvigil
