// Alerts for tests, from a number: what differs between them follows from it.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "alert/alert.h"
#include "base/hash.h"

namespace keyvigil {

inline Alert made_alert(std::uint64_t number, std::uint64_t revision = 1) {
  Alert alert;
  alert.type = static_cast<AlertType>(number % kAlertTypeCount);
  alert.id = to_guid(hash128(fmt::format("alert {}", number)));
  alert.generated = EventTime::from_milliseconds(1'790'000'000'000 + static_cast<std::int64_t>(number) * 60'000);
  alert.start = alert.generated;
  alert.first_event = alert.generated;
  alert.last_event = alert.generated;
  alert.last_suspicious = alert.generated;
  alert.revision = revision;
  alert.subscription_id = fmt::format("11111111-2222-4333-8444-{:012}", number % 5);
  alert.resource_group = fmt::format("rg-{}", number % 7);
  alert.vault_name = fmt::format("kv-{}", number % 50);
  alert.vault_id = fmt::format("/subscriptions/{}/resourcegroups/{}/providers/microsoft.keyvault/vaults/{}",
                               alert.subscription_id, alert.resource_group, alert.vault_name);
  alert.vaults.items = {alert.vault_id};
  alert.caller.kind = CallerKind::kUser;
  alert.caller.key = fmt::format("0b000000-0000-4000-8000-{:012}", number % 300);
  alert.caller.object_id = alert.caller.key;
  alert.caller.user_name = fmt::format("person{}@contoso.com", number % 300);
  alert.addresses.items = {fmt::format("203.0.113.{}", number % 250)};
  alert.suspicious_events = 3 * revision;
  alert.credential_reads = 2;
  alert.suspicious_outcomes[0] = alert.suspicious_events;
  alert.suspicious_operations["SecretGet"] = alert.suspicious_events;
  for (std::uint64_t i = 0; i < 3; ++i) {
    alert.objects_read.insert({alert.vault_name, fmt::format("secrets/s{}-{}", number, i), ""});
    RecordReference record;
    record.correlation_id = fmt::format("00000000-0000-4000-8000-{:012}", number * 10 + i);
    record.time = alert.generated;
    record.operation = "SecretGet";
    record.address = alert.addresses.items[0];
    record.target = fmt::format("https://{}.vault.azure.net/secrets/s{}-{}", alert.vault_name, number, i);
    record.http_status = 200;
    record.outcome = Outcome::kSuccess;
    record.part = Part::kSuspicious;
    record.vault = alert.vault_name;
    record.object = fmt::format("secrets/s{}-{}", number, i);
    alert.records.push_back(std::move(record));
  }
  alert.records_total = alert.records.size();
  return alert;
}

}  // namespace keyvigil
