// LiveView: what the running service knows beside the store, asked as values between two events.
//
// The functions are called from any thread and wait their turn in the loop; they answer within a second or fail with
// ErrorKind::kLimit.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "base/bound_met.h"
#include "base/event_time.h"
#include "base/result.h"
#include "catalogue/alert_type.h"

namespace keyvigil {

// What is wrong with an input that is followed, by whoever follows it.
struct InputReport {
  std::string failure;                  // a sentence; empty: nothing
  std::uint64_t items_failing = 0;      // could not be read when they were tried last
  std::uint64_t item_failures = 0;      // attempts that failed, since the start
  std::uint64_t items_passed_over = 0;  // too large to be taken
  std::uint64_t items_left_out = 0;     // too many, or could not be listed
};

struct InputHealth {
  std::string name;
  std::uint64_t records = 0;
  std::uint64_t refused = 0;
  std::map<std::string, std::uint64_t> refused_by_cause;
  std::uint64_t skipped = 0;
  std::uint64_t unreadable_addresses = 0;  // of events: the caller's address counts as unknown
  std::optional<EventTime> newest_event;
  std::optional<EventTime> last_received;  // wall clock
  bool idle = false;
  bool removed = false;  // from the configuration: nobody waits for it
  InputReport report;    // now
};

// A threat list by URL.
struct ListHealth {
  std::string name;  // the URL without its query
  std::string role;
  std::optional<EventTime> confirmed;  // wall clock of the newest good answer
  std::int64_t interval_minutes = 0;
  std::string failure;  // what is wrong with it now; empty: nothing
};

// A threat list that events are decided with.
struct ListInForce {
  std::string name;
  std::string role;
  std::uint64_t entries = 0;
  std::uint64_t refused = 0;
  std::string losses;     // a sentence; empty: everything was taken
  bool doubtful = false;  // more than a hundredth could not be read
};

// Something that is wrong with the service itself, now.
struct ServiceProblem {
  std::string kind;   // "silent", "lag", "loss", "clock", "list", "input", "store", "output", "configuration"
  std::string about;  // an input, a list, an output; may be empty
  std::string text;   // a sentence
};

// A vault that is quiet for longer than it ever was.
struct SilentVault {
  std::string vault_id;
  EventTime last;  // its newest event
  std::int64_t pause_ticks = 0;
  std::int64_t longest_ticks = 0;  // its longest pause before
};

struct LiveFigures {
  static constexpr std::size_t kSilentVaults = 20;
  std::vector<ServiceProblem> problems;
  std::vector<InputHealth> inputs;
  std::vector<ListHealth> lists;
  std::vector<ListInForce> lists_in_force;
  std::uint64_t events_decided = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;
  std::uint64_t future_refused = 0;
  std::uint64_t held = 0;  // waiting for the watermark
  std::uint64_t evicted_callers = 0;
  std::uint64_t evicted_vaults = 0;
  std::uint64_t evicted_edges = 0;      // of callers to vaults, applications, addresses
  std::uint64_t forgotten_objects = 0;  // of what callers had read
  std::uint64_t alerts_closed_early = 0;
  std::uint64_t evidence_left_out = 0;           // records and objects for which alerts had no room
  std::vector<BoundMet> bounds;                  // every one, over all estates
  std::uint64_t decided_before = 0;              // of the duplicates: came after the time of their first had passed
  std::uint64_t too_old = 0;                     // left out: it is no longer known whether they were decided
  std::optional<EventTime> decided_known_from;   // of older events that is not known; nothing: of none
  std::uint64_t spilled = 0;                     // events that waited on disk
  std::map<AlertType, double> detector_seconds;  // since the start, estimated from one decision in many
  std::map<AlertType, std::uint64_t> alerts_raised;
  std::optional<EventTime> decided_to;     // event time
  std::optional<EventTime> learned_at;     // behaviour raises alerts from then on
  std::uint64_t journal_waiting = 0;       // entries that are not decided yet
  std::vector<SilentVault> silent_vaults;  // at most kSilentVaults, the longest silent first
  std::uint64_t silent_vaults_total = 0;
  std::uint64_t vaults_not_watched = 0;  // for silence, for want of room
  std::uint64_t clock_held = 0;          // pieces of input that wait until this machine's clock is right
  std::int64_t clock_lead_ticks = 0;     // how far their records are ahead of it, at most
  std::uint64_t clock_holds = 0;         // times that one was not taken, since the start
  double behind_seconds = 0;             // since the oldest of these was received
  double checkpoint_seconds = 0;         // the last one
  std::uint64_t checkpoints = 0;
  std::string list_version;
};

// One of those that an entity has to do with.
struct EntityLink {
  std::string key;
  EventTime first_seen;  // whole hours
  EventTime last_seen;
  std::uint32_t days_seen = 0;
  bool confirmed = false;  // no: it alerted, and was not seen for a week since
};

struct EntityLinks {
  static constexpr std::size_t kMost = 256;
  std::vector<EntityLink> links;  // seen last first, at most kMost
  std::uint64_t total = 0;        // of those that are known
};

// What is known of a caller, an application, a vault or an address (which is known by its network).
struct EntityProfile {
  std::string kind;  // user, app, vault, address
  std::string key;
  EventTime first_seen;  // whole days
  std::uint32_t days_seen = 0;
  std::map<std::string, double> usual;  // name of a fact -> number, with the unit in the name
  // vaults, refusedVaults, applications, addresses of a caller; callers, refusedCallers of a vault; callers of the rest
  std::map<std::string, EntityLinks> related;
};

struct VaultReadiness {
  std::string vault_id;
  struct Detector {
    AlertType type;
    bool ready = false;
    std::string because;             // "learning", "no list of Tor exits", ...; empty: ready
    std::optional<EventTime> until;  // while learning
  };
  std::vector<Detector> detectors;
};

// What tells an open alert.
struct OpenAlertKey {
  EventTime generated;
  std::string id;
};

struct LiveView {
  std::function<Result<LiveFigures>()> figures;
  std::function<Result<std::optional<EntityProfile>>(const std::string& kind, const std::string& key)> entity;
  std::function<Result<std::vector<VaultReadiness>>(std::size_t limit)> readiness;
  // Those that are open, as they are now, with evidence that no revision holds yet; in the order of the keys.
  std::function<Result<std::vector<Alert>>(const std::vector<OpenAlertKey>& keys)> open_alerts;
};

}  // namespace keyvigil
