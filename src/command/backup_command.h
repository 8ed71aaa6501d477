// keyvigil backup: a whole copy of a store, while `keyvigil serve` writes to it; or of a damaged one, what can be read.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

#include "command/exit_code.h"

namespace keyvigil {

struct BackupCommandOptions {
  std::string store;
  std::string file;  // must not exist
  bool damaged = false;
};

CLI::App* add_backup_command(CLI::App& app, BackupCommandOptions& options);

[[nodiscard]] ExitCode run_backup(const BackupCommandOptions& options, std::ostream& out, std::ostream& err);

}  // namespace keyvigil
