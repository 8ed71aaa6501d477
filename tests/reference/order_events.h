// Small events for the laws of order: few values each, so that ties, duplicates and near-duplicates are common.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "event/access_event.h"

namespace keyvigil::reference {

struct SmallEvent {
  std::int64_t milliseconds = 0;
  int vault = 0;
  int caller = 0;
  int correlation = 0;  // 0: none
  int operation = 0;    // 0..2 known, 3 and 4 unknown and alike but for their case
  int client = 0;       // no part of what makes a duplicate
};

inline void put_text(AccessEvent& event, TextField field, std::string_view text) {
  event.slices[static_cast<std::size_t>(field)] = {static_cast<std::uint16_t>(event.text.size()),
                                                   static_cast<std::uint16_t>(text.size())};
  event.text.append(text);
}

inline AccessEvent make_event(const SmallEvent& small) {
  static constexpr std::array<std::string_view, 3> kKnown = {"SecretGet", "SecretList", "Authentication"};
  AccessEvent event;
  event.time = EventTime::from_milliseconds(small.milliseconds);
  event.address = IpAddress::from_v4(0xCB007100U + static_cast<std::uint32_t>(small.caller % 2));  // 203.0.113.0/24
  event.outcome = Outcome::kSuccess;
  event.http_status = 200;
  const std::string vault = "vault-" + std::to_string(small.vault);
  put_text(event, TextField::kVaultId, "/subscriptions/0/providers/microsoft.keyvault/vaults/" + vault);
  if (small.operation < 3) {
    event.operation = find_operation(kKnown[static_cast<std::size_t>(small.operation)]);
  } else {
    put_text(event, TextField::kOperationName, small.operation == 3 ? "SecretDream" : "secretdream");
  }
  put_text(event, TextField::kUri, "https://" + vault + ".vault.azure.net/secrets/one");
  put_text(event, TextField::kCallerKey, "caller-" + std::to_string(small.caller));
  put_text(event, TextField::kClientInfo, "client-" + std::to_string(small.client));
  if (small.correlation != 0) {
    put_text(event, TextField::kCorrelationId, "correlation-" + std::to_string(small.correlation));
  }
  return event;
}

}  // namespace keyvigil::reference
