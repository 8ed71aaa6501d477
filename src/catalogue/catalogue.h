// The catalogue: what is the same about every alert of a type. Codes, display names, severities and tactics are
// Defender's (Microsoft documentation "Alerts for Azure Key Vault", 2024-06-03); descriptions, remediation and
// techniques are ours.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "catalogue/alert_type.h"

namespace keyvigil {

enum class Severity : std::uint8_t { kInformational = 0, kLow = 1, kMedium = 2, kHigh = 3 };

[[nodiscard]] std::string_view to_string(Severity severity);
// Case-insensitive.
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view text);

struct CatalogueRow {
  AlertType type;
  std::string_view code;  // KV_TORAccess
  std::string_view display_name;
  Severity severity;
  std::string_view intent;       // ARM spelling; two tactics are joined by ", "
  std::string_view techniques;   // MITRE ATT&CK ids joined by ", "
  std::string_view description;  // one or two sentences
  std::string_view remediation;  // what to do, for any caller kind
  bool learned;                  // needs history; the other kind is decided by threat lists alone
};

// In the order of AlertType, complete: checked at compile time.
[[nodiscard]] std::span<const CatalogueRow, kAlertTypeCount> catalogue();
[[nodiscard]] const CatalogueRow& catalogue_row(AlertType type);
// Those that threat lists alone decide.
[[nodiscard]] AlertTypes types_without_history();
// By code, case-insensitive.
[[nodiscard]] std::optional<AlertType> find_alert_type(std::string_view code);

}  // namespace keyvigil
