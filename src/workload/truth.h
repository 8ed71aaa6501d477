// Truth: which campaigns a world can hold, and which alerts each should raise or must not raise.
//
// Source of the expectations: attack table of the detection-method notes. Alert codes are texts here, because the
// generator stands below the catalogue. Threads: free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace keyvigil::workload {

enum class AttackKind : std::uint8_t {
  kTorSuccess,
  kTorDenied,
  kTorChallenge,  // requests without a token only
  kSuspiciousSuccess,
  kSuspiciousDenied,
  kSuspiciousChallenge,
  kForeignDump,      // everything of a vault that the caller never touched, from an address on no list
  kOwnDump,          // everything of the caller's own vault
  kVaultDiscovery,   // lists on many vaults, all denied
  kPolicyThenRead,   // denied, access policy added for oneself, then reads
  kStolenAppSecret,  // an application's credential, used from outside on its own vault
  kCredentialSweep,  // vault after vault: look, list, read; more than half refused
  kLowAndSlow,       // a new vault a day, two secrets of each
  kAppScraping,      // an application re-reads its own vault many times as fast as usual
  kNewClient,        // a known user on a known vault, through a client application nobody uses
  kNewAppOnVault,    // one read by an application that never touched the vault
  kDestruction,      // deletes and purges
  kCryptoAbuse,      // decrypts in a burst
};
inline constexpr std::size_t kAttackKindCount = 18;

enum class Strength : std::uint8_t { kLoud, kHuman, kSlow };
inline constexpr std::size_t kStrengthCount = 3;

// The nearest harmless thing that the same class of caller does.
enum class TwinKind : std::uint8_t {
  kNewColleague,    // a user opens a vault of the team for the first time
  kNewDeployment,   // an application starts to use another vault of its team
  kOnCall,          // an operator looks into a few vaults
  kRotation,        // an application lists its vault and sets secrets
  kPolicyChange,    // an administrator changes a policy and reads nothing
  kPortalVisit,     // a user lists and opens one secret of a usual vault
  kHomeAddress,     // usual work from a new address
  kMistypedVault,   // one refused request
  kCleanUp,         // an administrator deletes two secrets
  kUsualKeyUse,     // a few decrypts on the caller's own vault
  kPolicyPipeline,  // a pipeline sets the policy of its vault and reads, as it always did
};
inline constexpr std::size_t kTwinKindCount = 11;

// "tor-success", ...: the words of --attacks and of the labels, in the order of the enumeration.
[[nodiscard]] const std::array<std::string_view, kAttackKindCount>& attack_names();
[[nodiscard]] std::string_view to_string(AttackKind kind);
[[nodiscard]] std::optional<AttackKind> find_attack(std::string_view name);
[[nodiscard]] const std::array<std::string_view, kStrengthCount>& strength_names();
[[nodiscard]] std::string_view to_string(Strength strength);
[[nodiscard]] std::optional<Strength> find_strength(std::string_view name);
[[nodiscard]] std::string_view to_string(TwinKind kind);

[[nodiscard]] bool fits_users(AttackKind kind);
[[nodiscard]] bool fits_apps(AttackKind kind);
// Done every now and then, as opposed to once.
[[nodiscard]] bool is_routine(TwinKind kind);
[[nodiscard]] TwinKind twin_of(AttackKind kind, bool app);

// Codes such as KV_UserAnomaly, of which any one counts as finding the attack; empty for lone challenges on a list of
// suspicious addresses, which deserve no alert.
[[nodiscard]] std::vector<std::string_view> expected_alerts(AttackKind kind, bool app);

}  // namespace keyvigil::workload
