// keyvigil detect: logs in, alerts out.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command/exit_code.h"
#include "config/config.h"

namespace keyvigil {

struct DetectOptions {
  std::vector<std::string> inputs;
  std::string config;
  std::optional<double> alerts_per_thousand_vault_days;
  std::optional<std::int64_t> learning_days;
  bool show_learning = false;
  std::optional<std::string> only;  // else all fourteen
  ListConfig lists;                 // added to those of the configuration
  std::string state;
  bool final = false;
  std::string format;  // empty: table on a terminal, jsonl elsewhere
  std::string output = "-";
  std::string from;
  std::string until;
  std::string fail_on;
  double max_refused_percent = 1;
  bool allow_empty = false;
  bool all_open = false;
  std::string refused;
  std::string incidents;
  std::string temporary_folder;
  unsigned threads = 0;  // 0: as many as there are cores, at most 4
  bool provenance = false;
  bool quiet = false;
};

CLI::App* add_detect_command(CLI::App& app, DetectOptions& options);

[[nodiscard]] ExitCode run_detect(const DetectOptions& options);

}  // namespace keyvigil
