// The fourteen alert types of Microsoft Defender for Key Vault, in the order of its documentation.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace keyvigil {

// Values are written to state files: do not renumber.
enum class AlertType : std::uint8_t {
  kSuspiciousIPAccess = 0,
  kTORAccess = 1,
  kOperationVolumeAnomaly = 2,
  kPutGetAnomaly = 3,
  kListGetAnomaly = 4,
  kAccountVolumeAccessDeniedAnomaly = 5,
  kUserAccessDeniedAnomaly = 6,
  kAppAnomaly = 7,
  kOperationPatternAnomaly = 8,
  kUserAnomaly = 9,
  kUserAppAnomaly = 10,
  kAccountVolumeAnomaly = 11,
  kSuspiciousIPAccessDenied = 12,
  kUnusualAccessSuspiciousIP = 13,
};
inline constexpr std::size_t kAlertTypeCount = 14;

// A choice of them, by value.
using AlertTypes = std::bitset<kAlertTypeCount>;

}  // namespace keyvigil
