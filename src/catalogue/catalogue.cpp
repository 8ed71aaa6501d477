#include "catalogue/catalogue.h"

#include <algorithm>

#include "base/ascii.h"

namespace keyvigil {
namespace {

constexpr std::string_view kCredentialAccess = "CredentialAccess";

// Microsoft publishes no techniques for these alerts; the ATT&CK ids are our reading.
constexpr std::array<CatalogueRow, kAlertTypeCount> kRows = {{
    {AlertType::kSuspiciousIPAccess,
     "KV_SuspiciousIPAccess",
     "Access from a suspicious IP address to a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006",
     "A key vault answered a request from an address that a threat list names. Addresses get onto such lists by "
     "attacking others: a caller who comes from one may be using stolen credentials.",
     "Find out whether the caller's owner knows this access. If not: allow only trusted networks in the vault's "
     "firewall, take the caller's permissions away, and replace every object that was read.",
     "",
     Family::kLists,
     0,
     1,
     {false, false, false},
     AlertScope::kDay,
     Withheld::kFirstTouch},
    {AlertType::kTORAccess,
     "KV_TORAccess",
     "Access from a TOR exit node to a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1090.003",
     "A key vault was called through the Tor network, which hides where the caller really is. Services that own "
     "secrets have hardly ever a reason to do so; somebody trying out stolen credentials has.",
     "Find out whether the caller's owner uses Tor on purpose. If not: allow only trusted networks in the vault's "
     "firewall, take the caller's permissions away, and replace every object that was read.",
     "",
     Family::kLists,
     0,
     1,
     {false, false, false},
     AlertScope::kDay,
     Withheld::kFirstTouch},
    {AlertType::kOperationVolumeAnomaly,
     "KV_OperationVolumeAnomaly",
     "High volume of operations in a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006",
     "A caller, a client application or a vault had many more operations than its own history explains. Reading a "
     "vault empty looks like this.",
     "Ask the caller's owner what ran. If nobody knows: take the caller's permissions away and replace what was read.",
     "a restart loop, a migration or a load test",
     Family::kVolume,
     0.15,
     1,
     {true, true, true},
     AlertScope::kCaller,
     Withheld::kNothing},
    {AlertType::kPutGetAnomaly,
     "KV_PutGetAnomaly",
     "Suspicious policy change and secret query in a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1098",
     "The access rules of a key vault were changed and credentials were listed or read soon after, which this caller "
     "does not usually do. Whoever can change a policy can open the vault for themselves.",
     "Ask who changed the policy and why. If nobody knows: undo the change, take the permissions of both callers away, "
     "and replace what was read.",
     "an administrator who sets a vault up and tries it",
     Family::kMotif,
     0.1,
     2,
     {true, true, false},
     AlertScope::kCallerOnVault,
     Withheld::kEpisode},
    {AlertType::kListGetAnomaly,
     "KV_ListGetAnomaly",
     "Suspicious secret listing and query in a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006",
     "A caller listed the credentials of a key vault and then read several of them, which it does not usually do. "
     "Applications know the names of their secrets; somebody who looks around does not.",
     "Ask the caller's owner. If nobody knows: take the caller's permissions away and replace what was read.",
     "a configuration provider that lists and loads everything when it starts",
     Family::kMotif,
     0.1,
     2,
     {true, true, false},
     AlertScope::kCallerOnVault,
     Withheld::kEpisode,
     AlertType::kAccountVolumeAnomaly},
    {AlertType::kAccountVolumeAccessDeniedAnomaly,
     "KV_AccountVolumeAccessDeniedAnomaly",
     "Unusual access denied - User accessing high volume of key vaults denied",
     Severity::kLow,
     "Discovery",
     "T1526, T1580",
     "A caller was refused by many key vaults that it had not used before, within 24 hours. This is how somebody tries "
     "which doors a stolen identity opens.",
     "Look whether the same caller succeeded elsewhere, and ask its owner.",
     "an inventory, an audit or a scanner that was not announced",
     Family::kDenied,
     0.04,
     2,
     {true, true, false},
     AlertScope::kCaller,
     Withheld::kFirstTouch},
    {AlertType::kUserAccessDeniedAnomaly,
     "KV_UserAccessDeniedAnomaly",
     "Unusual access denied - Unusual user accessing key vault denied",
     Severity::kLow,
     "InitialAccess, Discovery",
     "T1078.004, T1526",
     "A caller who does not usually use this key vault tried to, and was refused.",
     "Look whether the same caller succeeded elsewhere, and ask its owner.",
     "a person who changed teams, stands in for somebody or was called out",
     Family::kDenied,
     0.04,
     2,
     {true, true, false},
     AlertScope::kCallerOnVault,
     Withheld::kFirstTouch,
     AlertType::kAccountVolumeAccessDeniedAnomaly},
    {AlertType::kAppAnomaly,
     "KV_AppAnomaly",
     "Unusual application accessed a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1078.004",
     "An application used a key vault that it does not usually use.",
     "Ask the owner of the application. If nobody knows: take its permissions away, replace its own credentials and "
     "what was read.",
     "a new deployment, or a setting that points to another vault",
     Family::kNovelty,
     0.0625,
     2,
     {false, true, false},
     AlertScope::kCallerOnVault,
     Withheld::kFirstTouch,
     AlertType::kAccountVolumeAnomaly},
    {AlertType::kOperationPatternAnomaly,
     "KV_OperationPatternAnomaly",
     "Unusual operation pattern in a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006",
     "A caller combined operations on a key vault in a way that its history does not explain.",
     "Ask the caller's owner what ran. If nobody knows: take the caller's permissions away, replace what was read and "
     "recover what was deleted.",
     "a clean-up, a migration or a new version of the application",
     Family::kPattern,
     0.07,
     1,
     {true, true, false},
     AlertScope::kCaller,
     Withheld::kSession},
    {AlertType::kUserAnomaly,
     "KV_UserAnomaly",
     "Unusual user accessed a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1078.004",
     "A user used a key vault that he or she does not usually use.",
     "Ask the user by a way other than mail. If it was not the user: end the sessions, take the permissions away and "
     "replace what was read.",
     "a person who changed teams, stands in for somebody or was called out",
     Family::kNovelty,
     0.0625,
     2,
     {true, false, false},
     AlertScope::kCallerOnVault,
     Withheld::kFirstTouch,
     AlertType::kAccountVolumeAnomaly},
    {AlertType::kUserAppAnomaly,
     "KV_UserAppAnomaly",
     "Unusual user-application pair accessed a key vault",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1078.004",
     "A user reached a key vault through a client application that this user does not usually use for it.",
     "Ask the user by a way other than mail. If it was not the user: end the sessions, take the permissions away and "
     "replace what was read.",
     "a new tool on the user's desk",
     Family::kPair,
     0.0625,
     1,
     {true, false, false},
     AlertScope::kCallerOnVault,
     Withheld::kFirstTouch},
    {AlertType::kAccountVolumeAnomaly,
     "KV_AccountVolumeAnomaly",
     "User accessed high volume of key vaults",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1078.004",
     "A caller used several key vaults that were new to it within 24 hours.",
     "Ask the caller's owner what ran. If nobody knows: take the caller's permissions away in all vaults named here "
     "and "
     "replace what was read.",
     "an inventory, an audit or a scanner that was not announced",
     Family::kNovelty,
     0.0625,
     2,
     {true, true, false},
     AlertScope::kCaller,
     Withheld::kFirstTouch},
    {AlertType::kSuspiciousIPAccessDenied,
     "KV_SuspiciousIPAccessDenied",
     "Denied access from a suspicious IP to a key vault",
     Severity::kLow,
     kCredentialAccess,
     "T1555.006",
     "A key vault refused a request from an address that a threat list names. The vault did its work; the attempt "
     "says that somebody there knows the vault, and perhaps holds an identity.",
     "Look whether the same caller succeeded from another address, allow only "
     "trusted networks in the vault's firewall, and replace the caller's credentials if its owner does not know the "
     "access.",
     "",
     Family::kLists,
     0,
     1,
     {false, false, false},
     AlertScope::kDay,
     Withheld::kFirstTouch},
    {AlertType::kUnusualAccessSuspiciousIP,
     "KV_UnusualAccessSuspiciousIP",
     "Unusual access to the key vault from a suspicious IP (Non-Microsoft or external)",
     Severity::kMedium,
     kCredentialAccess,
     "T1555.006, T1078.004",
     "A caller did something unusual on a key vault, from an address outside Microsoft's ranges that is itself unusual "
     "for it.",
     "Ask the caller's owner about the address and the access. If nobody knows either: allow only trusted networks in "
     "the vault's firewall, take the caller's permissions away and replace what was read.",
     "a journey, a new provider, a new exit of the company's network, or a program that was moved",
     Family::kAddress,
     0.15,
     1,
     {true, true, false},
     AlertScope::kCaller,
     Withheld::kFirstTouch},
}};

constexpr bool in_order_of_type() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].type) != i || !kRows[i].code.starts_with("KV_")) { return false; }
  }
  return true;
}
static_assert(in_order_of_type(), "the catalogue has one row per AlertType, in its order");

// Behaviour needs a share, a story and somebody to test; lists need none.
constexpr bool is_complete(const CatalogueRow& row) {
  const bool tested = row.tests.users || row.tests.apps || row.tests.vaults;
  const bool told = !row.display_name.empty() && !row.description.empty() && !row.remediation.empty();
  const bool of_lists = row.budget_share == 0 && !tested && row.scope == AlertScope::kDay && !row.wider;
  const bool of_behaviour = row.budget_share > 0 && tested && row.scope != AlertScope::kDay &&
                            !row.harmless_story.empty() && row.detectors_of_family >= 1;
  return told && (row.learned() ? of_behaviour : of_lists);
}
static_assert(std::ranges::all_of(kRows, is_complete), "a row of the catalogue lacks what its family needs");

constexpr bool shares_are_the_budget() {
  double sum = kFusedShare;
  for (const CatalogueRow& row : kRows) { sum += row.budget_share; }
  return sum > 1 - 1e-9 && sum < 1 + 1e-9;
}
static_assert(shares_are_the_budget(), "the shares of all alert types and of fusions make one budget");

constexpr std::array<std::string_view, 4> kSeverities = {"Informational", "Low", "Medium", "High"};

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (std::size_t i = 0; i < kSeverities.size(); ++i) {
    if (equal_without_case(text, kSeverities[i])) { return static_cast<Severity>(i); }
  }
  return std::nullopt;
}

std::span<const CatalogueRow, kAlertTypeCount> catalogue() {
  return kRows;
}

const CatalogueRow& catalogue_row(AlertType type) {
  return kRows[static_cast<std::size_t>(type)];
}

AlertTypes types_without_history() {
  AlertTypes types;
  for (const CatalogueRow& row : catalogue()) { types.set(static_cast<std::size_t>(row.type), !row.learned()); }
  return types;
}

std::optional<AlertType> find_alert_type(std::string_view code) {
  for (const CatalogueRow& row : kRows) {
    if (equal_without_case(code, row.code)) { return row.type; }
  }
  return std::nullopt;
}

}  // namespace keyvigil
