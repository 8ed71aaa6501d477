#include "alert/sample_alerts.h"

#include <array>

#include <fmt/format.h>

#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::string_view kGroup = "Sample-RG";
constexpr std::string_view kVault = "Sample-KV";
constexpr std::string_view kAddress = "00.00.00.00";
constexpr std::string_view kNobody = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view kObject = "secrets/sample";
constexpr std::string_view kTarget = "https://sample-kv.vault.azure.net/secrets/sample";

struct SampleOperation {
  std::string_view name;
  std::uint64_t count;
};

// What is special about the sample of a type.
struct SampleRow {
  ReasonCode reason;
  double observed;
  double expected;
  std::int64_t window_seconds;
  std::string_view about;
  Outcome outcome;
  CallerKind caller;
  std::array<SampleOperation, 2> operations;  // the second may be empty
};

constexpr std::int64_t kHourSeconds = 3600;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr SampleOperation kNone = {"", 0};

// By AlertType.
constexpr std::array<SampleRow, kAlertTypeCount> kSamples = {{
    {ReasonCode::kAddressOnSuspiciousList,
     1,
     0,
     0,
     "",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 1}, kNone}}},
    {ReasonCode::kAddressOnTorList, 1, 0, 0, "", Outcome::kSuccess, CallerKind::kUser, {{{"SecretGet", 1}, kNone}}},
    {ReasonCode::kVolumeOfCaller,
     120,
     6,
     kHourSeconds,
     "credential reads",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 120}, kNone}}},
    {ReasonCode::kReadsAfterPolicyChange,
     2,
     0,
     kDaySeconds,
     "",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 2}, {"VaultPut", 1}}}},
    {ReasonCode::kReadsAfterList,
     5,
     1,
     kHourSeconds,
     "",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 5}, {"SecretList", 1}}}},
    {ReasonCode::kManyRefusedVaults,
     9,
     0.1,
     kDaySeconds,
     "",
     Outcome::kDenied,
     CallerKind::kUser,
     {{{"SecretList", 9}, kNone}}},
    {ReasonCode::kFirstRefusal, 1, 0.1, 0, "", Outcome::kDenied, CallerKind::kUser, {{{"SecretGet", 1}, kNone}}},
    {ReasonCode::kFirstTouchOfVault, 1, 0.1, 0, "", Outcome::kSuccess, CallerKind::kApp, {{{"SecretGet", 3}, kNone}}},
    {ReasonCode::kOperationsUnlikeHabit,
     6,
     0.2,
     0,
     "deletions and purges",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretDelete", 3}, {"SecretPurge", 3}}}},
    {ReasonCode::kFirstTouchOfVault, 1, 0.1, 0, "", Outcome::kSuccess, CallerKind::kUser, {{{"SecretGet", 3}, kNone}}},
    {ReasonCode::kNewClientOfUser,
     1,
     0.05,
     0,
     kNobody,
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 2}, kNone}}},
    {ReasonCode::kManyNewVaults,
     12,
     0.2,
     kDaySeconds,
     "",
     Outcome::kSuccess,
     CallerKind::kUser,
     {{{"SecretGet", 12}, {"SecretList", 12}}}},
    {ReasonCode::kAddressOnSuspiciousList,
     1,
     0,
     0,
     "",
     Outcome::kDenied,
     CallerKind::kUser,
     {{{"SecretGet", 1}, kNone}}},
    {ReasonCode::kNewAddress, 1, 0.1, 0, kAddress, Outcome::kSuccess, CallerKind::kUser, {{{"SecretGet", 2}, kNone}}},
}};

void add_reason(Alert& alert, const SampleRow& row) {
  Reason reason;
  reason.code = row.reason;
  reason.since = alert.start;
  reason.about = row.about;
  const bool learned = catalogue_row(alert.type).learned();
  if (learned) {
    reason.with(Quantity::kObserved, row.observed)
        .with(Quantity::kUsual, row.expected)
        .with(Quantity::kUsualHigh, row.expected)
        .with(Quantity::kUsualPerDay, row.expected)
        .with(Quantity::kUsualOpenings, row.expected)
        .with(Quantity::kOpeningsToday, 1)
        .with(Quantity::kLearnedWindows, 30)
        .with(Quantity::kDaysSeen, 30)
        .with(Quantity::kVaultsOfCaller, 2)
        .with(Quantity::kRequestsOfSession, row.observed)
        .with(Quantity::kProbability, 1e-6);
  }
  if (row.window_seconds > 0) { reason.with(Quantity::kWindowSeconds, static_cast<double>(row.window_seconds)); }
  alert.reasons.push_back(std::move(reason));
  if (learned) {
    alert.verdict = {.model_p = 1e-6,
                     .calibrated_p = 1e-6,
                     .threshold = 1e-5,
                     .tests_per_day = 100,
                     .alerts_per_day = 0.05,
                     .passed = true};
    return;
  }
  ListEvidence list;
  list.role = row.reason == ReasonCode::kAddressOnTorList ? ListRole::kTor : ListRole::kSuspicious;
  list.list_name = "sample-list";
  list.prefix = kAddress;
  alert.lists.push_back(std::move(list));
}

void add_operations(Alert& alert, const SampleRow& row) {
  for (const SampleOperation& operation : row.operations) {
    if (operation.count == 0) { continue; }
    alert.suspicious_operations[std::string(operation.name)] = operation.count;
    alert.vault_operations[std::string(operation.name)] = operation.count;
    alert.suspicious_events += operation.count;
    const bool read = operation.name == "SecretGet" && row.outcome == Outcome::kSuccess;
    if (read) { alert.credential_reads += operation.count; }
  }
  alert.suspicious_outcomes[static_cast<std::size_t>(row.outcome)] = alert.suspicious_events;
  alert.result_signatures = {row.outcome == Outcome::kSuccess ? "OK" : "Forbidden"};
  if (alert.credential_reads > 0) { alert.objects_read.insert({alert.vault_name, std::string(kObject), ""}); }
}

void add_record(Alert& alert, const SampleRow& row) {
  RecordReference record;
  record.correlation_id = kNobody;
  record.time = alert.start;
  record.operation = row.operations.front().name;
  record.address = kAddress;
  record.target = kTarget;
  record.http_status = row.outcome == Outcome::kSuccess ? 200 : 403;
  record.outcome = row.outcome;
  record.part = Part::kCause;
  record.vault = kVault;
  alert.records.push_back(std::move(record));
  alert.records_total = alert.suspicious_events;
}

Alert sample(AlertType type, const std::string& subscription_id, EventTime start, EventTime now) {
  const SampleRow& row = kSamples[static_cast<std::size_t>(type)];
  Alert alert;
  alert.type = type;
  alert.subject = SubjectKind::kCaller;
  alert.id = to_guid(hash128(HashInput()
                                 .add("sample alert")
                                 .add(subscription_id)
                                 .add(static_cast<std::uint64_t>(now.ticks))
                                 .add(static_cast<std::uint64_t>(type))
                                 .bytes()));
  alert.start = start;
  alert.generated = now;
  alert.open = false;
  alert.vault_id = fmt::format("/SUBSCRIPTIONS/{}/RESOURCEGROUPS/{}/providers/microsoft.keyvault/vaults/{}",
                               subscription_id, kGroup, kVault);
  alert.vault_name = kVault;
  alert.subscription_id = subscription_id;
  alert.resource_group = kGroup;
  alert.caller.kind = row.caller;
  alert.caller.key = kNobody;
  alert.caller.object_id = kNobody;
  alert.caller.app_id = kNobody;
  alert.vaults.items = {alert.vault_id};
  alert.first_event = start;
  alert.last_event = start;
  alert.last_suspicious = start;
  alert.client_infos.items = {"sample-client/1.0"};
  alert.targets.items = {std::string(kTarget)};
  alert.addresses.items = {std::string(kAddress)};
  add_reason(alert, row);
  add_operations(alert, row);
  add_record(alert, row);
  return alert;
}

}  // namespace

std::vector<Alert> sample_alerts(const std::string& subscription_id, EventTime now) {
  constexpr std::int64_t kFirstSecondsAgo = 6;
  constexpr std::int64_t kApartSeconds = 2;
  const EventTime made = EventTime::from_milliseconds(now.milliseconds());
  std::vector<Alert> alerts;
  for (std::size_t i = 0; i < kAlertTypeCount; ++i) {
    const std::int64_t seconds_ago = kFirstSecondsAgo + kApartSeconds * static_cast<std::int64_t>(i);
    const EventTime start{made.ticks - seconds_ago * EventTime::kTicksPerSecond};
    alerts.push_back(sample(static_cast<AlertType>(i), subscription_id, start, made));
  }
  return alerts;
}

}  // namespace keyvigil
