// The operations of Key Vault by name, and what kind each is.
//
// Source of the names: Azure Key Vault logging documentation, operation table (2026-04), and real records.
// A name that is not in the table is kept verbatim by the event and classified by its suffix.
#pragma once

#include <cstdint>
#include <string_view>

namespace keyvigil {

enum class OperationKind : std::uint8_t {
  kAuthentication,  // the unauthenticated challenge
  kRead,            // returns a secret or private material
  kMetadata,        // reads without secret material
  kList,
  kCrypto,
  kWrite,
  kDelete,
  kPurge,
  kRecover,
  kBackup,
  kRestore,
  kPolicy,  // configuration of the vault and its permissions
  kSystem,  // written by the service itself: nobody called
  kOther,
};

// An index into the table of known operations, or kUnknown.
using OperationId = std::uint16_t;
inline constexpr OperationId kUnknownOperation = 0xFFFF;

struct OperationRow {
  std::string_view name;  // as Azure writes it
  OperationKind kind = OperationKind::kOther;
  bool credential_read = false;
  bool private_key_use = false;
  bool credential_list = false;
};

// Case-insensitive. kUnknownOperation when the table does not have the name.
[[nodiscard]] OperationId find_operation(std::string_view name);

// REQUIRES: id < operation_count().
[[nodiscard]] const OperationRow& operation_row(OperationId id);
[[nodiscard]] OperationId operation_count();

// For names outside the table: ...ListDeleted is a list, ...Get metadata, ...EventGridNotification system, and so on.
[[nodiscard]] OperationKind classify_by_suffix(std::string_view name);

[[nodiscard]] std::string_view to_string(OperationKind kind);

}  // namespace keyvigil
