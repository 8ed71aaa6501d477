#include "event/operation.h"

#include <array>

#include "base/ascii.h"
#include "base/check.h"

namespace keyvigil {
namespace {

using enum OperationKind;

constexpr OperationRow row(std::string_view name, OperationKind kind) {
  return {name, kind, false, false, false};
}
constexpr OperationRow credential_read(std::string_view name, OperationKind kind) {
  return {name, kind, true, false, false};
}
constexpr OperationRow private_key_use(std::string_view name) {
  return {name, kCrypto, false, true, false};
}
constexpr OperationRow credential_list(std::string_view name) {
  return {name, kList, false, false, true};
}

// Append only: the index is the OperationId in state files.
constexpr auto kOperations = std::to_array<OperationRow>({
    row("Authentication", kAuthentication),
    row("VaultGet", kMetadata),
    row("VaultPut", kPolicy),
    row("VaultPatch", kPolicy),
    row("VaultDelete", kDelete),
    row("VaultRecover", kRecover),
    row("VaultPurge", kPurge),
    row("VaultGetDeleted", kMetadata),
    row("VaultListDeleted", kList),
    row("VaultList", kList),
    row("VaultCreate", kPolicy),
    row("VaultAccessPolicyChangedEventGridNotification", kSystem),
    row("GetPrivateLinkResources", kMetadata),
    row("GetPrivateEndpointConnectionProxy", kMetadata),
    row("PostPrivateEndpointConnectionProxyValidate", kPolicy),
    row("PutPrivateEndpointConnectionProxy", kPolicy),
    credential_read("SecretGet", kRead),
    row("SecretSet", kWrite),
    row("SecretUpdate", kWrite),
    credential_list("SecretList"),
    credential_list("SecretListVersions"),
    credential_list("SecretListDeleted"),
    row("SecretGetDeleted", kMetadata),
    row("SecretDelete", kDelete),
    row("SecretPurge", kPurge),
    row("SecretRecover", kRecover),
    credential_read("SecretBackup", kBackup),
    row("SecretRestore", kRestore),
    row("SecretNearExpiryEventGridNotification", kSystem),
    row("SecretExpiredEventGridNotification", kSystem),
    row("KeyGet", kMetadata),
    row("KeyList", kList),
    row("KeyListVersions", kList),
    row("KeyListDeleted", kList),
    row("KeyCreate", kWrite),
    row("KeyImport", kWrite),
    row("KeyUpdate", kWrite),
    row("KeyRotate", kWrite),
    row("KeyRotationPolicySet", kWrite),
    row("KeyRotateIfDue", kSystem),
    row("KeyRotationPolicyGet", kMetadata),
    row("KeyGetDeleted", kMetadata),
    private_key_use("KeySign"),
    row("KeyVerify", kCrypto),
    row("KeyWrap", kCrypto),
    private_key_use("KeyUnwrap"),
    row("KeyEncrypt", kCrypto),
    private_key_use("KeyDecrypt"),
    credential_read("KeyRelease", kRead),
    row("KeyDelete", kDelete),
    row("KeyPurge", kPurge),
    row("KeyRecover", kRecover),
    credential_read("KeyBackup", kBackup),
    row("KeyRestore", kRestore),
    row("KeyNearExpiryEventGridNotification", kSystem),
    row("KeyExpiredEventGridNotification", kSystem),
    row("CertificateGet", kMetadata),
    row("CertificateGetDeleted", kMetadata),
    row("CertificatePolicyGet", kMetadata),
    row("CertificateContactsGet", kMetadata),
    row("CertificateIssuerGet", kMetadata),
    row("CertificatePendingGet", kMetadata),
    row("CertificateList", kList),
    row("CertificateListVersions", kList),
    row("CertificateListDeleted", kList),
    row("CertificateIssuersList", kList),
    row("CertificateCreate", kWrite),
    row("CertificateImport", kWrite),
    row("CertificateUpdate", kWrite),
    row("CertificatePolicySet", kWrite),
    row("CertificatePolicyUpdate", kWrite),
    row("CertificateContactsSet", kWrite),
    row("CertificateIssuerSet", kWrite),
    row("CertificateIssuerUpdate", kWrite),
    row("CertificateEnroll", kWrite),
    row("CertificateRenew", kWrite),
    row("CertificatePendingMerge", kWrite),
    row("CertificatePendingUpdate", kWrite),
    row("CertificateDelete", kDelete),
    row("CertificateContactsDelete", kDelete),
    row("CertificateIssuerDelete", kDelete),
    row("CertificatePendingDelete", kDelete),
    row("CertificatePurge", kPurge),
    row("CertificateRecover", kRecover),
    credential_read("CertificateBackup", kBackup),
    row("CertificateRestore", kRestore),
    row("CertificateNearExpiryEventGridNotification", kSystem),
    row("CertificateExpiredEventGridNotification", kSystem),
    row("BackupCreate", kBackup),
    row("EkmProxyOperation", kCrypto),
    // The log names of storage account operations are not documented; these are the REST API's.
    row("StorageAccountGet", kMetadata),
    row("StorageAccountList", kList),
    credential_read("StorageSasGet", kRead),
    row("StorageSasSet", kWrite),
    row("StorageSasList", kList),
    // Of the vault's own log, Microsoft's parser of it for Sentinel has the first; the others are the API's.
    row("AccessPolicyMerge", kPolicy),
    row("AccessPolicyAdd", kPolicy),
    row("AccessPolicyReplace", kPolicy),
    row("AccessPolicyRemove", kPolicy),
    row("BackupStatus", kMetadata),
    row("ListNetworkSecurityPerimeterConfiguration", kList),
    row("ListPrivateEndpointConnections", kList),
    // Of the Activity Log.
    row("Microsoft.Authorization/roleAssignments/write", kPolicy),
    row("Microsoft.Authorization/roleAssignments/delete", kPolicy),
    row("Microsoft.Authorization/elevateAccess/action", kPolicy),
    row("Microsoft.KeyVault/vaults/accessPolicies/write", kPolicy),
    row("Microsoft.KeyVault/vaults/write", kPolicy),
});

// Length, both ends and two letters between tell the names apart well enough.
constexpr std::uint32_t name_hash(std::string_view name) {
  if (name.empty()) { return 0; }
  const auto letter = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(lower_case(name[at])));
  };
  const std::size_t size = name.size();
  const std::uint32_t hash = letter(0) * 0xC2B2'AE35U + letter(size - 1) * 0x1656'67B1U +
                             letter(size / 2) * 0x27D4'EB2FU + letter(size - 1 - size / 4) * 0x9E37'79F9U +
                             static_cast<std::uint32_t>(size) * 0x85EB'CA6BU;
  return hash ^ (hash >> 15);
}

// Open addressing at a quarter full; built by the compiler.
constexpr std::size_t kSlotCount = 512;
constexpr auto kSlots = [] {
  std::array<OperationId, kSlotCount> slots{};
  slots.fill(kUnknownOperation);
  for (std::size_t id = 0; id < kOperations.size(); ++id) {
    std::size_t slot = name_hash(kOperations[id].name) % kSlotCount;
    while (slots[slot] != kUnknownOperation) { slot = (slot + 1) % kSlotCount; }
    slots[slot] = static_cast<OperationId>(id);
  }
  return slots;
}();

bool ends_with(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && equal_without_case(name.substr(name.size() - suffix.size()), suffix);
}

struct SuffixRow {
  std::string_view suffix;
  OperationKind kind;
};

// The first that fits wins: longer before shorter.
constexpr auto kSuffixes = std::to_array<SuffixRow>({
    {"EventGridNotification", kSystem},
    {"GetDeleted", kMetadata},
    {"ListDeleted", kList},
    {"ListVersions", kList},
    {"List", kList},
    {"Get", kMetadata},
    {"Backup", kBackup},
    {"Restore", kRestore},
    {"Purge", kPurge},
    {"Delete", kDelete},
    {"Recover", kRecover},
    {"Sign", kCrypto},
    {"Verify", kCrypto},
    {"Unwrap", kCrypto},
    {"Wrap", kCrypto},
    {"Encrypt", kCrypto},
    {"Decrypt", kCrypto},
    {"Set", kWrite},
    {"Update", kWrite},
    {"Create", kWrite},
    {"Import", kWrite},
    {"Rotate", kWrite},
    {"Put", kPolicy},
    {"Patch", kPolicy},
});

}  // namespace

OperationId find_operation(std::string_view name) {
  for (std::size_t slot = name_hash(name) % kSlotCount;; slot = (slot + 1) % kSlotCount) {
    const OperationId id = kSlots[slot];
    if (id == kUnknownOperation || equal_without_case(kOperations[id].name, name)) { return id; }
  }
}

const OperationRow& operation_row(OperationId id) {
  CHECK(id < kOperations.size());
  return kOperations[id];
}

OperationId operation_count() {
  return static_cast<OperationId>(kOperations.size());
}

OperationKind classify_by_suffix(std::string_view name) {
  constexpr std::string_view kPolicies = "AccessPolicy";
  if (equal_without_case(name.substr(0, kPolicies.size()), kPolicies)) { return kPolicy; }
  for (const SuffixRow& candidate : kSuffixes) {
    if (ends_with(name, candidate.suffix)) { return candidate.kind; }
  }
  return kOther;
}

std::string_view to_string(OperationKind kind) {
  switch (kind) {
    case kAuthentication:
      return "authentication";
    case kRead:
      return "read";
    case kMetadata:
      return "metadata";
    case kList:
      return "list";
    case kCrypto:
      return "crypto";
    case kWrite:
      return "write";
    case kDelete:
      return "delete";
    case kPurge:
      return "purge";
    case kRecover:
      return "recover";
    case kBackup:
      return "backup";
    case kRestore:
      return "restore";
    case kPolicy:
      return "policy";
    case kSystem:
      return "system";
    case kOther:
      return "other";
  }
  return "unknown";
}

}  // namespace keyvigil
