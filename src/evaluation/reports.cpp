#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "evaluation/evaluation.h"

namespace keyvigil::evaluation {
namespace {

double per_thousand(double count, double vault_days) {
  return vault_days > 0 ? count * 1000 / vault_days : 0;
}

std::string row(const std::vector<std::string>& cells, bool markdown) {
  return markdown ? fmt::format("| {} |\n", fmt::join(cells, " | ")) : fmt::format("{}\n", fmt::join(cells, "\t"));
}

std::string heading(const std::vector<std::string>& cells, bool markdown) {
  std::string out = row(cells, markdown);
  if (markdown) { out += row(std::vector<std::string>(cells.size(), "---"), true); }
  return out;
}

std::string found_by(const ScenarioScore& score) {
  std::vector<std::string> parts;
  for (const auto& [type, count] : score.found_by) { parts.push_back(fmt::format("{} {}", type, count)); }
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, ", "));
}

// Of found campaigns only: where nothing was found there is no figure.
std::string middle(const std::vector<double>& values) {
  return values.empty() ? "-" : fmt::format("{:.1f}", median(values));
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation, bool markdown) {
  std::string out = heading({"scenario", "strength", "caller", "campaigns", "found", "found by", "median events",
                             "median seconds", "median credentials read before"},
                            markdown);
  for (const auto& [key, score] : evaluation.scenarios) {
    const auto& [name, strength, caller] = key;
    out += row({name, strength, caller, std::to_string(score.campaigns), std::to_string(score.found), found_by(score),
                middle(score.events), middle(score.seconds), middle(score.credential_reads)},
               markdown);
  }
  out += "\n" + heading({"alert", "in attacks", "on users", "runs", "on apps", "runs", "false in twins",
                         "false elsewhere", "false per 1000 vault-days", "95 % interval"},
                        markdown);
  for (const auto& [type, score] : evaluation.types) {
    const std::uint64_t wrong = score.false_in_twins + score.false_elsewhere;
    const auto [low, high] = poisson_interval(wrong);
    const double days = evaluation.vault_days;
    const auto of_runs = [&](std::uint64_t runs) { return fmt::format("{} of {}", runs, evaluation.runs); };
    out += row({type, std::to_string(score.fired), std::to_string(score.on_users), of_runs(score.runs_on_users),
                std::to_string(score.on_apps), of_runs(score.runs_on_apps), std::to_string(score.false_in_twins),
                std::to_string(score.false_elsewhere),
                days > 0 ? fmt::format("{:.2f}", per_thousand(static_cast<double>(wrong), days)) : "-",
                days > 0 ? fmt::format("{:.2f} to {:.2f}", per_thousand(low, days), per_thousand(high, days)) : "-"},
               markdown);
  }
  return out;
}

std::string evaluation_json(const Evaluation& evaluation) {
  nlohmann::ordered_json out = {{"vaultDays", evaluation.vault_days},
                                {"runs", evaluation.runs},
                                {"scenarios", nlohmann::ordered_json::array()},
                                {"alerts", nlohmann::ordered_json::array()}};
  for (const auto& [key, score] : evaluation.scenarios) {
    const auto& [name, strength, caller] = key;
    nlohmann::ordered_json line = {{"name", name},          {"strength", strength},
                                   {"callerClass", caller}, {"campaigns", score.campaigns},
                                   {"found", score.found},  {"foundBy", score.found_by}};
    if (score.found > 0) {
      line["medianEvents"] = median(score.events);
      line["medianSeconds"] = median(score.seconds);
      line["medianCredentialReads"] = median(score.credential_reads);
    }
    out["scenarios"].push_back(std::move(line));
  }
  for (const auto& [type, score] : evaluation.types) {
    nlohmann::ordered_json line = {{"type", type},
                                   {"inAttacks", score.fired},
                                   {"onUsers", score.on_users},
                                   {"onApps", score.on_apps},
                                   {"runsOnUsers", score.runs_on_users},
                                   {"runsOnApps", score.runs_on_apps},
                                   {"runsInTwins", score.runs_in_twins},
                                   {"falseInTwins", score.false_in_twins},
                                   {"falseElsewhere", score.false_elsewhere}};
    if (evaluation.vault_days > 0) {
      const std::uint64_t wrong = score.false_in_twins + score.false_elsewhere;
      const auto [low, high] = poisson_interval(wrong);
      line["falsePerThousandVaultDays"] = per_thousand(static_cast<double>(wrong), evaluation.vault_days);
      line["interval95"] = {per_thousand(low, evaluation.vault_days), per_thousand(high, evaluation.vault_days)};
    }
    out["alerts"].push_back(std::move(line));
  }
  return out.dump(2) + "\n";
}

}  // namespace keyvigil::evaluation
