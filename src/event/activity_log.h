// The Activity Log: who changed what in a subscription. It is no log of a vault; of it, what lets somebody into vaults
// is an event, and everything else is passed over (docs/decisions/0019). Room-internal.
//
// Forms: records of the category container insights-logs-... or Event Hubs (operationName in capitals, identity.claims,
// identity.authorization), and rows of AzureActivity (OperationNameValue, Claims, Authorization, Caller).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "event/record_fields.h"

namespace keyvigil {

[[nodiscard]] bool is_activity_log(const RecordFields& fields);

// Views point into the fields' texts.
struct AccessChange {
  std::string_view operation;
  // What it is about: a vault's resource id, or a scope of vaults ("/subscriptions/..", a resource group, a management
  // group, "/" for all), without a slash at its end.
  std::string_view scope;
  std::string_view principal;  // who is let in; empty where the record does not say
  std::uint8_t policy_marks = 0;
  bool begun = false;  // the request only: a later record says whether it went well
};

// Nothing: the record lets nobody into a vault, or its request failed.
[[nodiscard]] std::optional<AccessChange> access_change_of(const RecordFields& fields);

}  // namespace keyvigil
