// Test: an address that is new to the caller, and an access that is unusual by itself within the same day. Each must be
// as rare as one in twenty before the two count together; addresses of Microsoft, private ones, private links and
// service endpoints never do.
#include <array>

#include "detect/detectors.h"
#include "detect/first_touch.h"
#include "statistics/combination.h"

namespace keyvigil {

Suspicions unusual_access_suspicious_ip(const Observation& seen) {
  constexpr double kRare = 0.05;
  Suspicions found;
  if (!seen.facts.new_address || seen.address.microsoft || seen.unusual_access > kRare) { return found; }
  const FirstTouch& touch = *seen.facts.new_address;
  const double address = probability_of(touch);
  if (address > kRare) { return found; }
  Reason new_address = reason_of(touch, ReasonCode::kNewAddress);
  new_address.code = ReasonCode::kNewAddress;
  new_address.about = seen.facts.address_prefix;
  new_address.sharing = seen.service_tags_known ? 1 : 0;
  Reason access;
  access.code = ReasonCode::kUnusualAccess;
  access.surprise = seen.unusual_access;
  const std::array<double, 2> both = {address, seen.unusual_access};
  found.add({SubjectKind::kCaller, fisher(both), {new_address, access}});
  return found;
}

}  // namespace keyvigil
