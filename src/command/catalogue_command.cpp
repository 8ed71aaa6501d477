#include "command/catalogue_command.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "catalogue/catalogue.h"
#include "detect/detectors.h"

namespace keyvigil {
namespace {

bool can_fire(AlertType type) {
  return std::any_of(kDetectors.begin(), kDetectors.end(), [&](const DetectorRow& row) { return row.type == type; });
}

std::string as_table() {
  std::size_t code_width = 0;
  std::size_t intent_width = 0;
  for (const CatalogueRow& row : catalogue()) {
    code_width = std::max(code_width, row.code.size());
    intent_width = std::max(intent_width, row.intent.size());
  }
  std::string out = fmt::format("{:<{}}  {:<8}  {:<{}}  {:<8}  {}\n", "ALERT TYPE", code_width, "SEVERITY", "TACTICS",
                                intent_width, "CAN FIRE", "NAME");
  for (const CatalogueRow& row : catalogue()) {
    out += fmt::format("{:<{}}  {:<8}  {:<{}}  {:<8}  {}\n", row.code, code_width, to_string(row.severity), row.intent,
                       intent_width, can_fire(row.type) ? "yes" : "not yet", row.display_name);
  }
  return out + fmt::format("{} of {} can fire.\n", kDetectors.size(), kAlertTypeCount);
}

std::string as_lines() {
  std::string out;
  for (const CatalogueRow& row : catalogue()) {
    nlohmann::ordered_json json;
    json["alertType"] = row.code;
    json["alertDisplayName"] = row.display_name;
    json["severity"] = to_string(row.severity);
    json["intent"] = row.intent;
    json["techniques"] = row.techniques;
    json["description"] = row.description;
    json["remediation"] = row.remediation;
    json["learned"] = row.learned();
    json["canFire"] = can_fire(row.type);
    out += json.dump() + "\n";
  }
  return out;
}

}  // namespace

Result<std::string> catalogue_text(std::string_view format) {
  if (format == "table") { return as_table(); }
  if (format == "jsonl") { return as_lines(); }
  return fail(ErrorKind::kUsage, fmt::format("--format of catalogue is table or jsonl, not '{}'", format));
}

}  // namespace keyvigil
