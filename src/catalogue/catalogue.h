// The catalogue: what is the same about every alert of a type. Codes, display names, severities and tactics are
// Defender's (Microsoft documentation "Alerts for Azure Key Vault", 2024-06-03); descriptions, remediation and
// techniques are ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "catalogue/alert_type.h"

namespace keyvigil {

enum class Severity : std::uint8_t { kInformational = 0, kLow = 1, kMedium = 2, kHigh = 3 };

[[nodiscard]] std::string_view to_string(Severity severity);
// Case-insensitive.
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view text);

// Kinds of evidence: suspicions of one family say the same thing in different words and count once in a fusion.
enum class Family : std::uint8_t { kNovelty, kDenied, kVolume, kMotif, kPattern, kAddress, kPair, kLists };
inline constexpr std::size_t kFamilyCount = 7;  // that behaviour is judged by: without kLists

// What an open alert of the type is about, so which later findings are its own.
enum class AlertScope : std::uint8_t {
  kDay,            // a caller, or else an address, on one vault on one UTC day
  kCallerOnVault,  // a caller on one vault
  kCaller,         // a caller wherever it goes; a volume may be a vault's instead
};

// What an event that raised an alert of the type does not teach as normal.
enum class Withheld : std::uint8_t { kNothing, kFirstTouch, kSession, kEpisode };

// Whose active days are tests of the type.
struct TestedSubjects {
  bool users = false;
  bool apps = false;
  bool vaults = false;
};

struct CatalogueRow {
  AlertType type;
  std::string_view code;  // KV_TORAccess
  std::string_view display_name;
  Severity severity;
  std::string_view intent;          // ARM spelling; two tactics are joined by ", "
  std::string_view techniques;      // MITRE ATT&CK ids joined by ", "
  std::string_view description;     // one or two sentences
  std::string_view remediation;     // what to do, for any caller kind
  std::string_view harmless_story;  // the benign cause that fits best; empty: told from the evidence
  Family family;
  double budget_share;         // of all alerts about behaviour; 0: certain by rule, costs nothing
  double detectors_of_family;  // that test the same subject
  TestedSubjects tests;
  AlertScope scope;
  Withheld withheld;
  std::optional<AlertType> wider = std::nullopt;  // while open for the caller, it takes findings of this type

  // Needs history; the other kind is decided by threat lists alone.
  [[nodiscard]] constexpr bool learned() const { return family != Family::kLists; }
};
// Of the budget: for suspicions of one caller that pass together only.
inline constexpr double kFusedShare = 0.10;

// In the order of AlertType, complete: checked at compile time.
[[nodiscard]] std::span<const CatalogueRow, kAlertTypeCount> catalogue();
[[nodiscard]] const CatalogueRow& catalogue_row(AlertType type);
// Those that threat lists alone decide.
[[nodiscard]] AlertTypes types_without_history();
// By code, case-insensitive.
[[nodiscard]] std::optional<AlertType> find_alert_type(std::string_view code);

}  // namespace keyvigil
