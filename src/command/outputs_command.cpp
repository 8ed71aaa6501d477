#include "command/outputs_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <ostream>

#include "alert/printable.h"
#include "alert/sample_alerts.h"
#include "config/config.h"
#include "config/service_paths.h"
#include "serve/host_name.h"
#include "sink/output.h"

namespace keyvigil {
namespace {

constexpr std::size_t kWhyBytes = 1000;
constexpr const char* kNoSubscription = "00000000-0000-0000-0000-000000000000";

Result<std::vector<OutputOptions>> chosen_outputs(const OutputsOptions& options, const Config& config) {
  if (config.outputs.empty()) {
    return fail(ErrorKind::kUsage, fmt::format("{}: expected a section `outputs`, found none", options.config));
  }
  if (options.names.empty()) { return config.outputs; }
  std::vector<OutputOptions> chosen;
  for (const std::string& name : options.names) {
    const auto found = std::ranges::find(config.outputs, name, &OutputOptions::name);
    if (found == config.outputs.end()) {
      return fail(ErrorKind::kUsage, fmt::format("--name: expected an output of {}, found '{}'", options.config, name));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

std::string_view in_words(Attempt::Outcome outcome) {
  switch (outcome) {
    case Attempt::Outcome::kDelivered:
      return "delivered";
    case Attempt::Outcome::kNever:
      return "refused";
    default:
      return "not delivered";
  }
}

}  // namespace

CLI::App* add_outputs_command(CLI::App& app, OutputsOptions& options) {
  CLI::App* command =
      app.add_subcommand("outputs", "Send a sample alert to each configured output, or see dead letters");
  command->add_option("--config", options.config, "Configuration with a section `outputs`")->type_name("FILE");
  command->add_option("--name", options.names, "Only this output; repeatable")->type_name("NAME");
  command->footer(
      "Examples:\n  keyvigil outputs --config keyvigil.yaml --name soc\n"
      "  keyvigil outputs dead list /var/lib/keyvigil/store");
  add_dead_letters_command(*command, options.dead);
  return command;
}

ExitCode run_outputs(const OutputsOptions& options, EventTime now, std::ostream& out, std::ostream& err) {
  if (options.dead.parsed()) { return run_dead_letters(options.dead, now, out, err); }
  auto config = options.config.empty() ? Result<Config>(fail(ErrorKind::kUsage, "expected --config FILE, found none"))
                                       : read_config(options.config);
  if (config) {
    if (auto checked = check_service_paths(*config, options.config, ""); !checked) {
      config = tl::unexpected(checked.error());
    }
  }
  const auto chosen =
      config ? chosen_outputs(options, *config) : Result<std::vector<OutputOptions>>(tl::unexpected(config.error()));
  if (!chosen) {
    err << "keyvigil outputs: " << chosen.error().message << "\n";
    return exit_code_of(chosen.error());
  }
  const OutgoingAlert sample{sample_alerts(kNoSubscription, now).front(), {.simulated = true, .processed = now}};
  const std::atomic<bool> stop = false;
  bool all = true;
  for (const OutputOptions& one : *chosen) {
    const Attempt attempt = Output(one, config->rendering, host_name()).deliver({&sample, 1}, now, stop).at(0);
    const bool delivered = attempt.outcome == Attempt::Outcome::kDelivered;
    all = all && delivered;
    out << fmt::format("{}: {}{}{}\n", one.name, in_words(attempt.outcome), delivered ? "" : ": ",
                       harmless(bounded_utf8(attempt.why, kWhyBytes)));
  }
  out.flush();
  return all && out ? ExitCode::kDone : ExitCode::kInputOutput;
}

}  // namespace keyvigil
