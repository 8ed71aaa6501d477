// Alerts for tests of outward shapes: one of a threat list, one about behaviour, and alerts whose every text from
// outside is one of the test's own.
#pragma once

#include <string>

#include "alert/alert.h"
#include "base/check.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"

namespace keyvigil {

inline Alert tor_alert() {
  ListWorld world;
  const std::vector<Alert> alerts = world.run_all(std::vector<AccessEvent>{EventBuilder()
                                                                               .user("alice")
                                                                               .object("secrets/db")
                                                                               .status(200)
                                                                               .set(TextField::kResultSignature, "OK")
                                                                               .set(TextField::kClientInfo, "curl/8.0")
                                                                               .build()});
  CHECK(alerts.size() == 1);
  return alerts.front();
}

inline Alert denied_alert() {
  ListWorld world;
  const std::vector<Alert> alerts = world.run_all(std::vector<AccessEvent>{
      EventBuilder().from("198.51.100.23").user("bob").object("secrets/db").status(403).build()});
  CHECK(alerts.size() == 1);
  return alerts.front();
}

// An application that listed and read, beside what is usual for it.
inline Alert behaviour_alert() {
  Alert alert = tor_alert();
  alert.type = AlertType::kListGetAnomaly;
  alert.lists.clear();
  alert.reasons.clear();
  Reason reason;
  reason.code = ReasonCode::kReadsAfterList;
  reason.since = alert.start;
  reason.with(Quantity::kObserved, 12)
      .with(Quantity::kUsual, 1.5)
      .with(Quantity::kUsualHigh, 4)
      .with(Quantity::kLearnedWindows, 9)
      .with(Quantity::kUsualOpenings, 0.2)
      .with(Quantity::kOpeningsToday, 1)
      .with(Quantity::kProbability, 1e-6)
      .with(Quantity::kWindowSeconds, 3600);
  alert.reasons = {reason};
  alert.verdict = {
      .model_p = 1e-6, .calibrated_p = 2e-6, .threshold = 1e-5, .tests_per_day = 100, .alerts_per_day = 0.5};
  alert.caller.kind = CallerKind::kApp;
  alert.caller.user_name.clear();
  alert.address = parse_ip_address("2001:db8::17").value();
  alert.addresses.items = {"2001:db8::17"};
  for (RecordReference& record : alert.records) { record.address = "2001:db8::17"; }
  return alert;
}

// Every text that a caller, a vault's owner or a list's author chooses.
inline Alert with_texts(Alert alert, const std::string& text) {
  alert.vault_name = text;
  alert.vault_id = "/subscriptions/11111111-2222-4333-8444-555555555555/" + text;
  alert.vaults.items = {alert.vault_id};
  alert.resource_group = text;
  alert.caller.user_name = text;
  alert.caller.object_id = text;
  alert.caller.key = text;
  alert.caller.app_id = text;
  alert.caller.managed_identity = text;
  alert.suspicious_operations = {{text, 2}};
  alert.vault_operations = {{text, 3}};
  alert.result_signatures = {text};
  alert.client_infos.items = {text};
  alert.targets.items = {"https://" + text};
  alert.addresses.items = {"203.0.113.7", text};
  for (ListEvidence& list : alert.lists) { list.list_name = list.file = list.prefix = list.label = text; }
  for (RecordReference& record : alert.records) {
    record.correlation_id = record.operation = record.address = record.target = text;
    record.vault = record.object = record.version = record.caller = record.for_whom = text;
  }
  alert.objects_read = {{text, text, text}};
  for (Reason& reason : alert.reasons) { reason.about = reason.nearest = reason.vault = text; }
  alert.also_read = alert.objects_read;
  return alert;
}

}  // namespace keyvigil
