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

// What an event is in an alert.
enum class Part : std::uint8_t {
  kCause = 0,       // what made the alert: a list, a change of policy, a first touch, an event of the window counted
  kSuspicious = 1,  // what followed and belongs to it
  kContext = 2,     // what the subject did besides
};
inline constexpr std::size_t kPartCount = 3;

[[nodiscard]] std::string_view to_string(Part part);

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
  Part part = Part::kContext;
  std::string vault;     // name
  std::string object;    // secrets/name
  std::string version;   // empty: the current one
  std::string caller;    // key
  std::string for_whom;  // the principal that a change of policy was made for
  [[nodiscard]] bool suspicious() const { return part != Part::kContext; }
  auto fields() {
    return std::tie(correlation_id, time.ticks, file, line, operation, address, target, http_status, outcome, part,
                    vault, object, version, caller, for_whom);
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

// A secret, key or certificate that was read: of a rotation list.
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

// Whom an event or an alert names.
struct Identity {
  CallerKind kind = CallerKind::kAnonymous;
  std::string key;  // AccessEvent::caller_key(); empty: nobody
  std::string object_id;
  std::string user_name;
  std::string app_id;
  std::string managed_identity;
  auto fields() { return std::tie(kind, key, object_id, user_name, app_id, managed_identity); }
  friend bool operator==(const Identity&, const Identity&) = default;
};

[[nodiscard]] Identity identity_of(const AccessEvent& event);
// "user alice@contoso.com", "application 1111-...", "managed identity vm1", "nobody named".
[[nodiscard]] std::string in_words(const Identity& identity);

// A caller that did some of what an alert about a vault is about.
struct Contributor {
  Identity who;
  std::uint64_t events = 0;  // causes and suspicious ones
  IpAddress address;         // of the last of them
  TextList addresses;
  TextList client_infos;
  auto fields() { return std::tie(who, events, address.high, address.low, address.known, addresses, client_infos); }
  friend bool operator==(const Contributor&, const Contributor&) = default;
};

// From when on until before when something was counted.
struct Span {
  std::int64_t begin_ticks = 0;
  std::int64_t end_ticks = 0;
  auto fields() { return std::tie(begin_ticks, end_ticks); }
  friend bool operator==(const Span&, const Span&) = default;
};

// First uses or refusals that reasons speak of.
struct CountedTouches {
  std::int64_t since_ticks = INT64_MAX;
  bool anywhere = false;  // else on these vaults, by hash
  std::set<std::uint64_t> vaults;
  auto fields() { return std::tie(since_ticks, anywhere, vaults); }
  friend bool operator==(const CountedTouches&, const CountedTouches&) = default;
};

// What belongs to the alert, told from its findings; alert/evidence_part.h says how.
struct EvidenceRule {
  EventTime began;                 // what its own detector looked at
  EventTime reach;                 // whatever any reason speaks of; nothing earlier belongs to it
  EventTime last_cause;            // list or change of policy
  std::vector<Span> volumes;       // windows that were counted; apart, in order
  std::vector<Span> sessions;      // the same
  std::set<std::uint8_t> classes;  // of operations that stand out in sessions
  std::string network;             // the new one
  std::string client;              // the new one of a user
  CountedTouches touches;
  CountedTouches refusals;
  bool refused_before = false;         // shortly before the policy was changed
  std::set<std::uint64_t> vaults;      // hashes: first used by the caller, or that refused it
  std::set<std::int64_t> piece_ticks;  // of events that were joined as evidence of several kinds
  std::set<std::uint64_t> taken;       // canonical hashes of the evidence so far; bounded
  auto fields() {
    return std::tie(began.ticks, reach.ticks, last_cause.ticks, volumes, sessions, classes, network, client, touches,
                    refusals, refused_before, vaults, piece_ticks, taken);
  }
  friend bool operator==(const EvidenceRule&, const EvidenceRule&) = default;
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

  // Whom it is about. Of an alert about a vault: who did at least half of it, else nobody.
  Identity caller;
  IpAddress address;

  // Evidence: each event once, under one Part. What is called suspicious below are causes and suspicious events.
  EvidenceRule rule;
  std::vector<Reason> reasons;  // the first found stands first; of one code and vault the newest numbers
  Verdict verdict;              // of the finding with the smallest calibrated p
  TextList vaults;              // of the suspicious events, resource ids
  EventTime first_event;        // of the suspicious events
  EventTime last_event;         // of all evidence
  EventTime last_suspicious;    // of the suspicious events
  bool evidence_cut = false;    // earlier events were no longer at hand when it was raised
  std::uint64_t cause_events = 0;
  std::uint64_t suspicious_events = 0;  // causes included
  std::uint64_t related_events = 0;     // context
  std::uint64_t related_unlisted = 0;   // related events from addresses on no list
  std::uint64_t late_events = 0;        // suspicious events decided after their time had passed
  std::uint64_t credential_reads = 0;   // of the suspicious events
  std::uint64_t related_reads = 0;      // of the related ones
  OutcomeCounts suspicious_outcomes{};
  OutcomeCounts related_outcomes{};
  OperationCounts suspicious_operations;
  OperationCounts vault_operations;  // of the 24 h before the last finding on the alert's vault
  std::set<std::string> result_signatures;
  TextList client_infos;
  TextList targets;
  TextList addresses;
  std::vector<ListEvidence> lists;
  std::uint64_t lists_left_out = 0;
  std::string list_version;  // AddressBook::version() at the last finding
  std::vector<RecordReference> records;
  std::uint64_t records_total = 0;
  std::set<ObjectRead> objects_read;  // in suspicious events
  bool objects_cut = false;           // there was no room for at least one object that was read
  std::set<ObjectRead> also_read;     // in related events, and in no suspicious one
  bool also_read_cut = false;
  std::map<std::string, Contributor> contributors;  // by key; of alerts about a vault
  std::uint64_t contributors_left_out = 0;          // events of callers for whom there was no room

  [[nodiscard]] std::uint64_t evidence() const { return suspicious_events + related_events; }

  auto fields() {
    return std::tie(type, subject, id, start.ticks, generated.ticks, revision, revised_at, open, closed_early, learning,
                    continued, vault_id, vault_name, subscription_id, resource_group, caller, address.high, address.low,
                    address.known, rule, reasons, verdict, vaults, first_event.ticks, last_event.ticks,
                    last_suspicious.ticks, evidence_cut, cause_events, suspicious_events, related_events,
                    related_unlisted, late_events, credential_reads, related_reads, suspicious_outcomes,
                    related_outcomes, suspicious_operations, vault_operations, result_signatures, client_infos, targets,
                    addresses, lists, lists_left_out, list_version, records, records_total, objects_read, objects_cut,
                    also_read, also_read_cut, contributors, contributors_left_out);
  }
  friend bool operator==(const Alert&, const Alert&) = default;
};

// The catalogue's, or Informational while the estate was being learned.
[[nodiscard]] Severity severity_of(const Alert& alert);

// DateTime.MaxValue minus the start, in .NET ticks (100 ns since year 1), 19 digits, then "_" and the id: sorts
// newest first. Source of the rule: five alerts captured from Defender, recomputed.
[[nodiscard]] std::string alert_name(const Alert& alert);

}  // namespace keyvigil
