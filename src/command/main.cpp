// keyvigil: the program. Each command is a file of its own in this room.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include "command/backup_command.h"
#include "command/catalogue_command.h"
#include "command/completion_command.h"
#include "command/detect_command.h"
#include "command/evaluate_command.h"
#include "command/exit_code.h"
#include "command/explain_command.h"
#include "command/export_command.h"
#include "command/intel_command.h"
#include "command/outputs_command.h"
#include "command/serve_command.h"
#include "command/simulate_command.h"
#include "command/token_command.h"
#include "command/version_command.h"
#include "config/lists.h"
#include "serve/service.h"
#include "source/byte_stream.h"

namespace {

using namespace keyvigil;

int print_catalogue(const std::string& format) {
  const auto text = catalogue_text(format);
  if (!text) {
    fmt::print(stderr, "keyvigil catalogue: {}\n", text.error().message);
    return static_cast<int>(exit_code_of(text.error()));
  }
  fmt::print("{}", *text);
  return 0;
}

int check_lists(const std::vector<std::string>& files, const ListOptions& options) {
  std::vector<NamedContent> contents;
  for (const std::string& file : files) {
    auto content = read_whole_file(file, kListLimitBytes);
    if (!content) {
      fmt::print(stderr, "keyvigil intel check: {}\n", content.error().message);
      return static_cast<int>(ExitCode::kInputOutput);
    }
    contents.push_back({file, *std::move(content), std::nullopt});
  }
  return run_intel_check(contents, options, std::cout, std::cerr);
}

// CLI11's own codes are not ours: whatever the words were, it is a usage error.
int usage(const CLI::App& app, const CLI::ParseError& error) {
  return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
}

int run(int argc, char** argv) {
  // A closed pipe is an error of writing, reported as such.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("KeyVigil: a threat detector for Azure Key Vault audit logs", "keyvigil");
  app.require_subcommand(1);
  app.footer(
      "Example:\n  keyvigil detect exported-logs/ --tor exits.txt\n`keyvigil COMMAND --help` has examples of each.");
  app.set_help_all_flag("--help-all", "Help of every command");
  app.set_version_flag("--version", "keyvigil " KEYVIGIL_VERSION);

  DetectOptions detect;
  const CLI::App* detect_command = add_detect_command(app, detect);

  ServeOptions serve;
  const CLI::App* serve_command = add_serve_command(app, serve);

  TokenOptions token;
  const CLI::App* token_command = add_token_command(app, token);

  SimulateOptions simulate;
  const CLI::App* simulate_command = add_simulate_command(app, simulate);

  EvaluateOptions evaluate;
  const CLI::App* evaluate_command = add_evaluate_command(app, evaluate);

  ExplainOptions explain;
  const CLI::App* explain_command = add_explain_command(app, explain);

  BackupCommandOptions backup;
  const CLI::App* backup_command = add_backup_command(app, backup);

  ExportOptions export_options;
  const CLI::App* export_command = add_export_command(app, export_options);

  OutputsOptions outputs;
  const CLI::App* outputs_command = add_outputs_command(app, outputs);

  std::string catalogue_format = "table";
  CLI::App* catalogue_command =
      app.add_subcommand("catalogue", "Print the fourteen alert types and which can fire yet");
  catalogue_command->add_option("--format", catalogue_format, "table or jsonl")->capture_default_str();
  catalogue_command->footer("Example:\n  keyvigil catalogue --format jsonl");

  CLI::App* intel_command = app.add_subcommand("intel", "Threat lists");
  intel_command->require_subcommand(1);
  intel_command->footer("Example:\n  keyvigil intel check exits.txt drop.json");
  std::vector<std::string> list_files;
  ListOptions list_options;
  CLI::App* check_command = intel_command->add_subcommand("check", "Say what was understood of each list");
  check_command->add_option("FILE", list_files, "Lists; the format is found from the content")->required();
  check_command->add_option("--minimum-confidence", list_options.minimum_confidence, "Leave out entries that say less")
      ->check(CLI::Range(0, 100));
  check_command->add_flag("--allow-non-global", list_options.allow_non_global, "Take private and reserved space");
  check_command->footer("Example:\n  keyvigil intel check exits.txt drop.json ServiceTags_Public.json");

  std::string shell;
  CLI::App* completion_command = app.add_subcommand("completion", "Print a completion script for a shell");
  completion_command->add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion_command->footer("Example:\n  source <(keyvigil completion bash)");

  const CLI::App* version_command = app.add_subcommand("version", "Print the version, and which formats it reads")
                                        ->footer("Example:\n  keyvigil version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return usage(app, error); }

  if (detect_command->parsed()) { return static_cast<int>(run_detect(detect)); }
  if (serve_command->parsed()) { return static_cast<int>(run_serve(serve)); }
  if (token_command->parsed()) {
    run_token(token, std::cout);
    return 0;
  }
  if (simulate_command->parsed()) { return run_simulate(simulate, std::cerr); }
  if (evaluate_command->parsed()) { return static_cast<int>(run_evaluate(evaluate, std::cout, std::cerr)); }
  if (explain_command->parsed()) { return static_cast<int>(run_explain(explain, std::cout, std::cerr)); }
  if (backup_command->parsed()) { return static_cast<int>(run_backup(backup, std::cout, std::cerr)); }
  if (export_command->parsed()) { return static_cast<int>(run_export(export_options)); }
  if (outputs_command->parsed()) { return static_cast<int>(run_outputs(outputs, wall_clock(), std::cout, std::cerr)); }
  if (catalogue_command->parsed()) { return print_catalogue(catalogue_format); }
  if (check_command->parsed()) { return check_lists(list_files, list_options); }
  if (completion_command->parsed()) {
    fmt::print("{}", completion_script(app, shell));
    return 0;
  }
  if (version_command->parsed()) { fmt::print("{}", version_text()); }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    // Only the library throws, and only where nothing is left to do: no memory.
    std::fputs("keyvigil: stopped: ", stderr);
    std::fputs(error.what(), stderr);
    std::fputs("\n", stderr);
    return static_cast<int>(ExitCode::kInputOutput);
  }
}
