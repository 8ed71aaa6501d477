#include "command/explain_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>
#include <vector>

#include "alert/arm_json.h"
#include "alert/printable.h"
#include "base/bounded_json.h"
#include "detect/reasons.h"
#include "engine/checkpoint.h"
#include "estate/estate_sections.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kFileLimitBytes = std::size_t{1} << 30U;
constexpr std::size_t kLeastIdBytes = 4;
constexpr std::size_t kRowsShown = 20;
constexpr std::size_t kContributorsShown = 5;
constexpr std::size_t kBarColumns = 40;

// Alerts are files: anybody may have written them, so no text goes to a terminal as it is.
std::string text_at(const Json& json, std::string_view key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? harmless(found->get<std::string>()) : std::string();
}

double number_at(const Json& json, std::string_view key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

const Json& part_of(const Json& json, std::string_view key) {
  static const Json kNothing = Json::object();  // a constant, not a state
  const auto found = json.find(key);
  return found != json.end() ? *found : kNothing;
}

bool is_meant(const Json& alert, const std::string& id) {
  const std::string name = text_at(alert, "name");
  const std::string guid = name.substr(name.find('_') + 1);
  return name == id || (id.size() >= kLeastIdBytes && guid.starts_with(id));
}

Result<std::vector<Json>> alerts_of_file(const std::string& path) {
  const auto content = read_whole_file(path, kFileLimitBytes);
  if (!content) { return tl::unexpected(content.error()); }
  std::vector<Json> alerts;
  std::istringstream lines(*content);
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) { continue; }
    Json alert = parse_bounded_json<Json>(line);
    if (!alert.is_object() || !part_of(alert, "properties").contains("alertType")) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("{}:{}: expected an alert as detect --format jsonl writes it, found something else", path,
                              number));
    }
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Result<std::vector<Json>> alerts_of_state(const std::string& path) {
  const auto checkpoint = read_checkpoint(path);
  if (!checkpoint) { return tl::unexpected(checkpoint.error()); }
  const auto saved = saved_alerts(*checkpoint, path);
  if (!saved) { return tl::unexpected(saved.error()); }
  std::vector<Json> alerts;
  for (const Alert& alert : *saved) { alerts.push_back(arm_json(alert, {})); }
  return alerts;
}

// The newest revision stands last.
Result<Json> find_alert(const ExplainOptions& options) {
  if (options.alerts.empty() == options.state.empty()) {
    return fail(ErrorKind::kUsage, "expected either --alerts FILE or --state FILE");
  }
  auto alerts = options.state.empty() ? alerts_of_file(options.alerts) : alerts_of_state(options.state);
  if (!alerts) { return tl::unexpected(alerts.error()); }
  const Json* found = nullptr;
  for (const Json& alert : *alerts) {
    if (!is_meant(alert, options.id)) { continue; }
    if (found != nullptr && text_at(*found, "name") != text_at(alert, "name")) {
      return fail(
          ErrorKind::kUsage,
          fmt::format("expected the id of one alert, found that '{}' begins several; give more of it", options.id));
    }
    found = &alert;
  }
  if (found != nullptr) { return *found; }
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(alerts->size(), 3); ++i) {
    some += fmt::format("{} {}", i == 0 ? "" : ",", text_at((*alerts)[i], "name"));
  }
  return fail(
      ErrorKind::kUsage,
      fmt::format("no alert '{}' among {}{}{}; expected a name, its part after '_', or at least {} letters of it",
                  options.id, alerts->size(), some.empty() ? "" : ", such as", some, kLeastIdBytes));
}

std::string bar(double value, double most) {
  const double share = most > 0 ? std::clamp(value / most, 0.0, 1.0) : 0;
  return std::string(static_cast<std::size_t>(std::lround(share * static_cast<double>(kBarColumns))), '#');
}

void print_reasons(const Json& evidence, std::ostream& out) {
  out << "\nWhy\n";
  for (const Json& reason : part_of(evidence, "reasons")) {
    out << fmt::format("  - {} [{}]\n", text_at(reason, "sentence"), text_at(reason, "code"));
    const double observed = number_at(reason, "observed");
    const double usual = number_at(reason, "usual");
    // Bars of the same thing only, and only where it is more than usual.
    if (!reason.contains("usual") || !(observed > usual)) { continue; }
    out << fmt::format("      here  {:>8.6g} {}\n", observed, bar(observed, observed));
    out << fmt::format("      usual {:>8.3g} {}\n", usual, bar(usual, observed));
  }
}

void print_verdict(const Json& evidence, std::ostream& out) {
  if (!evidence.contains("verdict")) { return; }
  const Json& verdict = part_of(evidence, "verdict");
  const auto frequency = [&verdict](std::string_view key) {
    return frequency_in_words(number_at(verdict, key), "active day");
  };
  out << fmt::format("\nHow rare\n  by model expected {}, by experience {}; alerts are raised up to {}\n",
                     frequency("modelP"), frequency("calibratedP"), frequency("threshold"));
  out << fmt::format("  budget: {:.3g} alerts a day for all types; {:.0f} tests of this type a day\n",
                     number_at(verdict, "alertsPerDay"), number_at(verdict, "testsPerDay"));
}

void print_contributors(const Json& evidence, std::ostream& out) {
  if (!evidence.contains("contributors")) { return; }
  out << "\nWho did it\n";
  std::size_t shown = 0;
  for (const Json& contributor : part_of(evidence, "contributors")) {
    if (shown++ == kContributorsShown) {
      out << "  ...\n";
      break;
    }
    out << fmt::format("  {:>7.0f} {:>5.1f} %  {}\n", number_at(contributor, "events"),
                       number_at(contributor, "sharePercent"), text_at(contributor, "caller"));
  }
}

void print_objects(const Json& objects, std::ostream& out) {
  std::size_t shown = 0;
  for (const Json& object : objects) {
    if (shown++ == kRowsShown) {
      out << "  ... (--format json has them all)\n";
      break;
    }
    const std::string version = text_at(object, "version");
    out << fmt::format("  {} {}{}\n", text_at(object, "vault"), text_at(object, "object"),
                       version.empty() ? "" : " version " + version);
  }
}

void print_rotation_list(const Json& evidence, std::ostream& out) {
  const Json& list = part_of(evidence, "rotationList");
  const auto heading = [&](std::string_view words, std::string_view key, std::string_view complete) {
    const std::size_t count = part_of(list, key).size();
    out << fmt::format("\n{}: {} object{}{}\n", words, count, count == 1 ? "" : "s",
                       list.value(std::string(complete), true) ? "" : ", and perhaps more that were not kept");
    print_objects(part_of(list, key), out);
  };
  heading("To rotate, read in the suspicious part", "objects", "complete");
  if (!part_of(list, "alsoRead").empty()) {
    heading("Also read by this identity meanwhile", "alsoRead", "alsoReadComplete");
  }
}

void print_records(const Json& evidence, std::ostream& out) {
  const Json& records = part_of(evidence, "records");
  out << fmt::format("\nRecords ({} of {} that belong to the alert)\n", records.size(),
                     number_at(evidence, "recordsTotal"));
  if (part_of(evidence, "observed").value("earlierEventsMissing", false)) {
    out << "  earlier ones were no longer at hand when the alert was raised\n";
  }
  std::size_t shown = 0;
  for (const Json& record : records) {
    if (shown++ == kRowsShown) {
      out << "  ... (--format json has them all)\n";
      break;
    }
    const std::string object = text_at(record, "object");
    const std::string for_whom = text_at(record, "forWhom");
    out << fmt::format("  {} {:<10} {:<9} {:<18} {:<15} {}{}{}\n", text_at(record, "time"), text_at(record, "part"),
                       text_at(record, "outcome"), text_at(record, "operation"), text_at(record, "address"),
                       text_at(record, "vault"), object.empty() ? "" : " " + object,
                       for_whom.empty() ? "" : " for " + for_whom);
  }
}

void print_for_a_person(const Json& alert, std::ostream& out) {
  const Json& properties = part_of(alert, "properties");
  const Json& extended = part_of(properties, "extendedProperties");
  const Json& evidence = part_of(properties, "supportingEvidence");
  out << fmt::format("{} ({})\n", text_at(properties, "alertDisplayName"), text_at(properties, "alertType"));
  out << fmt::format("  severity {}, confidence {}, {}{}\n", text_at(properties, "severity"),
                     text_at(extended, "confidence"), text_at(properties, "intent"),
                     properties.value("open", false) ? ", still open" : "");
  out << fmt::format("  vault    {}\n  caller   {}\n  from     {} to {}\n", text_at(properties, "compromisedEntity"),
                     text_at(extended, "caller"), text_at(properties, "startTimeUtc"),
                     text_at(properties, "endTimeUtc"));
  out << fmt::format("  id       {}\n\n{}\n", text_at(alert, "name"), text_at(properties, "description"));
  print_reasons(evidence, out);
  print_verdict(evidence, out);
  out << fmt::format("\nWhat else it could be\n  {}\n  {}\n", text_at(evidence, "nearestExplanation"),
                     text_at(evidence, "counterfactual"));
  print_contributors(evidence, out);
  print_rotation_list(evidence, out);
  out << "\nWhat to do\n";
  for (const Json& step : part_of(properties, "remediationSteps")) {
    if (step.is_string()) { out << fmt::format("  - {}\n", harmless(step.get<std::string>())); }
  }
  print_records(evidence, out);
}

}  // namespace

CLI::App* add_explain_command(CLI::App& app, ExplainOptions& options) {
  CLI::App* command = app.add_subcommand("explain", "Print one alert with its evidence");
  command->add_option("ALERT-ID", options.id, "Name of the alert, its part after '_', or the beginning of that")
      ->required();
  command->add_option("--alerts", options.alerts, "Alerts as detect --format jsonl writes them")->type_name("FILE");
  command->add_option("--state", options.state, "State of detect: the alerts that are open in it")->type_name("FILE");
  command->add_option("--format", options.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer("Example:\n  keyvigil explain 1f0c2a --alerts alerts.jsonl");
  return command;
}

ExitCode run_explain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
  const auto alert = find_alert(options);
  if (!alert) {
    err << "keyvigil explain: " << alert.error().message << "\n";
    return exit_code_of(alert.error());
  }
  if (options.format == "json") {
    out << alert->dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    print_for_a_person(*alert, out);
  }
  out.flush();
  return out ? ExitCode::kDone : ExitCode::kInputOutput;
}

}  // namespace keyvigil
