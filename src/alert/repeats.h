// Repeats: the memory of open alerts. Findings open alerts, later evidence joins them, time closes them.
//
// An alert holds what made it: when it is raised, the events of the last two days that belong to it are joined first,
// then the one that raised it; each event is in it once, as evidence_part.h says. An alert about a vault names as its
// caller who did at least half of it, else nobody. Identity (design 4.11): a threat-list alert is one per type, caller
// (or else address), vault and UTC day; its id is the hash of these. One that begins with requests that name nobody is
// taken over by the first caller who comes from that address. An alert about behaviour is named by the event at which
// the judge fired; findings of its type about the same subject join it for 24 h after the last one, and those of a
// narrower type where the wider one is open. Evidence joins while an alert is open; an alert closes once event time has
// passed the end of its day by 48 h, because late records may still belong to it. The result depends only on the order
// of the calls. Memory is bounded by RepeatsLimits; whatever a limit cost is in the alert and in statistics(). Threads:
// one at a time. Alerts are handed over by value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "alert/alert.h"
#include "alert/evidence_part.h"
#include "alert/recent_events.h"
#include "base/event_time.h"
#include "base/snapshot.h"
#include "engine/decision.h"
#include "event/access_event.h"
#include "intel/address_book.h"

namespace keyvigil {

struct RepeatsLimits {
  std::size_t open_alerts = 100'000;  // over it the oldest is closed early
  std::size_t closed_remembered = 100'000;
  std::size_t records = 100;               // per alert; a fifth of them is kept for what comes after it was raised
  std::size_t context_records = 20;        // per alert, besides
  std::size_t records_in_all = 1'000'000;  // over all open alerts
  std::size_t objects = 10'000;            // per alert: the rotation list is exact up to here
  std::size_t objects_in_all = 1'000'000;  // over all open alerts
  std::size_t lists = 50;                  // per alert
  RecentEventsLimits recent = {};
};

inline constexpr std::size_t kOperationNameLimit = 64;  // names per alert; the rest is counted as "other"
inline constexpr std::size_t kClientInfoLimit = 8;
inline constexpr std::size_t kTargetLimit = 20;
inline constexpr std::size_t kVaultLimit = 50;
inline constexpr std::size_t kAddressLimit = 20;
inline constexpr std::size_t kResultSignatureLimit = 16;
inline constexpr std::size_t kReasonLimit = 12;
inline constexpr std::size_t kContributorLimit = 1000;  // of one alert about a vault
inline constexpr std::size_t kRuleVaultLimit = 10'000;  // vaults of one alert about many

struct RepeatsStatistics {
  std::uint64_t opened = 0;
  std::uint64_t reopened = 0;  // of these: raised again after they were closed
  std::uint64_t suspicious_joined = 0;
  std::uint64_t related_joined = 0;
  std::uint64_t closed = 0;
  std::uint64_t closed_early = 0;      // of these: for want of room
  std::uint64_t records_left_out = 0;  // of suspicious events
  std::uint64_t objects_left_out = 0;  // sightings of objects for which a rotation list had no room
  std::uint64_t events_forgotten = 0;  // within the day, for want of room: alerts that miss them say so
  auto fields() {
    return std::tie(opened, reopened, suspicious_joined, related_joined, closed, closed_early, records_left_out,
                    objects_left_out, events_forgotten);
  }
  friend bool operator==(const RepeatsStatistics&, const RepeatsStatistics&) = default;
};

// Names an input by AccessEvent::place.input, for record references; empty: references carry no file and line.
using InputNames = std::function<std::string(std::uint32_t input)>;

class Repeats {
 public:
  explicit Repeats(const RepeatsLimits& limits = {}, InputNames input_names = {});

  // Call for every event, in the order of decision, before observe(): appends what closes, by (generated, id).
  // `now` is the time of the event being decided; a late one does not turn time back.
  void advance(EventTime now, std::vector<Alert>& closed);

  // Opens and joins. `decision` was made with `book`. Appends to `revised`, where there is one, a copy of each alert
  // that the event opened or revised.
  void observe(const AccessEvent& event, const Decision& decision, const AddressBook& book,
               std::vector<Alert>* revised = nullptr);
  // Types of the alerts that the last observe() raised for the first time, whatever revision it left them at.
  [[nodiscard]] const std::vector<AlertType>& opened_types() const { return opened_types_; }
  // Of an event that is not observed: later alerts may look back at it.
  void remember(const AccessEvent& event, const Decision& decision);

  // The input has ended: closes and appends everything, by (generated, id).
  void finish(std::vector<Alert>& closed);

  // Copies of what is open, by (generated, id), for those who look before it closes.
  [[nodiscard]] std::vector<Alert> open_alerts() const;
  // The one that is open, where it is; nothing: it is not. Lives until the next call that is not const.
  [[nodiscard]] const Alert* find_open(EventTime generated, const std::string& id) const;

  [[nodiscard]] const RepeatsStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::size_t open_count() const { return open_.size(); }

  // Equal memory gives equal bytes. load() replaces everything but limits and input names; false: the bytes are
  // damaged, and the memory is empty.
  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  // Oldest first; `generated` lies on the alert's own day, so this is also the order of closing.
  using OpenKey = std::pair<std::int64_t, std::string>;
  using OpenAlerts = std::map<OpenKey, Alert>;

  // What must not change when a very late hit raises a closed alert again.
  struct ClosedAlert {
    std::int64_t start_ticks = 0;
    std::int64_t generated_ticks = 0;
    std::uint64_t revision = 0;
    auto fields() { return std::tie(start_ticks, generated_ticks, revision); }
  };

  auto fields() { return std::tie(open_, closed_early_, closed_memory_, closed_order_, now_ticks_, statistics_); }
  using Places = std::vector<OpenAlerts::iterator>;

  Alert& find_or_open(const AccessEvent& event, const Finding& finding);
  [[nodiscard]] Alert* find_of_list(const AccessEvent& event, const Finding& finding);
  [[nodiscard]] Alert* find_behavioural(const AccessEvent& event, const Finding& finding);
  // The open alert about the volume of whoever did at least half of what a finding about a vault counts.
  [[nodiscard]] Alert* find_of_contributor(const AccessEvent& event, const Finding& finding);
  [[nodiscard]] Alert* find_by_key(const std::string& key, EventTime at);
  Alert& open(const AccessEvent& event, const Finding& finding, std::string id);
  void join_finding(Alert& alert, const AccessEvent& event, const Finding& finding, const Decision& decision,
                    const AddressBook& book);
  void join_others(const AccessEvent& event, const Decision& decision);
  void join_others(const std::string& key, const AccessEvent& event, const Decision& decision);
  // Joins what happened before this event, belongs to the alert and is not in it yet.
  void look_back(Alert& alert, const AccessEvent& event);
  // A suspicious event of the alert turns out to be what a later reason counted.
  static void make_cause(Alert& alert, const AccessEvent& event);
  void add_event(Alert& alert, const AccessEvent& event, const EventMarks& marks, Part part);
  void add_suspicious(Alert& alert, const AccessEvent& event, const EventMarks& marks, Part part);
  void add_record(Alert& alert, const AccessEvent& event, Part part);
  void add_object(Alert& alert, const AccessEvent& event, Part part);
  void revise_open(Alert& alert);
  // Whoever comes from the address of an alert that names nobody is whom it is about.
  void take_over(OpenAlerts::iterator place, const AccessEvent& event);
  [[nodiscard]] Alert close(OpenAlerts::iterator place, bool early);
  [[nodiscard]] std::uint32_t& open_of_subject(std::uint64_t hash) {
    return open_of_subjects_[hash % open_of_subjects_.size()];
  }
  void remember(const Alert& alert);
  void index(OpenAlerts::iterator place);
  void leave_index(OpenAlerts::iterator place);
  [[nodiscard]] bool rebuild();
  void clear();

  RepeatsLimits limits_;
  InputNames input_names_;

  OpenAlerts open_;
  std::vector<Alert> closed_early_;                   // until the next advance() or finish()
  std::map<std::string, ClosedAlert> closed_memory_;  // by id
  std::deque<std::string> closed_order_;              // ids, the first closed first
  std::int64_t now_ticks_ = INT64_MIN;
  RepeatsStatistics statistics_;
  RecentEvents recent_;

  // Derived from open_: by every key that keys_of() gives an alert.
  absl::flat_hash_map<std::string, Places> by_key_;
  // How many of these are about a caller or a vault of that hash, by its low bits: nearly every event is of subjects
  // without any.
  std::array<std::uint32_t, 1024> open_of_subjects_{};
  absl::flat_hash_map<std::string, OpenAlerts::iterator> by_behaviour_;  // the newest of its kind
  std::size_t records_held_ = 0;
  std::size_t objects_held_ = 0;

  std::vector<Alert*> raised_;   // by the event at hand
  std::vector<Alert*> revised_;  // the same, opened or revised
  std::vector<AlertType> opened_types_;
};

}  // namespace keyvigil
