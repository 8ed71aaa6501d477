// keyvigil explain: one alert with its evidence, for a person or for a program.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

#include "command/exit_code.h"

namespace keyvigil {

struct ExplainOptions {
  std::string id;      // the alert's name, its id, or the beginning of the id
  std::string alerts;  // a file as detect --format jsonl writes it
  std::string state;   // or a state file: alerts that are open in it
  std::string format = "text";
};

CLI::App* add_explain_command(CLI::App& app, ExplainOptions& options);

[[nodiscard]] ExitCode run_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

}  // namespace keyvigil
