#include "command/backup_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <ostream>
#include <system_error>

#include "base/path_guard.h"
#include "store/backup.h"

namespace keyvigil {
namespace {

Result<void> check_paths(const BackupCommandOptions& options) {
  PathGuard guard;
  for (const std::string& path : {options.file, unfinished_backup(options.file)}) {
    if (auto free = guard.writes("FILE", path); !free) { return free; }
  }
  for (const std::string& path : store_files(options.store)) {
    if (auto free = guard.reads("STORE", path); !free) { return free; }
  }
  return {};
}

}  // namespace

CLI::App* add_backup_command(CLI::App& app, BackupCommandOptions& options) {
  CLI::App* command = app.add_subcommand("backup", "Copy a store, also while serve writes to it");
  command->add_option("STORE", options.store, "The store of keyvigil serve")->required();
  command->add_option("FILE", options.file, "The copy: a new file, which serve can start with")->required();
  command->add_flag("--damaged", options.damaged,
                    "Read pages as they are: for a store that serve refuses, or that another program wrote to");
  command->footer(
      "Examples:\n  keyvigil backup /var/lib/keyvigil/store /backup/keyvigil-monday\n"
      "  keyvigil backup --damaged /var/lib/keyvigil/store saved");
  return command;
}

ExitCode run_backup(const BackupCommandOptions& options, std::ostream& out, std::ostream& err) {
  auto done = check_paths(options);
  if (done) { done = back_up_store(options.store, options.file, {options.damaged}); }
  if (!done) {
    err << "keyvigil backup: " << done.error().message << "\n";
    return exit_code_of(done.error());
  }
  std::error_code ignored;
  out << fmt::format("copied {} to {} ({} bytes)\n", options.store, options.file,
                     std::filesystem::file_size(options.file, ignored));
  out.flush();
  return out ? ExitCode::kDone : ExitCode::kInputOutput;
}

}  // namespace keyvigil
