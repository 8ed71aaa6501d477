// keyvigil evaluate: how well the alerts of `detect` match the campaigns that `simulate` planted.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command/exit_code.h"

namespace keyvigil {

struct EvaluateOptions {
  std::vector<std::string> alerts;  // one file of jsonl per run
  std::vector<std::string> labels;  // the same count, in the same order
  std::uint32_t vaults = 0;         // of each run; 0 = not said, no rates
  std::uint32_t days = 0;
  std::string format = "text";
  bool markdown = false;
};

CLI::App* add_evaluate_command(CLI::App& app, EvaluateOptions& options);

[[nodiscard]] ExitCode run_evaluate(const EvaluateOptions& options, std::ostream& out, std::ostream& err);

}  // namespace keyvigil
