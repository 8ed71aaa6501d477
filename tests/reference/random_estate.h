// A random stream of everything that histories look at: people and applications with few and with many vaults, clients,
// addresses, lists, reads, key uses, deletions, policy changes, refusals, throttled requests, and scripts that read one
// thing after the other within seconds.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "event/access_event.h"
#include "reference/event_builder.h"

namespace keyvigil {

struct RandomEstate {
  std::uint32_t seed = 0;
  int days = 20;
  int events_per_day = 60;
  std::string name;  // of callers, vaults and clients; estates of different names share nothing
  std::string network = "203.0.";
};

// Instead of an event: a role on its vault, its resource group or its subscription; some name whom they let in, some
// name it only in the request that comes before.
inline AccessEvent role_assignment(AccessEvent event, const std::string& principal, unsigned luck) {
  const std::string vault(event.vault_id());
  const std::string group = vault.substr(0, vault.find("/providers/"));
  EventBuilder builder(std::move(event));
  builder.operation("Microsoft.Authorization/roleAssignments/write").status(luck < 4 ? 0 : 200);
  builder.set(TextField::kObject, "").set(TextField::kCorrelationId, principal + "request-" + std::to_string(luck % 3));
  if (luck % 4 < 2) {
    builder.set(TextField::kVaultId, luck % 4 == 0 ? group : group.substr(0, group.rfind("/resourcegroups")));
  }
  if (luck < 12) { builder.set(TextField::kPolicyPrincipal, principal + std::to_string(4 + luck % 3)); }
  AccessEvent made = builder.build();
  made.policy_marks = kPolicyMarkAdded;
  return made;
}

// In time order; equal options give equal events.
inline std::vector<AccessEvent> random_estate(const RandomEstate& options) {
  std::mt19937 random(options.seed);
  const auto below = [&random](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  const std::vector<std::string> operations = {"SecretGet",    "SecretGet",   "SecretGet",    "SecretList",
                                               "SecretList",   "KeyDecrypt",  "KeyList",      "SecretSet",
                                               "SecretDelete", "SecretPurge", "SecretBackup", "CertificateList",
                                               "VaultPut",     "VaultPatch",  "VaultGet",     "KeyGet"};
  std::vector<AccessEvent> events;
  std::int64_t at = parse_iso_time("2026-03-01T00:00:00Z").value().ticks;
  const std::int64_t end = at + options.days * EventTime::kTicksPerDay;
  const auto pause = EventTime::kTicksPerDay / options.events_per_day;
  unsigned who = 0;
  unsigned where = 0;
  bool script = false;
  while (true) {
    // Bursts of one caller on one vault, then a pause.
    const bool burst = below(10) < 7;
    at += burst ? static_cast<std::int64_t>(below(script ? 6 : 40)) * EventTime::kTicksPerSecond
                : static_cast<std::int64_t>(below(1000)) * (pause / 150);
    if (at >= end) { break; }
    if (!burst) {
      who = below(7);
      script = below(6) == 0;
      const bool roams = (at / EventTime::kTicksPerDay) % 9 == 0;
      where = roams ? below(60) : below(8) < 7 ? who % 4 : below(12);
    }
    EventBuilder builder;
    if (who < 4) {
      builder.user(options.name + "u" + std::to_string(who));
      if (below(10) == 0) { builder.set(TextField::kAppId, options.name + "-client-" + std::to_string(below(3))); }
    } else {
      builder.app(options.name + "-app-" + std::to_string(who));
      builder.set(TextField::kObjectId, options.name + "-principal-" + std::to_string(who));
    }
    builder.vault(options.name + "kv" + std::to_string(where));
    const std::string& operation = operations[below(script ? 3 : static_cast<unsigned>(operations.size()))];
    builder.operation(operation);
    if (operation != "SecretList" && operation != "KeyList" && operation != "CertificateList" &&
        !operation.starts_with("Vault")) {
      builder.object("secrets/s" + std::to_string(below(burst ? 20 : 4)));
    }
    builder.from(options.network + std::to_string(below(12) == 0 ? below(6) : who) + ".9");
    const unsigned luck = below(40);
    builder.status(luck == 0 ? 429 : luck < 4 ? 403 : luck == 4 ? 404 : 200);
    AccessEvent event = builder.at(EventTime{at}).build();
    if (operation.starts_with("Vault") && below(2) == 0) {
      event.policy_marks = 1;
      if (below(2) == 0) {
        event = EventBuilder(event)
                    .set(TextField::kPolicyPrincipal, options.name + "-principal-" + std::to_string(4 + below(3)))
                    .build();
      }
    } else if (operation.starts_with("Vault") && below(2) == 0) {
      event.rbac_authorization = below(2) == 0 ? TriState::kTrue : TriState::kFalse;
    }
    if (operation.starts_with("Vault") && below(3) == 0) {
      event = EventBuilder(event)
                  .set(TextField::kNetworkAcls,
                       below(2) == 0 ? "bypass=none;defaultaction=deny" : "bypass=;defaultaction=allow;iprules=1:07")
                  .build();
    }
    if (below(60) == 0) { event = role_assignment(std::move(event), options.name + "-principal-", below(24)); }
    events.push_back(event);
  }
  return events;
}

}  // namespace keyvigil
