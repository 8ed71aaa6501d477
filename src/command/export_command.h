// keyvigil export: alerts that are kept already, in any format of detect.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "command/exit_code.h"

namespace keyvigil {

struct ExportOptions {
  std::string store;  // of a service that does not run, or a backup
  std::string state;  // of detect: its open alerts
  std::string config;
  std::string format = "jsonl";
  std::string output = "-";
  std::string from;
  std::string until;
  std::vector<std::string> subscriptions;
};

CLI::App* add_export_command(CLI::App& app, ExportOptions& options);

[[nodiscard]] ExitCode run_export(const ExportOptions& options);

}  // namespace keyvigil
