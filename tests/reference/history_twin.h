// HistoryTwin: what EstateHistory counts, the slow and obvious way.
//
// Names instead of hashes and slots, maps instead of tables, lists of what happened instead of running figures. It
// knows no bounds, no evictions, no hubs and no dormancy, so streams must be small and shorter than 90 days, in order
// of time. The parts that have tests of their own are used as they are: CountTail and PopulationCount (records),
// OperationMix (whether a session is worth a look). Says raw counts as text, see raw_counts.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "event/access_event.h"
#include "history/count_tail.h"
#include "history/facts.h"
#include "history/operation_mix.h"
#include "history/population_count.h"

namespace keyvigil {

class HistoryTwin {
 public:
  HistoryTwin();
  // What facts should say before the event is learned; then learns it, as if nothing had alerted.
  [[nodiscard]] std::string observe(const AccessEvent& event);

 private:
  using Window = std::pair<int, int>;  // measure, window
  struct Counter {
    CountTail usual;
    std::uint32_t count = 0;
    std::uint32_t throttled = 0;
    std::uint32_t next_check = 0;
  };
  struct Volumes {
    std::map<Window, Counter> counters;
    std::set<std::string> objects_of_hour;
    std::set<std::string> objects_of_day;
    bool hour_told = false;
  };
  // Who touched which thing when first and last, by hour.
  struct Touches {
    std::map<std::string, std::map<std::string, std::vector<std::int64_t>>> hours;  // caller, thing
    std::map<std::string, std::int64_t> first_day;                                  // of a thing
    std::map<std::string, int> today;                                               // first touches, by caller
    int known_days = 3;
  };
  struct FirstTouchOf {
    std::string thing;
    std::int64_t hour = 0;
  };
  struct TwinEpisode {
    std::int64_t opened = 0;
    std::set<std::string> objects;
    std::set<std::string> fresh;  // of these
    std::size_t days_before = 0;  // on which the caller used the vault
    std::uint32_t next_check = 1;
    std::int64_t first_read = 0;
    std::int64_t last = 0;  // list, change or read
    bool denied_before = false;
    bool reverted = false;
  };
  struct NewAddress {
    std::string prefix;
    std::int64_t since = 0;
    bool caller_is_new = false;
    std::uint32_t things = 0;
    std::uint64_t callers = 0;
  };
  struct AddressRequest {
    std::int64_t at = 0;
    std::string prefix;
    std::string object;  // of a credential read, with its vault
    bool list = false;
  };
  // Of the network that was new to the caller last.
  struct Visit {
    std::string prefix;
    std::int64_t since = 0;
    std::uint32_t networks_today = 1;
    bool newcomer_alone = false;  // the caller is new, and nobody had used the network
  };
  struct Caller {
    bool user = false;
    std::set<std::int64_t> days;
    std::int64_t last_day = INT64_MIN;
    std::int64_t last_hour = INT64_MIN;
    Volumes volumes;
    OperationMix mix;
    std::vector<OperationClass> session;
    std::int64_t session_last = 0;
    std::uint32_t session_next_check = 3;
    std::uint32_t destruction_today = 0;
    std::vector<FirstTouchOf> answered;  // tested first touches of vaults
    std::vector<FirstTouchOf> refused;
    CountTail pace;
    std::uint32_t pace_today = 0;
    std::vector<std::pair<std::int64_t, std::string>> paced;
    std::array<std::uint32_t, 2> openings_today{};
    std::set<std::string> read_before;
    std::map<std::string, std::int64_t> other_lists;  // of keys and certificates, by vault
    std::optional<NewAddress> new_address;
    std::vector<AddressRequest> requests;  // from public addresses
    std::optional<Visit> visit;
    std::vector<std::int64_t> new_networks;  // when each was first used
    std::string denied_vault;
    std::int64_t denied_at = INT64_MIN;
  };
  struct Vault {
    std::set<std::int64_t> days;
    std::int64_t last_day = INT64_MIN;
    std::int64_t last_hour = INT64_MIN;
    Volumes volumes;
    std::map<std::string, std::string> settings;
  };
  struct Class {
    std::map<Window, PopulationCount> volume;
    PopulationMix mix;
    PopulationCount pace;
  };
  struct ScopeChange {
    std::string who, scope;
    std::int64_t at = 0;
  };
  enum Kind : std::uint8_t { kVault, kDenied, kClient, kPair, kAddress };

  void advance(std::int64_t hour);
  void close_volumes(Volumes& volumes, std::map<Window, PopulationCount>& population, bool hour, bool day);
  void count(Volumes& volumes, const std::map<Window, PopulationCount>& population, bool of_vault, Window window,
             bool throttled, std::vector<VolumeFact>& facts);
  void count_all(Volumes& volumes, const std::map<Window, PopulationCount>& population, bool of_vault, bool secret,
                 const std::string& object, bool throttled, std::vector<VolumeFact>& facts);
  [[nodiscard]] std::optional<FirstTouch> touch(Kind kind, Kind near, const std::string& caller,
                                                const std::string& thing, std::int64_t hour, bool& tested) const;
  void learn_touch(Kind kind, const std::string& caller, const std::string& thing, std::int64_t hour, bool first);
  [[nodiscard]] std::uint32_t things_of(Kind near, const std::string& caller, const std::string& aside) const;
  [[nodiscard]] std::uint64_t callers_of(Kind near, const std::string& thing) const;
  void observe_vault(const AccessEvent& event, Facts& facts);
  void observe_client(const AccessEvent& event, Facts& facts);
  void observe_address(const AccessEvent& event, Facts& facts);
  [[nodiscard]] static std::optional<NetworkVisit> visit_of(const Caller& caller, const std::string& prefix,
                                                            std::int64_t now);
  void observe_session(const AccessEvent& event, Facts& facts);
  void observe_episodes(const AccessEvent& event, Facts& facts);
  void observe_policy(const AccessEvent& event, bool read_before, Facts& facts);
  [[nodiscard]] static bool learn_settings(Vault& vault, const AccessEvent& event);
  [[nodiscard]] std::optional<std::int64_t> scope_change(const std::string& who, const std::string& vault,
                                                         std::int64_t at, bool of_vault_alone) const;
  bool add_scope_change(const std::string& who, const std::string& scope, std::int64_t at);
  void observe_scope_change(const AccessEvent& event, Facts& facts);
  [[nodiscard]] EpisodeFacts facts_of(const TwinEpisode& episode, int kind, const AccessEvent& event);
  [[nodiscard]] TwinEpisode* open_episode(const std::string& reader, const std::string& vault, int kind,
                                          std::int64_t at);
  TwinEpisode& start_episode(const AccessEvent& event, const std::string& reader, int kind, std::int64_t at);
  void learn_session(Caller& caller);
  Class& class_of(const Caller& caller) { return classes_[caller.user ? 0 : 1]; }

  std::map<std::string, Caller> callers_;
  std::map<std::string, Vault> vaults_;
  std::array<Touches, 5> touches_;
  std::array<Class, 2> classes_;
  std::map<Window, PopulationCount> vault_volume_;
  std::map<std::tuple<std::string, std::string, int>, TwinEpisode> episodes_;
  std::vector<ScopeChange> scope_changes_;
  std::map<std::string, std::pair<std::int64_t, std::string>> begun_;  // when and for whom, by correlation id
  std::int64_t hour_ = INT64_MIN;
  bool new_vault_touch_ = false;  // of the event at hand
};

}  // namespace keyvigil
