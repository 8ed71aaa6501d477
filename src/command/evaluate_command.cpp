#include "command/evaluate_command.h"

#include <fmt/format.h>

#include <ostream>
#include <sstream>

#include "evaluation/evaluation.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kFileLimitBytes = std::size_t{1} << 30U;

// Every line of a file through `parse`; empty lines are passed over.
template <typename Value>
Result<std::vector<Value>> read_lines(const std::string& path, Result<Value> (*parse)(std::string_view)) {
  const auto content = read_whole_file(path, kFileLimitBytes);
  if (!content) { return tl::unexpected(content.error()); }
  std::vector<Value> values;
  std::istringstream lines(*content);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) { continue; }
    auto value = parse(line);
    if (!value) { return fail(value.error().kind, fmt::format("{}:{}: {}", path, number, value.error().message)); }
    values.push_back(std::move(*value));
  }
  return values;
}

Result<evaluation::Evaluation> evaluate_all(const EvaluateOptions& options) {
  if (options.alerts.size() != options.labels.size()) {
    return fail(ErrorKind::kUsage, fmt::format("expected one --labels for each file of alerts; found {} and {}",
                                               options.labels.size(), options.alerts.size()));
  }
  evaluation::Evaluation sum;
  const double vault_days = static_cast<double>(options.vaults) * options.days;
  for (std::size_t i = 0; i < options.alerts.size(); ++i) {
    const auto alerts = read_lines<evaluation::RaisedAlert>(options.alerts[i], evaluation::parse_alert);
    if (!alerts) { return tl::unexpected(alerts.error()); }
    const auto labels = read_lines<evaluation::CampaignLabel>(options.labels[i], evaluation::parse_label);
    if (!labels) { return tl::unexpected(labels.error()); }
    evaluation::add_run(sum, *alerts, *labels, vault_days);
  }
  return sum;
}

}  // namespace

CLI::App* add_evaluate_command(CLI::App& app, EvaluateOptions& options) {
  CLI::App* command = app.add_subcommand("evaluate", "Compare alerts with the attacks that were planted");
  command->add_option("ALERTS", options.alerts, "Alerts as detect --format jsonl writes them; one file per run")
      ->required();
  command->add_option("--labels", options.labels, "Labels of simulate; one file per run, in the same order")
      ->required();
  command->add_option("--vaults", options.vaults, "Vaults of each run, for false alerts per 1000 vault-days");
  command->add_option("--days", options.days, "Days of each run");
  command->add_option("--format", options.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("--markdown", options.markdown, "Tables for a document");
  command->footer(
      "Example:\n  keyvigil evaluate alerts.jsonl --labels labels.jsonl --vaults 80 --days 45\n"
      "Two runs:\n  keyvigil evaluate a.jsonl b.jsonl --labels a-labels.jsonl --labels b-labels.jsonl");
  return command;
}

ExitCode run_evaluate(const EvaluateOptions& options, std::ostream& out, std::ostream& err) {
  const auto sum = evaluate_all(options);
  if (!sum) {
    err << "keyvigil evaluate: " << sum.error().message << "\n";
    return exit_code_of(sum.error());
  }
  out << (options.format == "json" ? evaluation::evaluation_json(*sum)
                                   : evaluation::evaluation_text(*sum, options.markdown));
  out.flush();
  return out ? ExitCode::kDone : ExitCode::kInputOutput;
}

}  // namespace keyvigil
