#include "workload/truth.h"

#include <algorithm>

namespace keyvigil::workload {
namespace {

constexpr std::array<std::string_view, kAttackKindCount> kAttackNames = {
    "tor-success",          "tor-denied",       "tor-challenge", "suspicious-success", "suspicious-denied",
    "suspicious-challenge", "foreign-dump",     "own-dump",      "vault-discovery",    "policy-then-read",
    "stolen-app-secret",    "credential-sweep", "low-and-slow",  "app-scraping",       "new-client",
    "new-app-on-vault",     "destruction",      "crypto-abuse"};
constexpr std::array<std::string_view, kStrengthCount> kStrengthNames = {"loud", "human", "slow"};
constexpr std::array<std::string_view, kTwinKindCount> kTwinNames = {
    "new-colleague", "new-deployment", "on-call",  "rotation",      "policy-change",  "portal-visit",
    "home-address",  "mistyped-vault", "clean-up", "usual-key-use", "policy-pipeline"};

template <typename Kind, std::size_t N>
std::optional<Kind> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) { return std::nullopt; }
  return static_cast<Kind>(found - names.begin());
}

}  // namespace

const std::array<std::string_view, kAttackKindCount>& attack_names() {
  return kAttackNames;
}

std::string_view to_string(AttackKind kind) {
  return kAttackNames[static_cast<std::size_t>(kind)];
}

std::optional<AttackKind> find_attack(std::string_view name) {
  return find_name<AttackKind>(kAttackNames, name);
}

const std::array<std::string_view, kStrengthCount>& strength_names() {
  return kStrengthNames;
}

std::string_view to_string(Strength strength) {
  return kStrengthNames[static_cast<std::size_t>(strength)];
}

std::optional<Strength> find_strength(std::string_view name) {
  return find_name<Strength>(kStrengthNames, name);
}

std::string_view to_string(TwinKind kind) {
  return kTwinNames[static_cast<std::size_t>(kind)];
}

bool fits_users(AttackKind kind) {
  return kind != AttackKind::kStolenAppSecret && kind != AttackKind::kAppScraping && kind != AttackKind::kNewAppOnVault;
}

bool fits_apps(AttackKind kind) {
  return kind != AttackKind::kNewClient;
}

bool is_routine(TwinKind kind) {
  return kind == TwinKind::kRotation || kind == TwinKind::kCleanUp || kind == TwinKind::kUsualKeyUse ||
         kind == TwinKind::kPolicyChange || kind == TwinKind::kPolicyPipeline;
}

TwinKind twin_of(AttackKind kind, bool app) {
  switch (kind) {
    case AttackKind::kForeignDump:
    case AttackKind::kNewAppOnVault:
      return app ? TwinKind::kNewDeployment : TwinKind::kNewColleague;
    case AttackKind::kCredentialSweep:
    case AttackKind::kLowAndSlow:
      return app ? TwinKind::kNewDeployment : TwinKind::kOnCall;
    case AttackKind::kVaultDiscovery:
    case AttackKind::kTorDenied:
    case AttackKind::kSuspiciousDenied:
      return TwinKind::kMistypedVault;
    case AttackKind::kPolicyThenRead:
      return app ? TwinKind::kPolicyPipeline : TwinKind::kPolicyChange;
    case AttackKind::kDestruction:
      return app ? TwinKind::kRotation : TwinKind::kCleanUp;
    case AttackKind::kCryptoAbuse:
      return TwinKind::kUsualKeyUse;
    case AttackKind::kOwnDump:
    case AttackKind::kAppScraping:
    case AttackKind::kNewClient:
      return app ? TwinKind::kRotation : TwinKind::kPortalVisit;
    default:
      return TwinKind::kHomeAddress;
  }
}

std::vector<std::string_view> expected_alerts(AttackKind kind, bool app) {
  const std::string_view first_touch = app ? "KV_AppAnomaly" : "KV_UserAnomaly";
  switch (kind) {
    case AttackKind::kTorSuccess:
    case AttackKind::kTorDenied:
    case AttackKind::kTorChallenge:
      return {"KV_TORAccess"};
    case AttackKind::kSuspiciousSuccess:
      return {"KV_SuspiciousIPAccess"};
    case AttackKind::kSuspiciousDenied:
      return {"KV_SuspiciousIPAccessDenied"};
    case AttackKind::kSuspiciousChallenge:
      return {};
    case AttackKind::kForeignDump:
      return {first_touch, "KV_ListGetAnomaly", "KV_OperationVolumeAnomaly"};
    case AttackKind::kOwnDump:
      return {"KV_ListGetAnomaly", "KV_OperationPatternAnomaly", "KV_OperationVolumeAnomaly"};
    case AttackKind::kVaultDiscovery:
      return {"KV_AccountVolumeAccessDeniedAnomaly", "KV_UserAccessDeniedAnomaly"};
    case AttackKind::kPolicyThenRead:
      return {"KV_PutGetAnomaly"};
    case AttackKind::kStolenAppSecret:
      return {"KV_UnusualAccessSuspiciousIP", "KV_ListGetAnomaly", "KV_OperationPatternAnomaly"};
    case AttackKind::kCredentialSweep:
      return {"KV_AccountVolumeAnomaly", "KV_AccountVolumeAccessDeniedAnomaly", "KV_OperationVolumeAnomaly"};
    case AttackKind::kLowAndSlow:
      return {"KV_AccountVolumeAnomaly", first_touch};
    case AttackKind::kAppScraping:
      return {"KV_OperationVolumeAnomaly"};
    case AttackKind::kNewClient:
      return {"KV_UserAppAnomaly"};
    case AttackKind::kNewAppOnVault:
      return {"KV_AppAnomaly"};
    case AttackKind::kDestruction:
    case AttackKind::kCryptoAbuse:
      return {"KV_OperationPatternAnomaly", "KV_OperationVolumeAnomaly"};
  }
  return {};
}

}  // namespace keyvigil::workload
