// keyvigil backup: a whole copy of the service's store, while it runs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "app/exit_code.h"

namespace keyvigil {

struct BackupWords {
  std::string store;
  std::string output;
  bool damaged = false;  // the store cannot be opened any more
};

CLI::App* add_backup_command(CLI::App& app, BackupWords& options);
[[nodiscard]] ExitCode run_backup(const BackupWords& options);

}  // namespace keyvigil
