#include "alert/table.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "alert/alert_words.h"
#include "alert/printable.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::size_t kColumnCount = 7;
using Cells = std::array<std::string, kColumnCount>;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(Severity severity) {
  constexpr std::array<std::string_view, 4> kColours = {"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[31m"};
  return kColours[static_cast<std::size_t>(severity)];
}

// Time, severity and alert have fixed needs; vault, caller, address and what happened share the rest.
std::array<std::size_t, kColumnCount> column_widths(const TableStyle& style) {
  constexpr std::size_t kTime = 19;
  constexpr std::size_t kSeverity = 6;
  constexpr std::size_t kAlert = 24;
  constexpr std::size_t kAddress = 15;
  constexpr std::size_t kGaps = 6;
  const std::size_t width = std::max<std::size_t>(style.width_columns, 80);
  const bool narrow = width < 110;
  const std::size_t alert = narrow ? 13 : kAlert;
  const std::size_t rest = width - (kTime + kSeverity + alert + kAddress + kGaps);
  const std::size_t vault = rest * 3 / 10;
  const std::size_t caller = rest * 4 / 10;
  return {kTime, kSeverity, alert, vault, caller, kAddress, rest - vault - caller};
}

std::string aligned(const Cells& cells, const TableStyle& style) {
  const auto widths = column_widths(style);
  std::string line;
  for (std::size_t i = 0; i < kColumnCount; ++i) {
    const std::string cell = cut_columns(harmless(cells[i]), widths[i]);
    line += cell;
    if (i + 1 < kColumnCount) { line.append(widths[i] - count_columns(cell) + 1, ' '); }
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string what_happened(const Alert& alert) {
  std::string text = outcomes_in_words(alert.suspicious_outcomes);
  if (!alert.objects_read.empty()) {
    text = fmt::format("{}{} read, {}", alert.objects_read.size(), alert.objects_cut ? "+" : "", text);
  }
  return alert.open ? "(open) " + text : text;
}

std::string without_prefix(std::string_view code) {
  return std::string(code.substr(code.find('_') + 1));
}

}  // namespace

std::string table_header(const TableStyle& style) {
  const std::string line =
      aligned({"TIME (UTC)", "LEVEL", "ALERT", "VAULT", "CALLER", "ADDRESS", "WHAT HAPPENED"}, style);
  return style.colour ? fmt::format("{}{}{}\n", kBold, line, kReset) : line + "\n";
}

std::string table_row(const Alert& alert, const TableStyle& style) {
  const CatalogueRow& type = catalogue_row(alert.type);
  std::string time = to_iso_milliseconds(alert.start).substr(0, 19);
  time[10] = ' ';
  const std::string line =
      aligned({std::move(time), std::string(to_string(severity_of(alert))), without_prefix(type.code), alert.vault_name,
               caller_in_words(alert), to_string(alert.address), what_happened(alert)},
              style);
  std::string why = "  why:";
  for (const Reason& reason : alert.reasons) { why += " " + reason_sentence(alert, reason); }
  why = harmless(why);
  if (!style.colour) { return fmt::format("{}\n{}\n", line, why); }
  return fmt::format("{}{}{}\n{}{}{}\n", colour_of(severity_of(alert)), line, kReset, kDim, why, kReset);
}

}  // namespace keyvigil
