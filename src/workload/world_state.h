// What a world keeps while it runs, for the files that write it: world.cpp (the stream), world_schedule.cpp (who has a
// turn when), world_work.cpp (ordinary work), world_campaigns.cpp (attacks and their twins), world_drift.cpp (what
// changes over the weeks), world_spelling.cpp (an activity spelled out).
//
// A turn is somebody's moment to act; it plans activities at or after its time. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "workload/random.h"
#include "workload/world.h"

namespace keyvigil::workload {

// Tor exits: 203.0.113.1 .. .120. Suspicious: 198.51.100.0/26 and 198.51.100.100 .. .139.
inline constexpr std::uint32_t kTorBase = 0xCB007101;
inline constexpr std::uint32_t kTorCount = 120;
inline constexpr std::uint32_t kSuspiciousBlock = 0xC6336400;
inline constexpr std::uint32_t kSuspiciousBlockSize = 64;
inline constexpr std::uint32_t kSuspiciousSingles = 0xC6336464;
inline constexpr std::uint32_t kSuspiciousSingleCount = 40;
inline constexpr std::uint32_t kUnlistedStranger =
    0xC63364C8;  // 198.51.100.200 .. .249: on no list, nobody works there
inline constexpr std::uint32_t kUnlistedStrangerCount = 50;

// How many secrets whoever loads a vault reads at most.
inline constexpr std::uint32_t kLoadedSecretsLimit = 40;
inline constexpr double kFirstRunChallengeChance = 0.3;
inline constexpr double kTokenRenewalChance = 0.02;

enum class Step : std::uint8_t {
  kChallenge,
  kSecretGet,
  kSecretList,
  kSecretSet,
  kSecretBackup,
  kSecretDelete,
  kSecretPurge,
  kKeyGet,
  kKeyWrap,
  kKeyUnwrap,
  kKeyDecrypt,
  kVaultGet,
  kVaultPut,
  kAddPolicy,  // VaultPut that gives the caller an access policy
};

enum class Who : std::uint8_t { kApp, kUser, kService };
enum class Client : std::uint8_t { kOwn, kPortal, kCli, kPowerShell, kScript, kForeignClient };

// One activity decided but not yet spelled out: small, because thousands may wait for their time.
struct Planned {
  EventTime time;
  std::uint64_t sequence = 0;  // breaks ties and seeds the details
  std::uint32_t vault = 0;
  std::uint32_t caller = 0;
  std::uint32_t object = 0;
  std::uint32_t address = 0;   // IPv4
  std::uint32_t campaign = 0;  // 0 = ordinary traffic
  std::int16_t status = 200;
  Step step = Step::kSecretGet;
  Who who = Who::kApp;
  Client client = Client::kOwn;
  DenialKind denial = DenialKind::kNone;
};

struct Later {
  bool operator()(const Planned& left, const Planned& right) const {
    return std::pair(left.time, left.sequence) > std::pair(right.time, right.sequence);
  }
};

struct Turn {
  EventTime time;
  std::uint32_t actor = 0;
  friend auto operator<=>(const Turn&, const Turn&) = default;
};

struct Campaign {
  AttackKind kind;  // of a twin: the attack that it resembles
  EventTime start;
  Strength strength = Strength::kHuman;
  bool app = false;
  bool twin = false;
  std::uint32_t caller = 0;
};

// How busy people or pipelines are at an hour.
struct Rhythm {
  const std::array<int, 24>* hours;
  int weekend_percent;
  double mean;  // of the factor over a week
};

[[nodiscard]] Rhythm office_rhythm();
[[nodiscard]] Rhythm pipeline_rhythm();

struct World::State {
  explicit State(const WorldOptions& given);

  WorldOptions options;
  Population population;
  EventTime end;
  Random random;
  Rhythm office = office_rhythm();
  Rhythm pipeline = pipeline_rhythm();
  std::vector<double> app_interval_ticks;
  std::vector<double> user_interval_ticks;
  std::vector<std::uint8_t> app_started;
  std::vector<std::uint32_t> sweep_position;
  std::int64_t sweep_gap_ticks = 0;
  std::int64_t sweep_period_ticks = 0;
  std::vector<Campaign> campaigns;
  std::set<std::pair<bool, std::uint32_t>> callers_taken;
  std::uint64_t sequence = 0;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  std::priority_queue<Planned, std::vector<Planned>, Later> planned;

  [[nodiscard]] std::uint32_t first_user() const { return static_cast<std::uint32_t>(population.apps.size()); }
  [[nodiscard]] std::uint32_t first_service() const {
    return first_user() + static_cast<std::uint32_t>(population.users.size());
  }
  [[nodiscard]] std::uint32_t first_campaign() const {
    return first_service() + static_cast<std::uint32_t>(population.services.size());
  }
  [[nodiscard]] double span_ticks() const { return ticks_since_start(end); }
  [[nodiscard]] double ticks_since_start(EventTime time) const {
    return static_cast<double>(time.ticks - options.start.ticks);
  }

  [[nodiscard]] bool grows() const;
  [[nodiscard]] bool reorganises() const;
  [[nodiscard]] double growth_at(EventTime time) const;  // of the traffic; 1 at first
  [[nodiscard]] EventTime hired_at(std::uint32_t user) const;
  // Whose vaults and role the user works with then.
  [[nodiscard]] const UserProfile& work_of(std::uint32_t user, EventTime time) const;
  [[nodiscard]] std::uint32_t vault_after_migration(std::uint32_t vault, EventTime time) const;

  void set_rates();
  void set_inventory_rate();
  void schedule_population();
  void schedule_campaigns();
  void add_campaign(Campaign campaign);
  [[nodiscard]] bool suits(const Campaign& campaign, std::uint32_t caller) const;
  [[nodiscard]] std::uint32_t choose_caller(const Campaign& campaign);
  void add_turn(EventTime time, std::uint32_t actor);
  [[nodiscard]] EventTime next_in_rhythm(EventTime from, double peak_interval_ticks, const Rhythm& rhythm);

  void take(const Turn& turn);
  void take_app(std::uint32_t index, EventTime time);
  void take_user(std::uint32_t index, EventTime time);
  void take_service(std::uint32_t index, EventTime time);
  void take_campaign(std::uint32_t index, EventTime time);

  void plan(Planned event);
  void pause(Planned& event, std::int64_t low_milliseconds, std::int64_t high_milliseconds);
  void plan_challenge(Planned& event);
  void plan_reads(Planned& event, std::uint32_t first, std::uint32_t count);
  void plan_first_run(const AppProfile& app, Planned& event);
  void plan_app_session(const AppProfile& app, Planned& event);
  void plan_pipeline(const AppProfile& app, Planned& event);
  // A list, and the pause before what follows it.
  void plan_list(Planned& event, std::int64_t low_milliseconds, std::int64_t high_milliseconds);
  void plan_load(Planned& event, Step read);
  void plan_key_use(Planned& event);
  void plan_portal_session(Planned& event);
  void plan_tool_session(Planned& event);
  void deny(Planned& event);
  [[nodiscard]] std::uint32_t vault_for_session(const UserProfile& user);
  [[nodiscard]] std::uint32_t foreign_vault(const std::vector<std::uint32_t>& own);

  void plan_attack(const Campaign& campaign, Planned& event);
  void plan_twin(const Campaign& campaign, Planned& event);
  void plan_paced(Planned& event, Step step, std::uint32_t count, Strength strength);
  void plan_dump(Planned& event, Strength strength);
  void plan_sweep(Planned& event, Strength strength);
  void plan_low_and_slow(Planned& event);
  [[nodiscard]] const std::vector<std::uint32_t>& own_vaults(const Planned& event) const;
  [[nodiscard]] std::uint32_t team_vault(const std::vector<std::uint32_t>& own);
  void plan_listed_attack(AttackKind kind, Planned& event);
  void plan_discovery(Planned& event, Strength strength);
  void plan_policy_then_read(Planned& event);

  void spell(const Planned& event, Activity& activity) const;
  void spell_caller(const Planned& event, Random& details, Activity& activity) const;
  void spell_label(const Planned& event, AttackLabel& label) const;
  void spell_object(const Planned& event, Activity& activity) const;
  void spell_network(const Planned& event, Activity& activity) const;
};

}  // namespace keyvigil::workload
