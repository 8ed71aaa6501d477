// Operation classes: sixteen kinds of request by which sessions are compared (detection-method notes, P5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "event/access_event.h"

namespace keyvigil {

// Values are indices of saved weights: do not renumber.
enum class OperationClass : std::uint8_t {
  kSecretGet = 0,
  kSecretList = 1,
  kSecretSet = 2,
  kDelete = 3,  // purge and recover too
  kBackup = 4,  // restore too
  kPrivateKeyUse = 5,
  kPublicKeyUse = 6,
  kKeyRead = 7,  // list too
  kKeyWrite = 8,
  kCertificateRead = 9,  // list too
  kCertificateWrite = 10,
  kVaultGet = 11,
  kVaultWrite = 12,
  kDenied = 13,
  kNotFound = 14,
  kOther = 15,
};
inline constexpr std::size_t kOperationClassCount = 16;
using OperationMixWeights = std::array<double, kOperationClassCount>;

[[nodiscard]] OperationClass operation_class(const AccessEvent& event);
// "secret reads", "deletions": as a sentence names them.
[[nodiscard]] std::string_view in_words(OperationClass operation);

}  // namespace keyvigil
