#include "workload/world.h"

#include <algorithm>
#include <cmath>
#include <queue>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace keyvigil::workload {
namespace {

constexpr std::int64_t kMillisecond = EventTime::kTicksPerMillisecond;

constexpr std::array<std::string_view, 4> kSizeNames = {"small", "medium", "large", "bench"};

// Tor exits: 203.0.113.1 .. .120. Suspicious: 198.51.100.0/26 and 198.51.100.100 .. .139.
constexpr std::uint32_t kTorBase = 0xCB007101;
constexpr std::uint32_t kTorCount = 120;
constexpr std::uint32_t kSuspiciousBlock = 0xC6336400;
constexpr std::uint32_t kSuspiciousBlockSize = 64;
constexpr std::uint32_t kSuspiciousSingles = 0xC6336464;
constexpr std::uint32_t kSuspiciousSingleCount = 40;
// What somebody does now and then has been done before: two rounds in the first days of the stream.
constexpr std::array<std::int64_t, 2> kEarlierRoundDays = {3, 10};
constexpr std::int64_t kRoundSpread = 8 * EventTime::kTicksPerHour;
constexpr std::uint32_t kUnlistedStranger = 0xC63364C8;  // 198.51.100.200 .. .249: on no list, nobody works there
constexpr std::uint32_t kUnlistedStrangerCount = 50;

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

struct StepShape {
  std::string_view operation;
  std::string_view collection;
  std::string_view uri_verb;
  bool names_object;
  bool version_in_uri;
};

constexpr std::array<StepShape, 14> kShapes = {{
    {"Authentication", "secrets", "", true, false},
    {"SecretGet", "secrets", "", true, false},
    {"SecretList", "secrets", "", false, false},
    {"SecretSet", "secrets", "", true, false},
    {"SecretBackup", "secrets", "backup", true, false},
    {"SecretDelete", "secrets", "", true, false},
    {"SecretPurge", "deletedsecrets", "", true, false},
    {"KeyGet", "keys", "", true, false},
    {"KeyWrap", "keys", "wrapkey", true, true},
    {"KeyUnwrap", "keys", "unwrapkey", true, true},
    {"KeyDecrypt", "keys", "decrypt", true, true},
    {"VaultGet", "", "", false, false},
    {"VaultPut", "", "", false, false},
    {"VaultPut", "", "", false, false},
}};

enum class Who : std::uint8_t { kApp, kUser, kService };
enum class Client : std::uint8_t { kOwn, kPortal, kCli, kPowerShell, kScript, kForeignClient };

constexpr std::string_view kPortalArmApp = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
constexpr std::string_view kPortalVaultApp = "3686488a-04fc-4d8a-b967-61f98ec41efe";
constexpr std::string_view kCliApp = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
constexpr std::string_view kPowerShellApp = "1950a258-227b-4e31-a9cf-717495945fc2";

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

// Percent of the peak rate by hour of a working day; the weekend keeps a fraction.
constexpr std::array<int, 24> kOfficeHours = {6,  6,   6,   6,   6,   6,  35, 35, 70, 100, 100, 100,
                                              85, 100, 100, 100, 100, 80, 35, 35, 20, 6,   6,   6};
constexpr int kOfficeWeekendPercent = 8;
constexpr std::array<int, 24> kPipelineHours = {2,   2,   2,   2,   2,   2,   10, 50, 100, 100, 100, 100,
                                                100, 100, 100, 100, 100, 100, 80, 40, 20,  10,  2,   2};
constexpr int kPipelineWeekendPercent = 5;

struct Rhythm {
  const std::array<int, 24>* hours;
  int weekend_percent;
  double mean;  // of the factor over a week
};

Rhythm make_rhythm(const std::array<int, 24>& hours, int weekend_percent) {
  int sum = 0;
  for (const int percent : hours) { sum += percent; }
  return Rhythm{&hours, weekend_percent, sum / 2400.0 * (5.0 + 2.0 * weekend_percent / 100.0) / 7.0};
}

double factor_at(const Rhythm& rhythm, EventTime time) {
  const std::int64_t weekday = (time.day() + 3) % 7;  // 0 = Monday; 1970-01-01 was a Thursday
  const auto hour = static_cast<std::size_t>(time.hour() - time.day() * 24);
  const double working_day = (*rhythm.hours)[hour] / 100.0;
  return weekday < 5 ? working_day : working_day * rhythm.weekend_percent / 100.0;
}

constexpr std::uint32_t kLoadedSecretsLimit = 40;
constexpr double kInventoryShare = 0.06;
constexpr double kHumanShare = 0.05;
constexpr double kHumanSessionEvents = 4.1;
constexpr double kLateAppShare = 0.04;
constexpr double kFirstRunChallengeChance = 0.3;
constexpr double kTokenRenewalChance = 0.02;

double loaded_secrets(const VaultProfile& vault) {
  return std::min(vault.secrets, kLoadedSecretsLimit);
}

// Expected activities of one turn, for setting the rate of turns.
double expected_events(const AppProfile& app, const Population& population) {
  double all_secrets = 0;
  for (const std::uint32_t vault : app.vaults) { all_secrets += loaded_secrets(population.vaults[vault]); }
  const double vaults = static_cast<double>(app.vaults.size());
  switch (app.habit) {
    case AppHabit::kPoller:
      return app.secrets_read + kTokenRenewalChance;
    case AppHabit::kKeyUser:
      return 3.0 + kTokenRenewalChance;
    case AppHabit::kLoader:
      return 2.0 + all_secrets / vaults;
    case AppHabit::kPipeline:
      return vaults * (1.0 + app.secrets_read * 2.0);
    case AppHabit::kRotation:
      return 4.0;
    case AppHabit::kBackup:
      return 2.0 * vaults + all_secrets;
  }
  return 1.0;
}

}  // namespace

const std::array<std::string_view, 4>& world_size_names() {
  return kSizeNames;
}

std::optional<WorldOptions> world_of_size(std::string_view name) {
  WorldOptions options;
  if (name == "small") {
    options.size = {10, 20, 15};
    options.days = 14;
    options.events = 20'000;
  } else if (name == "medium") {
    options.size = {80, 160, 120};
    options.days = 45;
    options.events = 400'000;
  } else if (name == "large") {
    options.size = {2'000, 4'000, 3'000};
    options.days = 45;
    options.events = 2'500'000;
  } else if (name == "bench") {
    options.size = {2'000, 4'000, 3'000};
    options.events = 900'000;
  } else {
    return std::nullopt;
  }
  return options;
}

std::string tor_list_text() {
  std::string out = "# Simulated Tor exit addresses (documentation block 203.0.113.0/24), made by keyvigil simulate\n";
  for (std::uint32_t i = 0; i < kTorCount; ++i) { out += address_text(kTorBase + i) + "\n"; }
  return out;
}

std::string suspicious_list_text() {
  std::string out =
      "# Simulated suspicious addresses (documentation block 198.51.100.0/24), made by keyvigil simulate\n";
  out += address_text(kSuspiciousBlock) + "/26\n";
  for (std::uint32_t i = 0; i < kSuspiciousSingleCount; ++i) { out += address_text(kSuspiciousSingles + i) + "\n"; }
  return out;
}

std::string service_tags_text() {
  return R"({"changeNumber":1,"cloud":"Public","values":[{"name":"AzureCloud","id":"AzureCloud","properties":)"
         R"({"changeNumber":1,"region":"","platform":"Azure","systemService":"","addressPrefixes":["20.32.0.0/12"]}}]})"
         "\n";
}

struct World::State {
  explicit State(const WorldOptions& given);

  WorldOptions options;
  Population population;
  EventTime end;
  Random random;
  Rhythm office = make_rhythm(kOfficeHours, kOfficeWeekendPercent);
  Rhythm pipeline = make_rhythm(kPipelineHours, kPipelineWeekendPercent);
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
  [[nodiscard]] double span_ticks() const { return static_cast<double>(end.ticks - options.start.ticks); }

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

World::State::State(const WorldOptions& given)
    : options(given),
      population(make_population(given.seed, given.size)),
      end{given.start.ticks + given.days * EventTime::kTicksPerDay},
      random(mix64(given.seed ^ 0x6B766967696CULL)) {
  set_rates();
  set_inventory_rate();
  schedule_population();
  schedule_campaigns();
}

// Turns per actor follow from its share of the wanted events; what every application does on its first run comes off
// first.
void World::State::set_rates() {
  const double events = static_cast<double>(options.events);
  double first_runs = 0;
  for (const AppProfile& app : population.apps) {
    first_runs += static_cast<double>(app.vaults.size()) * (kFirstRunChallengeChance + app.secrets_read);
  }
  const double inventory = std::max(events * kInventoryShare, 2.0 * static_cast<double>(population.vaults.size()));
  const double left = events * (1.0 - kHumanShare) - first_runs - inventory;
  const double app_events = std::max(left, events * 0.1);
  for (const AppProfile& app : population.apps) {
    const double turns_wanted = app_events * app.weight / expected_events(app, population);
    app_interval_ticks.push_back(span_ticks() / turns_wanted);
  }
  for (const UserProfile& user : population.users) {
    const double turns_wanted = events * kHumanShare * user.weight / kHumanSessionEvents;
    user_interval_ticks.push_back(span_ticks() / turns_wanted);
  }
  app_started.assign(population.apps.size(), 0);
}

void World::State::set_inventory_rate() {
  const auto vaults = static_cast<double>(population.vaults.size());
  const double sweeps = std::max(1.0, static_cast<double>(options.events) * kInventoryShare / (2.0 * vaults));
  const auto whole_sweeps = std::int64_t{std::llround(sweeps)};
  sweep_period_ticks = (end.ticks - options.start.ticks) / whole_sweeps;
  const std::int64_t length = std::min(sweep_period_ticks * 9 / 10, 12 * EventTime::kTicksPerHour);
  sweep_gap_ticks = std::max<std::int64_t>(1, length / static_cast<std::int64_t>(population.vaults.size()));
  sweep_position.assign(population.services.size(), 0);
}

void World::State::add_turn(EventTime time, std::uint32_t actor) {
  if (time < end) { turns.push(Turn{time, actor}); }
}

// Nearly every application starts within the first day; a few of the less busy ones are deployed later.
void World::State::schedule_population() {
  const std::int64_t first_day = std::min(EventTime::kTicksPerDay, end.ticks - options.start.ticks);
  for (std::uint32_t i = 0; i < population.apps.size(); ++i) {
    const bool late = random.chance(kLateAppShare) && i * 10ULL >= population.apps.size();
    const std::int64_t within = late ? end.ticks - options.start.ticks : first_day;
    add_turn(EventTime{options.start.ticks + random.between(0, within - 1)}, i);
  }
  for (std::uint32_t i = 0; i < population.users.size(); ++i) {
    add_turn(next_in_rhythm(options.start, user_interval_ticks[i] * office.mean, office), first_user() + i);
  }
  for (std::uint32_t i = 0; i < population.services.size(); ++i) {
    add_turn(EventTime{options.start.ticks + std::int64_t{i + 1} * 37 * EventTime::kTicksPerMinute},
             first_service() + i);
  }
}

void World::State::add_campaign(Campaign campaign) {
  const std::int64_t half = (end.ticks - options.start.ticks) / 2;
  // The last tenth stays free, so that most campaigns end inside the stream; one of ten days starts early.
  const std::int64_t room = campaign.kind == AttackKind::kLowAndSlow ? half / 3 : half * 9 / 10;
  campaign.start = EventTime{options.start.ticks + half + random.between(0, room)};
  campaign.caller = choose_caller(campaign);
  const auto actor = first_campaign() + static_cast<std::uint32_t>(campaigns.size());
  if (campaign.twin && is_routine(twin_of(campaign.kind, campaign.app))) {
    for (const std::int64_t day : kEarlierRoundDays) {
      const EventTime round{options.start.ticks + day * EventTime::kTicksPerDay + random.between(0, kRoundSpread)};
      if (round < campaign.start) { add_turn(round, actor); }
    }
  }
  add_turn(campaign.start, actor);
  campaigns.push_back(campaign);
}

void World::State::schedule_campaigns() {
  std::vector<Campaign> round;
  for (const Strength strength : options.strengths) {
    for (const AttackKind kind : options.attacks) {
      if (fits_users(kind)) { round.push_back(Campaign{kind, {}, strength, false, false, 0}); }
      if (fits_apps(kind)) { round.push_back(Campaign{kind, {}, strength, true, false, 0}); }
    }
  }
  if (round.empty()) { return; }
  constexpr double kCampaignEvents = 9;
  const auto wanted =
      static_cast<std::uint64_t>(static_cast<double>(options.events) * options.attack_share / kCampaignEvents);
  const std::uint64_t count = std::max<std::uint64_t>(round.size(), wanted);
  for (std::uint64_t i = 0; i < count; ++i) {
    Campaign campaign = round[i % round.size()];
    add_campaign(campaign);
    campaign.twin = true;
    if (options.twins) { add_campaign(campaign); }
  }
}

bool World::State::suits(const Campaign& campaign, std::uint32_t caller) const {
  if (campaign.app) {
    const AppHabit habit = population.apps[caller].habit;
    if (campaign.twin && twin_of(campaign.kind, true) == TwinKind::kPolicyPipeline) {
      return habit == AppHabit::kPipeline;
    }
    return campaign.kind != AttackKind::kCryptoAbuse || habit == AppHabit::kKeyUser;
  }
  const UserRole role = population.users[caller].role;
  if (!campaign.twin) { return role != UserRole::kIdle; }
  const TwinKind twin = twin_of(campaign.kind, false);
  if (twin == TwinKind::kOnCall) { return role == UserRole::kOperator; }
  if (twin == TwinKind::kPolicyChange || twin == TwinKind::kCleanUp) { return role == UserRole::kAdministrator; }
  return role != UserRole::kIdle;
}

// A caller of its own where the population is large enough; an estate of few callers shares them.
std::uint32_t World::State::choose_caller(const Campaign& campaign) {
  const std::size_t callers = campaign.app ? population.apps.size() : population.users.size();
  auto caller = static_cast<std::uint32_t>(random.below(callers));
  std::uint32_t suitable = caller;
  for (std::size_t tries = 0; tries < callers; ++tries) {
    if (suits(campaign, caller)) {
      suitable = caller;
      if (callers_taken.insert({campaign.app, caller}).second) { return caller; }
    }
    caller = (caller + 1) % static_cast<std::uint32_t>(callers);
  }
  return suitable;
}

EventTime World::State::next_in_rhythm(EventTime from, double peak_interval_ticks, const Rhythm& rhythm) {
  // Thinning (Lewis and Shedler 1979): candidates at the peak rate, kept with the factor of their hour.
  double at = static_cast<double>(from.ticks - options.start.ticks);
  while (at < span_ticks()) {
    at += random.exponential() * peak_interval_ticks + 1;
    const EventTime candidate{options.start.ticks + static_cast<std::int64_t>(at)};
    if (random.chance(factor_at(rhythm, candidate))) { return candidate; }
  }
  return end;
}

void World::State::take(const Turn& turn) {
  if (turn.actor >= first_campaign()) {
    take_campaign(turn.actor - first_campaign(), turn.time);
  } else if (turn.actor >= first_service()) {
    take_service(turn.actor - first_service(), turn.time);
  } else if (turn.actor >= first_user()) {
    take_user(turn.actor - first_user(), turn.time);
  } else {
    take_app(turn.actor, turn.time);
  }
}

void World::State::take_app(std::uint32_t index, EventTime time) {
  const AppProfile& app = population.apps[index];
  Planned event;
  event.time = time;
  event.caller = index;
  event.who = Who::kApp;
  event.address = app.host_bits + static_cast<std::uint32_t>(random.below(app.replicas));
  event.vault = app.vaults[random.below(app.vaults.size())];
  const bool first_run = app_started[index] == 0;
  if (first_run) {
    app_started[index] = 1;
    plan_first_run(app, event);
  } else {
    plan_app_session(app, event);
  }
  const double interval = app_interval_ticks[index];
  if (app.habit == AppHabit::kPipeline) {
    add_turn(next_in_rhythm(time, interval * pipeline.mean, pipeline), index);
    return;
  }
  const bool periodic = app.habit != AppHabit::kLoader;
  // The first period starts anywhere, or slow jobs would all miss their first turn together.
  const double jitter = first_run ? random.unit() : 0.9 + 0.2 * random.unit();
  const double wait = interval * (periodic ? jitter : random.exponential());
  if (wait < span_ticks()) { add_turn(EventTime{time.ticks + static_cast<std::int64_t>(wait) + 1}, index); }
}

void World::State::take_user(std::uint32_t index, EventTime time) {
  const UserProfile& user = population.users[index];
  Planned event;
  event.time = time;
  event.caller = index;
  event.who = Who::kUser;
  event.vault = vault_for_session(user);
  event.address = random.chance(0.85) ? user.office_address : user.home_address;
  const std::uint64_t draw = random.below(100);
  if (draw < 65) {
    event.client = Client::kPortal;
    plan_portal_session(event);
  } else {
    event.client = draw < 90 ? Client::kCli : Client::kPowerShell;
    plan_tool_session(event);
  }
  add_turn(next_in_rhythm(time, user_interval_ticks[index] * office.mean, office), first_user() + index);
}

void World::State::take_service(std::uint32_t index, EventTime time) {
  std::uint32_t& position = sweep_position[index];
  Planned event;
  event.time = time;
  event.caller = index;
  event.who = Who::kService;
  event.step = Step::kVaultGet;
  event.vault = position;
  event.address = population.services[index].address_base + static_cast<std::uint32_t>(random.below(4));
  plan(event);
  const auto vaults = static_cast<std::int64_t>(population.vaults.size());
  position = (position + 1) % static_cast<std::uint32_t>(vaults);
  const std::int64_t wait = position == 0 ? sweep_period_ticks - sweep_gap_ticks * (vaults - 1) : sweep_gap_ticks;
  add_turn(EventTime{time.ticks + std::max<std::int64_t>(1, wait)}, first_service() + index);
}

void World::State::plan(Planned event) {
  event.sequence = sequence++;
  if (event.time < end) { planned.push(event); }
}

void World::State::pause(Planned& event, std::int64_t low_milliseconds, std::int64_t high_milliseconds) {
  event.time.ticks += random.between(low_milliseconds * kMillisecond, high_milliseconds * kMillisecond);
}

void World::State::plan_challenge(Planned& event) {
  Planned challenge = event;
  challenge.step = Step::kChallenge;
  challenge.status = 401;
  plan(challenge);
  pause(event, 30, 250);
}

void World::State::deny(Planned& event) {
  event.status = 403;
  const bool firewall = random.chance(0.08);
  const bool rbac = population.vaults[event.vault].vault.rbac;
  event.denial = firewall ? DenialKind::kFirewall : rbac ? DenialKind::kRbac : DenialKind::kPolicy;
}

void World::State::plan_reads(Planned& event, std::uint32_t first, std::uint32_t count) {
  const std::uint32_t secrets = population.vaults[event.vault].secrets;
  for (std::uint32_t i = 0; i < count; ++i) {
    Planned read = event;
    read.step = Step::kSecretGet;
    read.object = (first + i) % secrets;
    if (read.status == 200 && random.chance(0.003)) {
      read.status = 404;
      read.object += 500;  // a name that the vault does not have
    }
    plan(read);
    pause(event, 15, 400);
  }
}

void World::State::plan_first_run(const AppProfile& app, Planned& event) {
  for (const std::uint32_t vault : app.vaults) {
    event.vault = vault;
    if (random.chance(kFirstRunChallengeChance)) { plan_challenge(event); }
    plan_reads(event, event.caller, app.secrets_read);
  }
}

void World::State::plan_app_session(const AppProfile& app, Planned& event) {
  switch (app.habit) {
    case AppHabit::kPoller:
      if (random.chance(kTokenRenewalChance)) { plan_challenge(event); }
      if (random.chance(0.003)) { deny(event); }
      plan_reads(event, event.caller, app.secrets_read);
      return;
    case AppHabit::kKeyUser:
      if (random.chance(kTokenRenewalChance)) { plan_challenge(event); }
      plan_key_use(event);
      return;
    case AppHabit::kLoader:
      plan_load(event, Step::kSecretGet);
      return;
    case AppHabit::kPipeline:
      plan_pipeline(app, event);
      return;
    case AppHabit::kRotation:
      plan_challenge(event);
      event.step = Step::kSecretList;
      plan(event);
      pause(event, 200, 900);
      plan_reads(event, event.caller, 1);
      event.step = Step::kSecretSet;
      event.object = event.caller % population.vaults[event.vault].secrets;
      plan(event);
      return;
    case AppHabit::kBackup:
      for (const std::uint32_t vault : app.vaults) {
        event.vault = vault;
        plan_load(event, Step::kSecretBackup);
      }
      return;
  }
}

// Challenge, list, then everything: what configuration providers and backup jobs do.
void World::State::plan_load(Planned& event, Step read) {
  plan_challenge(event);
  event.step = Step::kSecretList;
  plan(event);
  pause(event, 40, 200);
  const std::uint32_t count = std::min(population.vaults[event.vault].secrets, kLoadedSecretsLimit);
  for (std::uint32_t i = 0; i < count; ++i) {
    event.step = read;
    event.object = i;
    plan(event);
    pause(event, 10, 120);
  }
}

void World::State::plan_pipeline(const AppProfile& app, Planned& event) {
  for (const std::uint32_t vault : app.vaults) {
    event.vault = vault;
    if (random.chance(0.4)) { plan_challenge(event); }
    plan_reads(event, event.caller, app.secrets_read * 2);
  }
  if (random.chance(0.06)) {
    event.step = Step::kSecretSet;
    event.object = event.caller % population.vaults[event.vault].secrets;
    plan(event);
  } else if (random.chance(0.02)) {
    event.step = Step::kVaultPut;
    plan(event);
  }
}

void World::State::plan_key_use(Planned& event) {
  constexpr std::array<Step, 3> kUses = {Step::kKeyWrap, Step::kKeyUnwrap, Step::kKeyDecrypt};
  const std::uint64_t count = 1 + random.below(5);
  event.object = event.caller % population.vaults[event.vault].keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    Planned use = event;
    use.step = kUses[random.below(kUses.size())];
    if (random.chance(0.001)) { use.status = 429; }
    plan(use);
    pause(event, 20, 2000);
  }
}

// Operators are called to any vault; developers look into another one now and then.
std::uint32_t World::State::vault_for_session(const UserProfile& user) {
  const double roaming = user.role == UserRole::kOperator ? 0.25 : user.role == UserRole::kDeveloper ? 0.03 : 0.0;
  if (random.chance(roaming)) { return static_cast<std::uint32_t>(random.below(population.vaults.size())); }
  return user.vaults[random.chance(0.75) ? 0 : random.below(user.vaults.size())];
}

void World::State::plan_portal_session(Planned& event) {
  event.step = Step::kVaultGet;
  plan(event);
  pause(event, 400, 3000);
  if (random.chance(0.02)) { deny(event); }
  event.step = Step::kSecretList;
  plan(event);
  if (event.status == 403) { return; }
  const std::uint64_t views = random.below(4);
  for (std::uint64_t i = 0; i < views; ++i) {
    pause(event, 3000, 60'000);
    plan_reads(event, static_cast<std::uint32_t>(random.below(1000)), 1);
  }
}

void World::State::plan_tool_session(Planned& event) {
  plan_challenge(event);
  if (random.chance(0.02)) { deny(event); }
  const std::uint64_t reads = 1 + random.below(5);
  for (std::uint64_t i = 0; i < reads; ++i) {
    plan_reads(event, static_cast<std::uint32_t>(random.below(1000)), 1);
    pause(event, 2000, 40'000);
  }
}

std::uint32_t World::State::foreign_vault(const std::vector<std::uint32_t>& own) {
  const auto vaults = static_cast<std::uint32_t>(population.vaults.size());
  std::uint32_t vault = static_cast<std::uint32_t>(random.below(vaults));
  const std::uint32_t team = population.vaults[own.front()].team;
  const auto is_near = [&](std::uint32_t candidate) {
    return population.vaults[candidate].team == team || std::find(own.begin(), own.end(), candidate) != own.end();
  };
  // An estate of few vaults may have no foreign one; then any will do.
  for (int tries = 0; tries < 64 && is_near(vault); ++tries) { vault = (vault + 1) % vaults; }
  return vault;
}

const std::vector<std::uint32_t>& World::State::own_vaults(const Planned& event) const {
  return event.who == Who::kApp ? population.apps[event.caller].vaults : population.users[event.caller].vaults;
}

// Another vault of the team where it has one, else the own one.
std::uint32_t World::State::team_vault(const std::vector<std::uint32_t>& own) {
  const std::uint32_t team = population.vaults[own.front()].team;
  for (std::uint32_t vault = 0; vault < population.vaults.size(); ++vault) {
    if (population.vaults[vault].team == team && std::find(own.begin(), own.end(), vault) == own.end()) {
      return vault;
    }
  }
  return own.front();
}

// A fifth of a second, about a minute, about an hour between two requests.
void World::State::plan_paced(Planned& event, Step step, std::uint32_t count, Strength strength) {
  constexpr std::array<std::int64_t, kStrengthCount> kPauseMilliseconds = {200, 60'000, 3'600'000};
  const std::int64_t middle = kPauseMilliseconds[static_cast<std::size_t>(strength)];
  for (std::uint32_t i = 0; i < count; ++i) {
    event.step = step;
    event.object = i;
    plan(event);
    pause(event, middle / 2, middle * 3 / 2);
  }
}

void World::State::plan_dump(Planned& event, Strength strength) {
  plan_challenge(event);
  event.step = Step::kSecretList;
  plan(event);
  pause(event, 200, 3000);
  const std::uint32_t secrets = std::min(population.vaults[event.vault].secrets, kLoadedSecretsLimit);
  plan_paced(event, Step::kSecretGet, secrets, strength);
}

void World::State::plan_sweep(Planned& event, Strength strength) {
  const std::uint64_t vaults = std::min<std::uint64_t>(8 + random.below(20), population.vaults.size());
  const auto first = static_cast<std::uint32_t>(random.below(population.vaults.size()));
  for (std::uint64_t i = 0; i < vaults; ++i) {
    Planned probe = event;
    probe.vault = (first + static_cast<std::uint32_t>(i)) % static_cast<std::uint32_t>(population.vaults.size());
    plan_paced(probe, Step::kVaultGet, 1, Strength::kLoud);
    if (random.chance(0.6)) { deny(probe); }
    plan_paced(probe, Step::kSecretList, 1, strength);
    if (probe.status == 200) { plan_paced(probe, Step::kSecretGet, 3, strength); }
    event.time = probe.time;
  }
}

void World::State::plan_low_and_slow(Planned& event) {
  for (int day = 0; day < 10; ++day) {
    Planned visit = event;
    visit.time.ticks += day * EventTime::kTicksPerDay;
    visit.vault = foreign_vault(own_vaults(event));
    plan_paced(visit, Step::kSecretGet, 2, Strength::kSlow);
  }
}

void World::State::take_campaign(std::uint32_t index, EventTime time) {
  const Campaign& campaign = campaigns[index];
  Planned event;
  event.time = time;
  event.campaign = index + 1;
  event.who = campaign.app ? Who::kApp : Who::kUser;
  event.client = campaign.app ? Client::kOwn : Client::kScript;
  event.caller = campaign.caller;
  if (campaign.twin) {
    plan_twin(campaign, event);
  } else {
    plan_attack(campaign, event);
  }
}

void World::State::plan_attack(const Campaign& campaign, Planned& event) {
  const std::vector<std::uint32_t>& own = own_vaults(event);
  const AttackKind kind = campaign.kind;
  event.address = !campaign.app && random.chance(0.5)
                      ? population.users[event.caller].home_address
                      : kUnlistedStranger + static_cast<std::uint32_t>(random.below(kUnlistedStrangerCount));
  event.vault = own.front();
  switch (kind) {
    case AttackKind::kTorSuccess:
    case AttackKind::kTorDenied:
    case AttackKind::kTorChallenge:
      event.address = kTorBase + static_cast<std::uint32_t>(random.below(kTorCount));
      plan_listed_attack(kind, event);
      return;
    case AttackKind::kSuspiciousSuccess:
    case AttackKind::kSuspiciousDenied:
    case AttackKind::kSuspiciousChallenge:
      event.address = random.chance(0.5)
                          ? kSuspiciousBlock + static_cast<std::uint32_t>(random.below(kSuspiciousBlockSize))
                          : kSuspiciousSingles + static_cast<std::uint32_t>(random.below(kSuspiciousSingleCount));
      plan_listed_attack(kind, event);
      return;
    case AttackKind::kForeignDump:
      event.vault = foreign_vault(own);
      plan_dump(event, campaign.strength);
      return;
    case AttackKind::kOwnDump:
    case AttackKind::kStolenAppSecret:
      plan_dump(event, campaign.strength);
      return;
    case AttackKind::kVaultDiscovery:
      plan_discovery(event, campaign.strength);
      return;
    case AttackKind::kPolicyThenRead:
      plan_policy_then_read(event);
      return;
    case AttackKind::kCredentialSweep:
      plan_sweep(event, campaign.strength);
      return;
    case AttackKind::kLowAndSlow:
      plan_low_and_slow(event);
      return;
    case AttackKind::kAppScraping:
      event.address = 0x14200000U + population.apps[event.caller].host_bits;
      for (int round = 0; round < 4; ++round) { plan_dump(event, campaign.strength); }
      return;
    case AttackKind::kNewClient:
      event.client = Client::kForeignClient;
      event.address = population.users[event.caller].office_address;
      plan_paced(event, Step::kSecretGet, 3, campaign.strength);
      return;
    case AttackKind::kNewAppOnVault:
      event.vault = foreign_vault(own);
      plan_paced(event, Step::kSecretGet, 1, campaign.strength);
      return;
    case AttackKind::kDestruction: {
      const std::uint32_t secrets = std::min(population.vaults[event.vault].secrets, 12U);
      plan_paced(event, Step::kSecretDelete, secrets, campaign.strength);
      plan_paced(event, Step::kSecretPurge, secrets, campaign.strength);
      return;
    }
    case AttackKind::kCryptoAbuse:
      for (int i = 0; i < 60; ++i) { plan_paced(event, Step::kKeyDecrypt, 1, campaign.strength); }
      return;
  }
}

void World::State::plan_twin(const Campaign& campaign, Planned& event) {
  const std::vector<std::uint32_t>& own = own_vaults(event);
  event.address =
      campaign.app ? population.apps[event.caller].host_bits : population.users[event.caller].office_address;
  event.client = campaign.app ? Client::kOwn : Client::kPortal;
  event.vault = own.front();
  switch (twin_of(campaign.kind, campaign.app)) {
    case TwinKind::kNewColleague:
      event.vault = team_vault(own);
      plan_paced(event, Step::kSecretGet, 1, Strength::kHuman);
      return;
    case TwinKind::kNewDeployment:
      event.vault = team_vault(own);
      plan_challenge(event);
      plan_paced(event, Step::kSecretGet, 2, Strength::kLoud);
      return;
    case TwinKind::kOnCall:
      for (int visit = 0; visit < 2; ++visit) {
        event.vault = foreign_vault(own);
        plan_paced(event, Step::kSecretGet, 1, Strength::kHuman);
      }
      return;
    case TwinKind::kRotation:
      plan_paced(event, Step::kSecretList, 1, Strength::kLoud);
      plan_paced(event, Step::kSecretSet, 2, Strength::kLoud);
      return;
    case TwinKind::kPolicyChange:
      plan_paced(event, Step::kAddPolicy, 1, Strength::kHuman);
      return;
    case TwinKind::kPortalVisit:
      plan_paced(event, Step::kSecretList, 1, Strength::kHuman);
      plan_paced(event, Step::kSecretGet, 1, Strength::kHuman);
      return;
    case TwinKind::kHomeAddress:
      event.address += campaign.app ? 1U : 40U;
      plan_paced(event, Step::kSecretGet, 1, Strength::kHuman);
      return;
    case TwinKind::kMistypedVault:
      event.vault = team_vault(own);
      deny(event);
      plan_paced(event, Step::kSecretGet, 1, Strength::kHuman);
      return;
    case TwinKind::kCleanUp:
      plan_paced(event, Step::kSecretDelete, 2, Strength::kHuman);
      return;
    case TwinKind::kUsualKeyUse:
      plan_paced(event, Step::kKeyDecrypt, 1, Strength::kHuman);
      return;
    case TwinKind::kPolicyPipeline:
      plan_paced(event, Step::kAddPolicy, 1, Strength::kLoud);
      plan_paced(event, Step::kSecretGet, 2, Strength::kLoud);
      return;
  }
}

void World::State::plan_listed_attack(AttackKind kind, Planned& event) {
  const bool challenge_only = kind == AttackKind::kTorChallenge || kind == AttackKind::kSuspiciousChallenge;
  const bool denied = kind == AttackKind::kTorDenied || kind == AttackKind::kSuspiciousDenied;
  const std::vector<std::uint32_t>& own = own_vaults(event);
  event.vault = denied ? foreign_vault(own) : own.front();
  if (challenge_only) {
    const std::uint64_t count = 1 + random.below(5);
    for (std::uint64_t i = 0; i < count; ++i) { plan_challenge(event); }
    return;
  }
  if (random.chance(0.7)) { plan_challenge(event); }
  if (denied) { deny(event); }
  event.step = Step::kSecretList;
  plan(event);
  pause(event, 200, 3000);
  const auto reads = static_cast<std::uint32_t>(1 + random.below(8));
  plan_reads(event, 0, reads);
}

void World::State::plan_discovery(Planned& event, Strength strength) {
  const std::uint64_t vaults = std::min<std::uint64_t>(6 + random.below(35), population.vaults.size());
  for (std::uint64_t i = 0; i < vaults; ++i) {
    Planned probe = event;
    probe.vault = static_cast<std::uint32_t>(random.below(population.vaults.size()));
    deny(probe);
    plan_paced(probe, Step::kSecretList, 1, strength);
    event.time = probe.time;
  }
}

void World::State::plan_policy_then_read(Planned& event) {
  event.vault = foreign_vault(own_vaults(event));
  if (event.who == Who::kUser) { event.client = Client::kCli; }
  Planned refused = event;
  deny(refused);
  plan(refused);
  pause(event, 20'000, 120'000);
  event.step = Step::kAddPolicy;
  plan(event);
  pause(event, 10'000, 60'000);
  plan_reads(event, 0, static_cast<std::uint32_t>(1 + random.below(5)));
}

void World::State::spell_caller(const Planned& event, Random& details, Activity& activity) const {
  const bool vault_operation = event.step >= Step::kVaultGet;
  activity.tls_version = vault_operation ? "" : details.chance(0.7) ? "TLS1_3" : "TLS1_2";
  activity.uri_query.clear();
  activity.api_version = vault_operation ? "2023-07-01" : "7.4";
  std::string_view client_app;
  switch (event.client) {
    case Client::kOwn:
      activity.client_info = event.who == Who::kApp ? population.apps[event.caller].client_info
                                                    : population.services[event.caller].client_info;
      break;
    case Client::kPortal:
      client_app = vault_operation ? kPortalArmApp : kPortalVaultApp;
      activity.client_info =
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 "
          "Safari/537.36 Edg/128.0.0.0";
      if (!vault_operation) {
        activity.api_version = "7.0";
        const std::string_view page = event.step == Step::kSecretList ? "maxresults=25&_=" : "_=";
        activity.uri_query = fmt::format("{}{}", page, event.time.milliseconds());
      }
      break;
    case Client::kCli:
      client_app = kCliApp;
      activity.client_info = vault_operation ? "AZURECLI/2.64.0"
                                             : "azsdk-python-keyvault-secrets/4.7.0 Python/3.11.8 "
                                               "(Windows-10-10.0.19045-SP0) AZURECLI/2.64.0 (MSI)";
      break;
    case Client::kPowerShell:
      client_app = kPowerShellApp;
      activity.client_info = "AzurePowershell/v12.3.0 PSVersion/v7.4.5 Az.KeyVault/6.2.0 azsdk-net-Security.KeyVault";
      break;
    case Client::kForeignClient:
      client_app = "1fec8e78-bce4-4aaf-ab1b-5451cc387264";
      activity.client_info = "python-requests/2.31.0";
      break;
    case Client::kScript:
      client_app = kCliApp;
      activity.client_info = "python-requests/2.31.0";
      break;
  }
  if (event.step == Step::kChallenge) {
    activity.caller = Caller{};
    return;
  }
  switch (event.who) {
    case Who::kApp:
      activity.caller = population.apps[event.caller].caller;
      break;
    case Who::kUser:
      activity.caller = population.users[event.caller].caller;
      break;
    case Who::kService:
      activity.caller = population.services[event.caller].caller;
      break;
  }
  if (event.who == Who::kUser) {
    activity.caller.app_id = client_app;
    activity.caller.token_address = address_text(population.users[event.caller].office_address);
  }
  // Tokens for Azure Resource Manager do not carry the managed identity into the record.
  if (vault_operation && event.who == Who::kApp) {
    activity.caller.kind = CallerKind::kApp;
    activity.caller.managed_identity.clear();
    activity.caller.azure_resource.clear();
  }
}

void World::State::spell_object(const Planned& event, Activity& activity) const {
  const StepShape& shape = kShapes[static_cast<std::size_t>(event.step)];
  activity.operation = shape.operation;
  activity.collection = shape.collection;
  activity.uri_verb = shape.uri_verb;
  activity.version_in_uri = shape.version_in_uri;
  activity.object.clear();
  activity.version.clear();
  activity.key_type.clear();
  activity.algorithm.clear();
  if (!shape.names_object) { return; }
  const bool key = shape.collection == "keys";
  activity.object = key ? fmt::format("key-{:02}", event.object) : object_name(event.object);
  if (key) {
    activity.key_type = "RSA";
    if (shape.version_in_uri) { activity.algorithm = "RSA-OAEP-256"; }
  }
  // A version lives for 60 days, each object changing on its own day.
  const std::uint64_t identity = mix64(mix64(options.seed + event.vault) + event.object + (key ? 1'000'000 : 0));
  const std::int64_t epoch = (event.time.day() + static_cast<std::int64_t>(identity % 60)) / 60;
  const bool backup = event.step == Step::kSecretBackup;
  if (!backup) { activity.version = hex_text(identity, mix64(identity + static_cast<std::uint64_t>(epoch))); }
}

// Applications reach a vault by its own path; people and attackers come over the Internet.
void World::State::spell_network(const Planned& event, Activity& activity) const {
  const VaultProfile& vault = population.vaults[event.vault];
  activity.path = NetworkPath::kPublic;
  activity.subnet_id.clear();
  activity.private_endpoint_id.clear();
  activity.address = address_text(event.address);
  const bool attack = event.campaign != 0 && !campaigns[event.campaign - 1].twin;
  if (event.who != Who::kApp || attack) { return; }
  const bool vault_operation = event.step >= Step::kVaultGet;
  if (vault.path == NetworkPath::kPrivateLink && !vault_operation) {
    activity.path = NetworkPath::kPrivateLink;
    activity.private_endpoint_id = vault.private_endpoint_id;
    activity.address = address_text(0x0A000000U + event.address);  // 10.0.0.0/12
    return;
  }
  activity.address = address_text(0x14200000U + event.address);  // 20.32.0.0/12
  if (vault.path == NetworkPath::kServiceEndpoint && !vault_operation) {
    activity.path = NetworkPath::kServiceEndpoint;
    activity.subnet_id = vault.subnet_id;
  }
}

void World::State::spell_label(const Planned& event, AttackLabel& label) const {
  const Campaign& campaign = campaigns[event.campaign - 1];
  label.kind = campaign.twin ? to_string(twin_of(campaign.kind, campaign.app)) : to_string(campaign.kind);
  label.campaign = event.campaign;
  label.strength = to_string(campaign.strength);
  label.benign = campaign.twin;
  label.app = campaign.app;
  label.caller = campaign.app ? population.apps[campaign.caller].caller.object_id
                              : population.users[campaign.caller].caller.object_id;
  for (const std::string_view code : expected_alerts(campaign.kind, campaign.app)) { label.alerts.emplace_back(code); }
}

void World::State::spell(const Planned& event, Activity& activity) const {
  Random details(mix64(options.seed ^ (event.sequence * 0x9E3779B97F4A7C15ULL)));
  const VaultProfile& vault = population.vaults[event.vault];
  activity.time = event.time;
  activity.vault = vault.vault;
  activity.http_status = event.status;
  activity.denial = event.denial;
  activity.duration_milliseconds = static_cast<int>(8 + details.below(60) + (details.chance(0.03) ? 300 : 0));
  const std::uint64_t high = details.bits();
  activity.correlation_id = guid_text(high, details.bits());
  spell_object(event, activity);
  spell_caller(event, details, activity);
  spell_network(event, activity);
  activity.role_assignment_id = hex_text(mix64(event.vault), mix64(event.caller + 77));
  activity.configuration = VaultConfiguration{};
  if (event.step == Step::kAddPolicy) {
    activity.configuration.added_policy =
        AccessPolicy{vault.vault.tenant_id, activity.caller.object_id, {}, {"get", "list"}, {}};
  }
  if (vault.path != NetworkPath::kPublic) {
    activity.configuration.network_acls = NetworkAcls{"AzureServices", "Deny"};
  }
  activity.attack = AttackLabel{};
  if (event.campaign != 0) { spell_label(event, activity.attack); }
}

World::World(const WorldOptions& options) : state_(std::make_unique<State>(options)) {}
World::~World() = default;
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;

const Population& World::population() const {
  return state_->population;
}

bool World::next(Activity& activity) {
  State& state = *state_;
  // Whatever a turn plans lies at or after the turn: the earliest plan is due once no earlier turn is left.
  while (!state.turns.empty() && (state.planned.empty() || state.turns.top().time <= state.planned.top().time)) {
    const Turn turn = state.turns.top();
    state.turns.pop();
    state.take(turn);
  }
  if (state.planned.empty()) { return false; }
  state.spell(state.planned.top(), activity);
  state.planned.pop();
  return true;
}

}  // namespace keyvigil::workload
