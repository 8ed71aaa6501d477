// Alert: what the analyst sees, still as facts; its outward shapes are written by arm_json.h and its neighbours.
//
// An alert is opened by a finding, joined by later evidence (revisions), and closed. Everything in it is bounded and
// every bound that was met is visible in it. Texts are valid UTF-8 of bounded size (printable.h). Times: event time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "catalogue/alert_type.h"
#include "catalogue/catalogue.h"
#include "detect/suspicion.h"
#include "event/access_event.h"
#include "intel/threat_list.h"
#include "judge/verdict.h"

namespace keyvigil {

// Names a record of the input: correlation id and time; and says in one line what it was.
struct RecordReference {
  std::string correlation_id;
  EventTime time;
  std::string file;        // with --provenance only
  std::uint64_t line = 0;  // with --provenance only
  std::string operation;
  std::string address;
  std::string target;  // request URI without query
  std::uint16_t http_status = 0;
  Outcome outcome = Outcome::kOther;
  bool suspicious = false;  // raised or joined the alert; false: joined as related evidence
  auto fields() {
    return std::tie(correlation_id, time.ticks, file, line, operation, address, target, http_status, outcome,
                    suspicious);
  }
  friend bool operator==(const RecordReference&, const RecordReference&) = default;
};

// One entry of a threat list that stands behind the alert.
struct ListEvidence {
  std::string list_name;
  std::string file;
  std::uint64_t line = 0;
  std::string prefix;
  std::string label;
  std::string list_date;
  std::string list_digest;
  ListRole role = ListRole::kSuspicious;
  std::int16_t confidence = -1;  // 0..100 as the list says, -1 = not said
  auto fields() { return std::tie(list_name, file, line, prefix, label, list_date, list_digest, role, confidence); }
  friend auto operator<=>(const ListEvidence&, const ListEvidence&) = default;
};

// A secret, key or certificate that was read since the first suspicion: the rotation list.
struct ObjectRead {
  std::string vault;
  std::string object;   // secrets/name
  std::string version;  // empty: the current one
  auto fields() { return std::tie(vault, object, version); }
  friend auto operator<=>(const ObjectRead&, const ObjectRead&) = default;
};

// Distinct texts, the first seen first.
struct TextList {
  std::vector<std::string> items;
  std::uint64_t left_out = 0;  // sightings of texts for which there was no room
  auto fields() { return std::tie(items, left_out); }
  friend bool operator==(const TextList&, const TextList&) = default;
};

using OperationCounts = std::map<std::string, std::uint64_t>;

inline constexpr std::size_t kOutcomeCount = 6;
using OutcomeCounts = std::array<std::uint64_t, kOutcomeCount>;  // by Outcome

struct Alert {
  // Identity: never changes.
  AlertType type = AlertType::kSuspiciousIPAccess;
  SubjectKind subject = SubjectKind::kCaller;
  std::string id;       // GUID
  EventTime start;      // of the event that raised it, whole milliseconds
  EventTime generated;  // event time at which it fired

  std::uint64_t revision = 1;    // 1 when it was raised
  std::uint64_t revised_at = 1;  // pieces of evidence when the revision was made
  bool open = true;
  bool closed_early = false;  // for want of room
  bool learning = false;      // found while the estate was being learned: Informational
  bool continued = false;     // raised again after it was closed: earlier evidence is in earlier revisions

  std::string vault_id;
  std::string vault_name;
  std::string subscription_id;
  std::string resource_group;

  // The caller of the event that raised it; empty where anonymous.
  CallerKind caller_kind = CallerKind::kAnonymous;
  std::string caller_key;
  std::string object_id;
  std::string user_name;
  std::string app_id;
  std::string managed_identity;
  IpAddress address;

  // Evidence. Suspicious events are those that the detector named; related ones are other events of the same subject
  // on the same vault, from the first suspicious one to 24 h after the last.
  std::map<ReasonCode, Reason> reasons;  // as first found
  Verdict verdict;                       // of the finding with the smallest calibrated p
  TextList vaults;                       // of the suspicious events, resource ids
  EventTime first_event;      // of all suspicious events, which may be earlier than `start` where a record came late
  EventTime last_event;       // of all evidence
  EventTime last_suspicious;  // of the suspicious events
  std::uint64_t suspicious_events = 0;
  std::uint64_t related_events = 0;
  std::uint64_t related_unlisted = 0;  // related events from addresses on no list
  std::uint64_t late_events = 0;       // suspicious events decided after their time had passed
  std::uint64_t credential_reads = 0;  // of suspicious and related events
  OutcomeCounts suspicious_outcomes{};
  OutcomeCounts related_outcomes{};
  OperationCounts suspicious_operations;
  OperationCounts vault_operations;  // of the 24 h before the last suspicious event
  std::set<std::string> result_signatures;
  TextList client_infos;
  TextList targets;
  TextList addresses;
  std::vector<ListEvidence> lists;
  std::uint64_t lists_left_out = 0;
  std::string list_version;  // AddressBook::version() at the last suspicious event
  std::vector<RecordReference> records;
  std::uint64_t records_total = 0;
  std::set<ObjectRead> objects_read;
  bool objects_cut = false;  // there was no room for at least one object that was read

  [[nodiscard]] std::uint64_t evidence() const { return suspicious_events + related_events; }

  auto fields() {
    return std::tie(type, subject, id, start.ticks, generated.ticks, revision, revised_at, open, closed_early, learning,
                    continued, vault_id, vault_name, subscription_id, resource_group, caller_kind, caller_key,
                    object_id, user_name, app_id, managed_identity, address.high, address.low, address.known, reasons,
                    verdict, vaults, first_event.ticks, last_event.ticks, last_suspicious.ticks, suspicious_events,
                    related_events, related_unlisted, late_events, credential_reads, suspicious_outcomes,
                    related_outcomes, suspicious_operations, vault_operations, result_signatures, client_infos, targets,
                    addresses, lists, lists_left_out, list_version, records, records_total, objects_read, objects_cut);
  }
  friend bool operator==(const Alert&, const Alert&) = default;
};

// Whether it stands on threat lists, or on behaviour.
[[nodiscard]] bool is_list_alert(AlertType type);

// The catalogue's, or Informational while the estate was being learned.
[[nodiscard]] Severity severity_of(const Alert& alert);

// DateTime.MaxValue minus the start, in .NET ticks (100 ns since year 1), 19 digits, then "_" and the id: sorts
// newest first. Source of the rule: five alerts captured from Defender, recomputed.
[[nodiscard]] std::string alert_name(const Alert& alert);

}  // namespace keyvigil
