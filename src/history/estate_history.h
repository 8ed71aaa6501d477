// EstateHistory: what is usual in one estate, by caller, vault and what lies between them.
//
// observe() counts an event into what is open (the hour, the session, the episode) and says what was usual before it;
// learn() teaches what should be remembered of it, once the judge has spoken. Hours close as event time passes them, in
// the order of the callers' hashes; whatever is asked across callers is as of the last closed hour (design section 5).
// Bounds: EstateHistoryLimits; evictions follow history/settled_table.h. About 1.4 KiB a caller, 0.6 KiB a vault.
// Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/stamped_vector.h"
#include "event/access_event.h"
#include "event/first_party.h"
#include "history/episodes.h"
#include "history/facts.h"
#include "history/first_time_rate.h"
#include "history/first_touches.h"
#include "history/known_objects.h"
#include "history/network_visits.h"
#include "history/operation_mix.h"
#include "history/population_count.h"
#include "history/record_excess.h"
#include "history/scope_changes.h"
#include "history/settled_table.h"
#include "history/surprise_ledger.h"
#include "history/teams.h"
#include "history/vault_settings.h"
#include "history/visit_reads.h"
#include "history/volume_windows.h"

namespace keyvigil {

struct EstateHistoryLimits {
  std::size_t callers = 1'000'000;
  std::size_t vaults = 100'000;
  std::size_t edges = 10'000'000;
  std::size_t prefixes = 1'000'000;
  // Of all callers together, see history/known_objects.h. At least 4 * KnownObjects::kObjects. Callers that are not
  // settled (history/settled_table.h) share a quarter, and what settled ones do not use; where a part is full, the
  // callers of it that are idle longest forget theirs.
  std::size_t known_objects = 10'000'000;
};

// What callers remember to have read, all together.
struct KnownObjectsStatistics {
  std::array<std::size_t, 2> kept{};  // of callers that are not settled, and of those that are; derived
  std::uint64_t forgotten = 0;        // for want of room
};

// What the judge made of an event, as far as it decides what may be learned from it.
struct LearningGuard {
  bool first_touch_alerted = false;  // or a threat list matched: the edge is remembered unconfirmed
  bool session_alerted = false;
  bool episode_alerted = false;
  bool caller_alerted = false;  // by any behaviour or list
};

// Of a caller or a vault, per active hour and day.
struct UsualActivity {
  CallerClass caller_class = CallerClass::kUser;  // of a caller
  std::array<std::array<UsualCount, kTumblingWindowCount>, kVolumeMeasureCount> counts{};
  OperationMixWeights operations{};  // shares of a caller's; all 0: not known
};

class EstateHistory {
 public:
  explicit EstateHistory(const EstateHistoryLimits& limits = {}, Teams teams = {}, FirstPartyApps first_party = {});

  // Closes every hour that ends at or before the hour of `now`; true when there was one.
  bool advance(EventTime now);
  // Ask the memory for what observe() will read, some events ahead, the first well before the second. Change nothing.
  void prefetch_profiles(const AccessEvent& event) const;
  void prefetch_edges(const AccessEvent& event) const;
  // `from_elsewhere`: the address is known to be public and not one of Microsoft's, so that no service does its routine
  // from there.
  void observe(const AccessEvent& event, Facts& out, bool from_elsewhere = false);
  // REQUIRES: the event and the facts of the last observe().
  void learn(const AccessEvent& event, const Facts& facts, const LearningGuard& guard);

  [[nodiscard]] const FirstTouches& vault_touches() const { return touches_[kVaultTouch]; }
  // What callers touch: vaults, vaults that refused, clients, clients on vaults, address prefixes.
  static constexpr std::size_t kTouchKinds = 5;
  enum TouchKind : std::uint8_t { kVaultTouch, kDeniedTouch, kClientTouch, kPairTouch, kAddressTouch };
  // REQUIRES: kind < kTouchKinds.
  [[nodiscard]] const FirstTouches& touches(std::size_t kind) const { return touches_[kind]; }
  [[nodiscard]] const KnownObjectsStatistics& known_objects() const { return known_objects_; }
  // Changes of the Activity Log that were forgotten within a day for want of room.
  [[nodiscard]] std::uint64_t scope_changes_dropped() const { return scope_changes_.dropped(); }
  [[nodiscard]] const NetworkVisits& network_visits() const { return network_visits_; }
  [[nodiscard]] const Episodes& episodes() const { return episodes_; }
  [[nodiscard]] const SettledTable& callers() const { return callers_; }
  [[nodiscard]] const SettledTable& vaults() const { return vaults_; }
  // What is usual for one of them, for people. Nothing where nobody knows the key.
  [[nodiscard]] std::optional<UsualActivity> usual_of_caller(const TableKey& caller) const;
  [[nodiscard]] std::optional<UsualActivity> usual_of_vault(const TableKey& vault) const;
  // Under what the graph of address prefixes knows an address.
  [[nodiscard]] static std::string address_thing(const IpAddress& address);
  // Of the current hour.
  [[nodiscard]] std::uint64_t vaults_seen_lately() const { return vaults_.size(); }

  // For tests: what is usual of a class stays as it is from now on.
  void freeze_classes() { classes_are_frozen_ = true; }

  void save(SnapshotWriter& writer) const;
  [[nodiscard]] std::string save() const {
    return snapshot_bytes([this](SnapshotWriter& writer) { save(writer); });
  }
  // On an error the history is empty.
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  // What was touched within the hour needs no second look.
  struct Recent {
    std::uint64_t thing = 0;  // hash
    std::int64_t hour = INT64_MIN;
    auto fields() { return std::tie(thing, hour); }
  };
  // The newest address of a caller, while it is new.
  struct NewAddress {
    std::uint64_t prefix = 0;  // hash
    std::int64_t since_ticks = 0;
    double surprise = 1;
    double rate = 0;
    double dispersion = 1;
    double days_known = 0;
    bool caller_is_new = false;
    std::uint32_t caller_things = 0;
    std::uint64_t thing_callers = 0;
    auto fields() {
      return std::tie(prefix, since_ticks, surprise, rate, dispersion, days_known, caller_is_new, caller_things,
                      thing_callers);
    }
  };
  // A list of keys or certificates; it counts as one of secrets once a secret is read after it.
  struct OtherList {
    std::uint64_t vault = 0;  // hash
    std::int64_t ticks = 0;
    auto fields() { return std::tie(vault, ticks); }
  };
  static constexpr std::size_t kOtherLists = 32;  // of a caller; over it, the oldest is forgotten
  struct PacedRead {
    std::int64_t ticks = 0;
    std::uint32_t object = 0;
    auto fields() { return std::tie(ticks, object); }
  };
  struct CallerProfile {
    std::uint64_t owner = 0;  // hash of the key; another one means that the slot has changed hands
    CallerClass caller_class = CallerClass::kUser;
    std::int64_t last_day = INT64_MIN;
    std::int64_t last_hour = INT64_MIN;
    bool hour_told = false;  // to the class, today
    VolumeWindows volume;
    OperationMix mix;
    OperationSession session;
    bool session_alerted = false;
    TouchHabit destruction;  // deletions, purges and recoveries a day
    std::array<TouchHabit, kTouchKinds> habits;
    SurpriseLedger new_vaults;
    SurpriseLedger denied_vaults;
    std::array<EpisodeHabit, 2> episodes;  // by EpisodeKind
    KnownObjects read_before;              // credentials
    bool settled_reader = false;           // under which part these are counted
    CountTail fresh_reads;                 // in a list episode on a vault known for a week, plus one
    CountTail pace;                        // distinct credential reads within a minute, the day's highest
    std::uint32_t pace_today = 0;
    std::vector<PacedRead> paced;
    std::array<Recent, 4> recent_vaults;
    Recent recent_client;
    Recent recent_address;
    std::uint32_t next_recent = 0;
    std::vector<NewAddress> new_address;  // at most one
    std::uint64_t denied_vault = 0;       // hash, of the last refusal
    std::int64_t denied_ticks = INT64_MIN;
    std::int64_t listed_ticks = INT64_MIN;  // no list episode was opened later
    std::vector<OtherList> other_lists;     // of the last hour, a vault once
    // Derived: where the caller stands in the graphs.
    std::array<SlotHint, kTouchKinds> places;
    bool visiting = false;  // has a visit in network_visits_
    auto fields() {
      return std::tie(owner, caller_class, last_day, last_hour, hour_told, volume, mix, session, session_alerted,
                      destruction, habits, new_vaults, denied_vaults, episodes, read_before, settled_reader,
                      fresh_reads, pace, pace_today, paced, recent_vaults, recent_client, recent_address, next_recent,
                      new_address, denied_vault, denied_ticks, listed_ticks, other_lists);
    }
  };
  struct VaultProfile {
    std::uint64_t owner = 0;
    std::int64_t last_day = INT64_MIN;
    std::int64_t last_hour = INT64_MIN;
    bool hour_told = false;
    VolumeWindows volume;
    VaultSettings settings;
    std::int64_t policy_ticks = INT64_MIN;  // no policy episode was opened later
    SlotHint place;                         // derived: in the graph of kVaultTouch
    auto fields() { return std::tie(owner, last_day, last_hour, hour_told, volume, settings, policy_ticks); }
  };
  // Whose windows are to be closed.
  struct ActiveSlot {
    std::uint64_t owner = 0;
    std::uint32_t slot = 0;
    friend auto operator<=>(const ActiveSlot&, const ActiveSlot&) = default;
    auto fields() { return std::tie(owner, slot); }
  };
  struct ActiveSlots {
    std::vector<ActiveSlot> of_hour;  // the current one
    std::vector<ActiveSlot> of_day;
    auto fields() { return std::tie(of_hour, of_day); }
  };
  using VolumePopulation = std::array<std::array<PopulationCount, kTumblingWindowCount>, kVolumeMeasureCount>;
  struct EpisodePopulation {
    PopulationCount reads;     // in an episode, plus one
    PopulationCount openings;  // a day, plus one
    FirstTimeRate beginners;   // of those who never opened one
    auto fields() { return std::tie(reads, openings, beginners); }
  };
  // What is usual for a class, as of the last closed hour.
  struct ClassState {
    VolumePopulation volume;
    PopulationMix mix;
    PopulationCount destruction;  // a day, plus one
    PopulationCount pace;
    PopulationCount fresh_reads;
    std::array<VisitReads, 2> visits;           // by callers that are known, and by those that are new
    std::array<EpisodePopulation, 2> episodes;  // by EpisodeKind
    auto fields() { return std::tie(volume, mix, destruction, pace, fresh_reads, visits, episodes); }
  };
  // What observe() leaves for learn().
  struct Observed {
    bool behaviour = false;
    bool service_elsewhere = false;  // of Microsoft, by its id, from an address that is not Microsoft's
    std::uint32_t caller = 0;        // slots
    std::uint32_t vault = 0;
    std::uint64_t vault_hash = 0;
    bool touches_vault = false;
    bool touches_client = false;
    bool touches_address = false;
    std::optional<FirstTouches::Touch> vault_touch;
    std::optional<FirstTouches::Touch> client_touch;
    std::optional<FirstTouches::Touch> pair_touch;
    std::optional<FirstTouches::Touch> address_touch;
    std::array<Episode*, 2> episodes{};  // that the event belongs to
    std::uint32_t object = 0;            // of a credential read or private-key use: hash; 0: none
    bool lone_read = false;              // of credentials, and no list episode counts it

    void clear();
  };

  [[nodiscard]] ClassState& class_of(const CallerProfile& caller) {
    return classes_[static_cast<std::size_t>(caller.caller_class)];
  }
  [[nodiscard]] static VolumePopulation assumed_volume();
  [[nodiscard]] static VolumeParents parents_of(const VolumePopulation& population);
  [[nodiscard]] FirstTouches::Caller touch_caller(std::uint32_t slot) const;
  [[nodiscard]] FirstTouches::Caller touch_caller(std::uint32_t slot, TouchKind kind);
  [[nodiscard]] TableKey vault_key(const AccessEvent& event);
  void admit(const AccessEvent& event, Facts& out);
  void admit_caller(const AccessEvent& event, Facts& out);
  void admit_vault(const AccessEvent& event, Facts& out);
  void learn_settings(const AccessEvent& event);
  void observe_scope_change(const AccessEvent& event, Facts& out);
  [[nodiscard]] bool differs_from_settings(const AccessEvent& event);
  void observe_volume(const AccessEvent& event, Facts& out);
  void compare_with_records(std::vector<VolumeFact>& volumes);
  void observe_pace(const AccessEvent& event, std::uint32_t object, Facts& out);
  void observe_vault(const AccessEvent& event, Facts& out);
  [[nodiscard]] double newcomers_with_as_many(std::uint64_t vaults) const;
  [[nodiscard]] std::optional<double> group_popularity(const AccessEvent& event) const;
  void observe_client(const AccessEvent& event, Facts& out);
  void observe_address(const AccessEvent& event, Facts& out, bool from_elsewhere);
  void observe_visit(const AccessEvent& event, const IpPrefix& prefix, bool from_elsewhere, Facts& out);
  [[nodiscard]] NetworkVisits::Caller visitor(std::uint32_t slot) const;
  void observe_session(const AccessEvent& event, Facts& out);
  void observe_destruction(Facts& out);
  void observe_episodes(const AccessEvent& event, Facts& out);
  void observe_list(const AccessEvent& event, Facts& out);
  void note_other_list(const AccessEvent& event);
  [[nodiscard]] std::optional<EventTime> take_other_list(EventTime now);
  void observe_policy(const AccessEvent& event, Facts& out);
  struct OpenPolicy {
    Episodes::Key key;
    Episode* episode = nullptr;
    bool by_principal = false;
  };
  [[nodiscard]] OpenPolicy find_policy_episode(const AccessEvent& event);
  [[nodiscard]] OpenPolicy open_by_scope(const AccessEvent& event);
  [[nodiscard]] bool is_policy_change(const AccessEvent& event, bool vault_was_known);
  // True: it is a new one, and not the caller's everyday one.
  bool open_episode(const AccessEvent& event, EpisodeKind kind, std::uint64_t reader, EventTime at);
  [[nodiscard]] std::uint32_t days_on_vault(const AccessEvent& event);
  [[nodiscard]] EpisodeFacts episode_facts(const Episode& episode, EpisodeKind kind, EventTime now) const;
  [[nodiscard]] std::optional<FreshReads> fresh_reads(const Episode& episode, EventTime now) const;
  void learn_session(CallerProfile& caller);
  void learn_episode(std::uint64_t owner, EpisodeKind kind, const Episode& episode);
  void learn_reads(std::uint32_t caller, const Episode& episode);
  void add_object(std::uint32_t caller, std::uint32_t object, std::int64_t day, bool confirmed);
  void settle_objects(std::uint32_t caller, std::int64_t day);
  // For so many objects of a caller in a part.
  void make_object_room(std::uint32_t caller, bool settled, std::size_t wanted, std::int64_t day);
  void forget_idle_objects(std::uint32_t aside, bool settled, std::size_t room, std::size_t wanted, std::int64_t day);
  void forget_objects(std::uint32_t caller, std::int64_t day);
  void close_hour(std::int64_t hour);
  using VolumeExcess = std::array<std::array<RecordExcess, kTumblingWindowCount>, kVolumeMeasureCount>;
  template <typename Profile>
  static void close_hour(Profile& profile, const VolumeParents& parents, VolumePopulation& population,
                         VolumeExcess& excess);
  template <typename Profile>
  static void close_day(Profile& profile, const VolumeParents& parents, VolumePopulation& population,
                        VolumeExcess& excess);
  void close_day_of(std::uint32_t caller);
  void close_populations();
  void derive_parents();
  // False: more than there is room for.
  [[nodiscard]] bool count_objects();
  [[nodiscard]] bool is_sound() const;

  EstateHistoryLimits limits_;
  Teams teams_;                 // not saved: configuration
  FirstPartyApps first_party_;  // too
  SettledTable callers_;
  SettledTable vaults_;
  StampedVector<CallerProfile, 16> caller_profiles_;  // by slot
  StampedVector<VaultProfile, 32> vault_profiles_;    // by slot
  std::array<FirstTouches, kTouchKinds> touches_;
  std::array<ClassState, kCallerClassCount> classes_;
  VolumePopulation vault_population_;
  Episodes episodes_;
  NetworkVisits network_visits_;
  std::array<VolumeExcess, kCallerClassCount> class_excess_;
  VolumeExcess vault_excess_;
  std::array<PopulationCount, kCallerClassCount> newcomer_vaults_;  // of a caller that is new, on a day with any
  ScopeChanges scope_changes_;
  KnownObjectsStatistics known_objects_;
  ActiveSlots active_callers_;
  ActiveSlots active_vaults_;
  std::map<std::uint64_t, std::uint32_t> scope_vaults_;  // see vault_scope.h: vaults ever seen in it
  std::vector<std::string> new_vaults_;                  // of the current hour, not yet counted there
  std::int64_t hour_ = INT64_MIN;                        // the current one

  std::array<VolumeParents, kCallerClassCount> caller_parents_{};  // derived, as of the last closed hour
  VolumeParents vault_parents_{};
  Observed observed_;
  bool classes_are_frozen_ = false;
  std::string scratch_;
};

}  // namespace keyvigil
