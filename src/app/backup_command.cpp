#include "app/backup_command.h"

#include <fmt/format.h>

#include "store/backup.h"

namespace keyvigil {

ExitCode run_backup(const BackupWords& options) {
  const auto done = back_up_store(options.store, options.output, BackupOptions{options.damaged});
  if (done) { return ExitCode::kDone; }
  fmt::print(stderr, "keyvigil backup: {}\n", done.error().message);
  return exit_code_of(done.error());
}

CLI::App* add_backup_command(CLI::App& app, BackupWords& options) {
  CLI::App* command = app.add_subcommand("backup", "Copy the store of a service, whether it runs or not");
  command->add_option("STORE", options.store, "The store: serve.store of the configuration")->required();
  command->add_option("OUTPUT", options.output, "The copy, a file that does not exist yet")->required();
  command->add_flag("--damaged", options.damaged, "Read a store that `serve` refuses: what is damaged may come along");
  command->footer(
      "Example:\n"
      "  keyvigil backup /var/lib/keyvigil/keyvigil.db /backup/keyvigil-$(date +%F).db\n"
      "To restore, stop the service and put the copy in the store's place.");
  return command;
}

}  // namespace keyvigil
