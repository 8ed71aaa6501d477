#include "alert/csv.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alert/alert_document.h"
#include "alert/alert_words.h"
#include "alert/printable.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 16> kColumns = {
    "Severity",      "AlertDisplayName", "AlertType",     "CompromisedEntity", "AzureResourceId", "SubscriptionId",
    "ResourceGroup", "StartTimeUtc",     "EndTimeUtc",    "TimeGeneratedUtc",  "Status",          "Intent",
    "Description",   "RemediationSteps", "SystemAlertId", "AlertUri"};

void append_cell(std::string& row, std::string_view text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r\n";
  if (!row.empty()) { row += ','; }
  const bool formula = !text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos;
  if (!formula && text.find_first_of("\",\r\n") == std::string_view::npos) {
    row += text;
    return;
  }
  row += '"';
  if (formula) { row += '\''; }
  for (const char c : text) {
    if (c == '"') { row += '"'; }
    row += c;
  }
  row += '"';
}

}  // namespace

std::string csv_header() {
  return fmt::format("{}\r\n", fmt::join(kColumns, ","));
}

std::string csv_row(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const CatalogueRow& type = catalogue_row(alert.type);
  const std::array<std::string, kColumns.size()> cells = {std::string(to_string(severity_of(alert))),
                                                          alert_title(alert, standing),
                                                          alert_code(alert, standing),
                                                          alert.vault_name,
                                                          alert.vault_id,
                                                          alert.subscription_id,
                                                          alert.resource_group,
                                                          to_iso_milliseconds(alert.start),
                                                          to_iso_milliseconds(alert.last_suspicious),
                                                          to_iso_milliseconds(alert.generated),
                                                          std::string(to_string(standing.status)),
                                                          std::string(type.intent),
                                                          description(alert),
                                                          fmt::format("{}", fmt::join(remediation_steps(alert), " ")),
                                                          alert_name(alert),
                                                          alert_uri(alert, rendering)};
  std::string row;
  for (const std::string& cell : cells) { append_cell(row, harmless(cell)); }
  return row + "\r\n";
}

}  // namespace keyvigil
