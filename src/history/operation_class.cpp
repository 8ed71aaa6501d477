#include "history/operation_class.h"

namespace keyvigil {
namespace {

enum class Collection : std::uint8_t { kSecret, kKey, kCertificate, kVault, kElse };

Collection collection_of(std::string_view name) {
  if (name.starts_with("Secret") || name.starts_with("Storage")) { return Collection::kSecret; }
  if (name.starts_with("Key") || name.starts_with("Ekm")) { return Collection::kKey; }
  if (name.starts_with("Certificate")) { return Collection::kCertificate; }
  return name.starts_with("Vault") ? Collection::kVault : Collection::kElse;
}

OperationClass read_class(Collection collection, bool list) {
  switch (collection) {
    case Collection::kSecret:
      return list ? OperationClass::kSecretList : OperationClass::kSecretGet;
    case Collection::kKey:
      return OperationClass::kKeyRead;
    case Collection::kCertificate:
      return OperationClass::kCertificateRead;
    case Collection::kVault:
      return OperationClass::kVaultGet;
    case Collection::kElse:
      break;
  }
  return OperationClass::kOther;
}

OperationClass write_class(Collection collection) {
  switch (collection) {
    case Collection::kSecret:
      return OperationClass::kSecretSet;
    case Collection::kKey:
      return OperationClass::kKeyWrite;
    case Collection::kCertificate:
      return OperationClass::kCertificateWrite;
    case Collection::kVault:
    case Collection::kElse:
      break;
  }
  return OperationClass::kOther;
}

}  // namespace

OperationClass operation_class(const AccessEvent& event) {
  if (event.outcome == Outcome::kDenied) { return OperationClass::kDenied; }
  if (event.outcome == Outcome::kNotFound) { return OperationClass::kNotFound; }
  const Collection collection = collection_of(event.operation_name());
  switch (event.operation_kind) {
    case OperationKind::kRead:
    case OperationKind::kMetadata:
      return read_class(collection, false);
    case OperationKind::kList:
      return read_class(collection, true);
    case OperationKind::kCrypto:
      return event.operation != kUnknownOperation && operation_row(event.operation).private_key_use
                 ? OperationClass::kPrivateKeyUse
                 : OperationClass::kPublicKeyUse;
    case OperationKind::kWrite:
      return write_class(collection);
    case OperationKind::kDelete:
    case OperationKind::kPurge:
    case OperationKind::kRecover:
      return OperationClass::kDelete;
    case OperationKind::kBackup:
    case OperationKind::kRestore:
      return OperationClass::kBackup;
    case OperationKind::kPolicy:
      return OperationClass::kVaultWrite;
    case OperationKind::kAuthentication:
    case OperationKind::kSystem:
    case OperationKind::kOther:
      break;
  }
  return OperationClass::kOther;
}

std::string_view in_words(OperationClass operation) {
  constexpr std::array<std::string_view, kOperationClassCount> kWords = {
      "secret reads",       "secret lists",    "secret writes", "deletions",        "backups and restores",
      "private-key uses",   "public-key uses", "key reads",     "key writes",       "certificate reads",
      "certificate writes", "vault reads",     "vault changes", "refused requests", "requests for missing objects",
      "other requests"};
  return kWords[static_cast<std::size_t>(operation)];
}

}  // namespace keyvigil
