// keyvigil outputs: sends one sample alert to each configured output, and says what became of it; `outputs dead` is
// dead_letters_command.h.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "command/dead_letters_command.h"
#include "command/exit_code.h"

namespace keyvigil {

struct OutputsOptions {
  std::string config;
  std::vector<std::string> names;  // empty: all
  DeadLettersOptions dead;
};

CLI::App* add_outputs_command(CLI::App& app, OutputsOptions& options);

// `now`: the wall clock.
[[nodiscard]] ExitCode run_outputs(const OutputsOptions& options, EventTime now, std::ostream& out, std::ostream& err);

}  // namespace keyvigil
