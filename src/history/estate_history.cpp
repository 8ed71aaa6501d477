#include "history/estate_history.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/hash.h"
#include "base/prefetch.h"
#include "event/access_scope.h"
#include "history/vault_scope.h"
#include "statistics/elementary.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kHoursPerDay = 24;
constexpr std::uint64_t kLeastVaultsOfDay = 3;  // for "many vaults"
constexpr std::int64_t kPaceTicks = EventTime::kTicksPerMinute;
constexpr std::size_t kPacedReads = 32;
constexpr std::uint32_t kLeastPace = 5;
constexpr double kPairSurprise = 0.5;  // of a client that the user knows from other vaults
constexpr std::uint64_t kMix = 0x9E37'79B9'7F4A'7C15;

// Assumed before an estate was seen: first touches on an active day, of users and of applications.
constexpr std::array<std::array<CountParent, kCallerClassCount>, 5> kTouchPriors = {{
    {{{0.10, 6}, {0.003, 1}}},  // vaults
    {{{0.02, 1}, {0.02, 1}}},   // refused vaults
    {{{0.01, 1}, {0.01, 1}}},   // client applications
    {{{0.05, 1}, {0.05, 1}}},   // client applications on a vault
    {{{0.10, 1}, {0.05, 1}}},   // address prefixes
}};
// People need a week to have met the vaults of their team.
constexpr std::uint32_t kVaultKnownDays = 7;
constexpr CountParent kNewcomerVaults = {1, 1};  // beside the first one
constexpr CountParent kVolume = {10, 5};
constexpr CountParent kListOpenings = {0.5, 1};
constexpr CountParent kPolicyOpenings = {0.003, 1};
constexpr std::array<CountParent, kCallerClassCount> kDestructions = {
    {{0.02, 4, PopulationCount::kRareMemberWindows}, {0.005, 4, PopulationCount::kRareMemberWindows}}};

// Of room for so many objects: what callers that are settled may use.
std::size_t settled_part(std::size_t room) {
  return room - room / 4;
}

std::int64_t day_of(std::int64_t hour) {
  return hour >= 0 ? hour / kHoursPerDay : -((-hour + kHoursPerDay - 1) / kHoursPerDay);
}

bool is_secret_use(const AccessEvent& event) {
  if (event.outcome != Outcome::kSuccess || event.operation == kUnknownOperation) { return false; }
  const OperationRow& row = operation_row(event.operation);
  return row.credential_read || row.private_key_use;
}

bool is_credential_read(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation != kUnknownOperation &&
         operation_row(event.operation).credential_read;
}

bool is_credential_list(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation != kUnknownOperation &&
         operation_row(event.operation).credential_list;
}

// Names of certificates, and of the keys behind them, are names of secrets.
bool is_other_list(const AccessEvent& event) {
  if (event.outcome != Outcome::kSuccess || event.operation_kind != OperationKind::kList) { return false; }
  const std::string_view name = event.operation_name();
  return name == "CertificateList" || name == "KeyList";
}

// Whether the event is somebody's: not a challenge, and not the vault's own.
bool is_of_somebody(const AccessEvent& event) {
  return event.outcome != Outcome::kChallenge && !event.caller_key().empty() && !event.vault_id().empty() &&
         event.operation_kind != OperationKind::kSystem && event.operation_kind != OperationKind::kAuthentication;
}

// No class of operations came up much more often than the habit would have it: no other explanation can be better by
// much, and nearly every session costs sixteen compares.
bool is_within_habit(const SessionFacts& session) {
  const double total = std::accumulate(session.self.begin(), session.self.end(), 0.0);
  for (std::size_t i = 0; i < session.counts.size(); ++i) {
    if (session.counts[i] > 0.5 + 2 * session.events * session.self[i] / total) { return false; }
  }
  return true;
}

std::uint32_t object_hash(std::string_view object, std::uint64_t vault) {
  if (object.empty()) { return 0; }
  return static_cast<std::uint32_t>((hash64(object) ^ vault) * kMix >> 32U) | 1U;
}

std::uint64_t prefix_hash(const IpPrefix& prefix) {
  return (prefix.base.high * kMix ^ prefix.base.low) * kMix;
}

// Of a member that has a record.
void learn_excess(RecordExcess& excess, double count, const CountTail& usual) {
  if (usual.windows >= RecordExcess::kKnownWindows && usual.largest > 0) { excess.learn(count / usual.largest); }
}

// Each in use, in the order of the hashes of keys; the list is empty then. A slot that changed hands was noted for
// each.
template <typename Slots, typename Profiles, typename Close>
void close_all(Slots& slots, Profiles& profiles, const Close& close) {
  std::ranges::sort(slots);
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  // Profiles lie far apart: what is closed soon is fetched meanwhile, as far as closing reads it.
  constexpr std::size_t kAhead = 6;
  constexpr std::size_t kClosedBytes = 512;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + kAhead < slots.size()) { prefetch_bytes(&profiles.look(slots[i + kAhead].slot), kClosedBytes); }
    if (profiles.look(slots[i].slot).owner == slots[i].owner) { close(slots[i].slot); }
  }
  slots.clear();
}

}  // namespace

EstateHistory::EstateHistory(const EstateHistoryLimits& limits, Teams teams, FirstPartyApps first_party)
    : limits_(limits),
      teams_(std::move(teams)),
      first_party_(std::move(first_party)),
      callers_(limits.callers),
      vaults_(limits.vaults),
      touches_{
          FirstTouches({limits.callers, limits.vaults, limits.edges}, {kTouchPriors[kVaultTouch], kVaultKnownDays}),
          FirstTouches({limits.callers / 4 + 4, limits.vaults, limits.edges / 10}, {kTouchPriors[kDeniedTouch]}),
          FirstTouches({limits.callers / 2 + 4, limits.vaults, limits.edges / 10}, {kTouchPriors[kClientTouch]}),
          FirstTouches({limits.callers / 2 + 4, limits.prefixes, limits.edges / 10}, {kTouchPriors[kPairTouch]}),
          FirstTouches({limits.callers, limits.prefixes, limits.edges / 2}, {kTouchPriors[kAddressTouch]})} {
  for (ClassState& known : classes_) {
    known.volume = assumed_volume();
    known.episodes[static_cast<std::size_t>(EpisodeKind::kList)].openings = PopulationCount(kListOpenings);
    known.episodes[static_cast<std::size_t>(EpisodeKind::kPolicy)].openings =
        PopulationCount(kPolicyOpenings, PopulationCount::kRarePriorWindows);
  }
  for (std::size_t i = 0; i < kCallerClassCount; ++i) {
    classes_[i].destruction = PopulationCount(kDestructions[i], PopulationCount::kRarePriorWindows);
  }
  newcomer_vaults_.fill(PopulationCount(kNewcomerVaults));
  vault_population_ = assumed_volume();
  derive_parents();
}

// ---- for people ----

namespace {

UsualActivity activity_of(const VolumeWindows& volume, const VolumeParents& parents) {
  UsualActivity usual;
  for (std::size_t measure = 0; measure < kVolumeMeasureCount; ++measure) {
    for (std::size_t window = 0; window < kTumblingWindowCount; ++window) {
      usual.counts[measure][window] =
          volume.usual(static_cast<VolumeMeasure>(measure), static_cast<VolumeWindow>(window), parents);
    }
  }
  return usual;
}

}  // namespace

std::optional<UsualActivity> EstateHistory::usual_of_caller(const TableKey& caller) const {
  const auto slot = callers_.find(caller);
  if (!slot || caller_profiles_[*slot].owner != caller.hash) { return std::nullopt; }
  const CallerProfile& profile = caller_profiles_[*slot];
  UsualActivity usual = activity_of(profile.volume, caller_parents_[static_cast<std::size_t>(profile.caller_class)]);
  usual.caller_class = profile.caller_class;
  usual.operations = profile.mix.own_shares();
  return usual;
}

std::optional<UsualActivity> EstateHistory::usual_of_vault(const TableKey& vault) const {
  const auto slot = vaults_.find(vault);
  if (!slot || vault_profiles_[*slot].owner != vault.hash) { return std::nullopt; }
  return activity_of(vault_profiles_[*slot].volume, vault_parents_);
}

std::string EstateHistory::address_thing(const IpAddress& address) {
  return to_string(network_of(address));
}

// ---- observe ----

void EstateHistory::Observed::clear() {
  behaviour = false;
  service_elsewhere = false;
  touches_vault = false;
  touches_client = false;
  touches_address = false;
  vault_touch.reset();
  client_touch.reset();
  pair_touch.reset();
  address_touch.reset();
  episodes.fill(nullptr);
  object = 0;
  lone_read = false;
}

void EstateHistory::observe(const AccessEvent& event, Facts& out, bool from_elsewhere) {
  out.clear();
  observed_.clear();
  if (!is_of_somebody(event)) { return; }
  if (is_of_activity_log(event)) {
    observe_scope_change(event, out);
    return;
  }
  if (!from_elsewhere && first_party_.is_routine(event)) {
    learn_settings(event);
    return;
  }
  if (hour_ == INT64_MIN) { hour_ = event.time.hour(); }
  observed_.behaviour = true;
  observed_.service_elsewhere = from_elsewhere && event.caller_kind == CallerKind::kFirstParty;
  out.behaviour_known = true;
  out.throttled = event.outcome == Outcome::kThrottled;
  admit(event, out);
  observe_volume(event, out);
  if (out.throttled) { return; }
  observe_vault(event, out);
  observe_client(event, out);
  observe_address(event, out, from_elsewhere);
  observe_session(event, out);
  observe_episodes(event, out);
}

void EstateHistory::prefetch_edges(const AccessEvent& event) const {
  const std::uint32_t caller = callers_.prefetch_key(caller_hash(event));
  if (caller < caller_profiles_.size()) {
    touches_[kVaultTouch].graph().prefetch_edges(caller_profiles_[caller].places[kVaultTouch]);
  }
  (void)vaults_.prefetch_key(vault_hash(event));
}

void EstateHistory::prefetch_profiles(const AccessEvent& event) const {
  const std::uint32_t caller = callers_.prefetch(caller_hash(event));
  if (caller < caller_profiles_.size()) { keyvigil::prefetch(caller_profiles_[caller]); }
  const std::uint32_t vault = vaults_.prefetch(vault_hash(event));
  if (vault < vault_profiles_.size()) { keyvigil::prefetch(vault_profiles_[vault]); }
}

void EstateHistory::admit(const AccessEvent& event, Facts& out) {
  admit_caller(event, out);
  admit_vault(event, out);
  CallerProfile& caller = caller_profiles_[observed_.caller];
  if (caller.last_hour != hour_) { active_callers_.of_hour.push_back({caller.owner, observed_.caller}); }
  caller.last_hour = hour_;
}

void EstateHistory::admit_caller(const AccessEvent& event, Facts& out) {
  const std::int64_t day = event.time.day();
  const SettledTable::Admission admission = callers_.admit(TableKey(event.caller_key(), caller_hash(event)), day);
  if (admission.evicted) { forget_objects(*admission.evicted, day); }
  observed_.caller = admission.slot;
  if (observed_.caller == caller_profiles_.size()) { caller_profiles_.emplace_back(); }
  CallerProfile& caller = caller_profiles_[observed_.caller];
  if (caller.owner != callers_.key_hash(observed_.caller)) {
    caller = CallerProfile{};
    caller.owner = callers_.key_hash(observed_.caller);
    caller.caller_class = event.caller_kind == CallerKind::kUser ? CallerClass::kUser : CallerClass::kApp;
    caller.listed_ticks = (hour_ + 1) * EventTime::kTicksPerHour;  // it may have been known before
  }
  out.caller_class = caller.caller_class;
  const std::int64_t today = day_of(hour_);
  out.caller_first_today = caller.last_day != today;
  if (out.caller_first_today) {
    active_callers_.of_day.push_back({caller.owner, observed_.caller});
    settle_objects(observed_.caller, day);
  }
  caller.last_day = today;
}

void EstateHistory::admit_vault(const AccessEvent& event, Facts& out) {
  observed_.vault_hash = vault_hash(event);
  observed_.vault = vaults_.admit(TableKey(event.vault_id(), observed_.vault_hash), event.time.day()).slot;
  if (observed_.vault == vault_profiles_.size()) { vault_profiles_.emplace_back(); }
  VaultProfile& vault = vault_profiles_[observed_.vault];
  if (vault.owner != observed_.vault_hash) {
    vault = VaultProfile{};
    vault.owner = observed_.vault_hash;
    vault.policy_ticks = (hour_ + 1) * EventTime::kTicksPerHour;
    new_vaults_.emplace_back(event.vault_id());
  }
  const std::int64_t today = day_of(hour_);
  out.vault_first_today = vault.last_day != today;
  if (out.vault_first_today) { active_vaults_.of_day.push_back({vault.owner, observed_.vault}); }
  if (vault.last_hour != hour_) { active_vaults_.of_hour.push_back({vault.owner, observed_.vault}); }
  vault.last_day = today;
  vault.last_hour = hour_;
}

// What a service's sweep reads of a vault that somebody uses.
void EstateHistory::learn_settings(const AccessEvent& event) {
  if (event.outcome == Outcome::kSuccess && tells_settings(event)) { (void)differs_from_settings(event); }
}

bool EstateHistory::differs_from_settings(const AccessEvent& event) {
  const auto slot = vaults_.find(TableKey(event.vault_id(), vault_hash(event)));
  if (!slot || vault_profiles_.look(*slot).owner != vault_hash(event)) { return false; }
  return vault_profiles_[*slot].settings.learn(event);
}

// Counts as one opening of the caller a day, however many vaults lie in the scope.
void EstateHistory::observe_scope_change(const AccessEvent& event, Facts& out) {
  std::uint64_t principal =
      event.get(TextField::kPolicyPrincipal).empty() ? 0 : hash64(event.get(TextField::kPolicyPrincipal));
  const std::uint64_t request = event.correlation_id().empty() ? 0 : hash64(event.correlation_id());
  if (event.outcome != Outcome::kSuccess) {
    if (principal != 0 && request != 0) { scope_changes_.begin(request, principal, event.time); }
    return;
  }
  const bool differs = tells_settings(event) && differs_from_settings(event);
  if (event.policy_marks == 0 && !differs) { return; }
  if (principal == 0 && request != 0) { principal = scope_changes_.principal_of(request, event.time); }
  if (hour_ == INT64_MIN) { hour_ = event.time.hour(); }
  out.behaviour_known = true;
  out.policy_change = true;
  admit_caller(event, out);
  CallerProfile& caller = caller_profiles_[observed_.caller];
  EpisodeHabit& habit = caller.episodes[static_cast<std::size_t>(EpisodeKind::kPolicy)];
  if (scope_changes_.add(caller.owner, event.vault_id(), event.time)) { ++habit.today; }
  if (principal != 0 && principal != caller.owner) { scope_changes_.add(principal, event.vault_id(), event.time); }
}

FirstTouches::Caller EstateHistory::touch_caller(std::uint32_t slot) const {
  const std::uint32_t days = callers_.days_seen(slot);
  return {.key = TableKey(callers_.key(slot), callers_.key_hash(slot)),
          .caller_class = caller_profiles_[slot].caller_class,
          .days_seen = days > 0 ? days - 1 : 0,
          .never_new = slot == observed_.caller && observed_.service_elsewhere};
}

FirstTouches::Caller EstateHistory::touch_caller(std::uint32_t slot, TouchKind kind) {
  FirstTouches::Caller caller = std::as_const(*this).touch_caller(slot);
  caller.key.hint = &caller_profiles_[slot].places[kind];
  return caller;
}

// For the graph of kVaultTouch.
TableKey EstateHistory::vault_key(const AccessEvent& event) {
  return TableKey(event.vault_id(), observed_.vault_hash, &vault_profiles_[observed_.vault].place);
}

void EstateHistory::observe_volume(const AccessEvent& event, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  VolumeSample sample;
  sample.throttled = out.throttled;
  sample.credential_read = is_secret_use(event);
  if (sample.credential_read) { sample.object = object_hash(event.object(), observed_.vault_hash); }
  observed_.object = sample.object;
  caller.volume.add(sample, false, caller_parents_[static_cast<std::size_t>(caller.caller_class)], out.volumes);
  vault_profiles_[observed_.vault].volume.add(sample, true, vault_parents_, out.volumes);
  compare_with_records(out.volumes);
  if (sample.object != 0 && caller.caller_class == CallerClass::kUser) { observe_pace(event, sample.object, out); }
}

void EstateHistory::compare_with_records(std::vector<VolumeFact>& volumes) {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  for (VolumeFact& fact : volumes) {
    if (fact.windows < RecordExcess::kKnownWindows || !(fact.largest > 0)) { continue; }
    VolumeExcess& of_kind =
        fact.of_vault ? vault_excess_ : class_excess_[static_cast<std::size_t>(caller.caller_class)];
    RecordExcess& excess = of_kind[static_cast<std::size_t>(fact.measure)][static_cast<std::size_t>(fact.window)];
    const std::uint64_t member = fact.of_vault ? observed_.vault_hash : caller.owner;
    const std::size_t active = (fact.of_vault ? active_vaults_ : active_callers_).of_hour.size();
    fact.as_far_above = excess.share_now(member, fact.count / fact.largest, active);
  }
}

void EstateHistory::observe_pace(const AccessEvent& event, std::uint32_t object, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  std::erase_if(caller.paced, [&](const PacedRead& read) {
    return read.object == object || !event.time.is_within(kPaceTicks, read.ticks);
  });
  if (caller.paced.size() >= kPacedReads) { caller.paced.erase(caller.paced.begin()); }
  caller.paced.push_back({event.time.ticks, object});
  const auto distinct = static_cast<std::uint32_t>(caller.paced.size());
  if (distinct <= caller.pace_today) { return; }
  caller.pace_today = distinct;
  if (distinct < kLeastPace || caller.pace.is_within_record(distinct)) { return; }
  const CountParent& parent = class_of(caller).pace.parent();
  out.volumes.push_back(VolumeFact{.of_vault = false,
                                   .measure = VolumeMeasure::kDistinctObjects,
                                   .window = VolumeWindow::kMinute,
                                   .count = static_cast<double>(distinct),
                                   .usual = caller.pace.mean(parent, 1) + 1,
                                   .dispersion = caller.pace.dispersion(parent, 1),
                                   .largest = caller.pace.largest,
                                   .windows = caller.pace.windows});
}

void EstateHistory::observe_vault(const AccessEvent& event, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  const AccessGraph& graph = touches_[kVaultTouch].graph();
  const auto in_group = [this, &event] { return group_popularity(event); };
  if (event.outcome == Outcome::kSuccess) {
    for (const Recent& recent : caller.recent_vaults) {
      if (recent.thing == observed_.vault_hash && recent.hour == hour_) { return; }
    }
    observed_.touches_vault = true;
    const auto touch_by = touch_caller(observed_.caller, kVaultTouch);
    observed_.vault_touch = touches_[kVaultTouch].observe(touch_by, vault_key(event), event.time,
                                                          caller.habits[kVaultTouch], graph, in_group);
    if (!observed_.vault_touch || !observed_.vault_touch->tested) { return; }
    out.first_touch = true;
    if (graph.is_hub(touch_by.key)) { return; }
    out.new_vault = observed_.vault_touch->facts;
  } else if (event.outcome == Outcome::kDenied) {
    observed_.touches_vault = true;
    const auto answered = touch_caller(observed_.caller, kVaultTouch);
    if (graph.edge(answered.key, vault_key(event), event.time).touch == EdgeFacts::Touch::kKnown) { return; }
    const auto touch_by = touch_caller(observed_.caller, kDeniedTouch);
    const TableKey vault(event.vault_id(), observed_.vault_hash);
    observed_.vault_touch =
        touches_[kDeniedTouch].observe(touch_by, vault, event.time, caller.habits[kDeniedTouch], graph, in_group);
    if (!observed_.vault_touch || !observed_.vault_touch->tested) { return; }
    out.first_refusal = true;
    out.new_denied_vault = observed_.vault_touch->facts;
  } else {
    return;
  }
  const bool denied = event.outcome == Outcome::kDenied;
  const SurpriseLedger::Day day = (denied ? caller.denied_vaults : caller.new_vaults).day(event.time);
  const FirstTouch& touch = observed_.vault_touch->facts;
  if (out.new_vault && touch.caller_is_new) {
    out.new_vault->newcomers_with_as_many = newcomers_with_as_many(day.vaults + 1);
  }
  if (day.vaults + 1 < kLeastVaultsOfDay || (denied && touch.caller_is_new)) { return; }
  DayOfFirstTouches& of_day = (denied ? out.denied_vaults_day : out.new_vaults_day).emplace();
  of_day.vaults = day.vaults + 1;
  of_day.log_surprise = day.log_surprise - natural_log(touch.surprise);
  of_day.rate = touch.rate;
  of_day.caller_days = touch.caller_days;
  // Whoever starts touches several vaults at once.
  if (touch.caller_is_new) { of_day.newcomers_with_as_many = out.new_vault->newcomers_with_as_many; }
}

double EstateHistory::newcomers_with_as_many(std::uint64_t vaults) const {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  const CountParent& usual = newcomer_vaults_[static_cast<std::size_t>(caller.caller_class)].parent();
  return negative_binomial_upper_tail(static_cast<double>(vaults) - 1, usual.mean, usual.dispersion);
}

// By declared teams; else vaults of one scope belong together: where the caller's own vaults lie, the share of a vault
// of each, by weight.
std::optional<double> EstateHistory::group_popularity(const AccessEvent& event) const {
  const auto vaults = touches_[kVaultTouch].graph().vaults_of(event.caller_key(), event.vault_id(), event.time);
  if (!teams_.empty()) {
    const auto declared =
        teams_.popularity({event.caller_key(), event.user_name(), event.app_id()}, event.vault_id(), vaults);
    if (declared) { return declared; }
  }
  if (vaults.empty()) { return std::nullopt; }
  const VaultScopes wanted = scopes_of(event.vault_id());
  std::array<double, kVaultScopeCount> inside{};
  for (const std::string_view vault : vaults) {
    const VaultScopes scopes = scopes_of(vault);
    for (std::size_t i = 0; i < scopes.size(); ++i) { inside[i] += scopes[i] == wanted[i] ? 1 : 0; }
  }
  double popularity = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto known = scope_vaults_.find(wanted[i]);
    const double size = known == scope_vaults_.end() ? 1 : std::max(1.0, static_cast<double>(known->second));
    popularity += kVaultScopeWeights[i] * inside[i] / static_cast<double>(vaults.size()) / size;
  }
  return popularity;
}

void EstateHistory::observe_client(const AccessEvent& event, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  if (caller.caller_class != CallerClass::kUser || event.outcome != Outcome::kSuccess || event.app_id().empty()) {
    return;
  }
  const TableKey client(event.app_id());
  const std::uint64_t thing = client.hash ^ observed_.vault_hash;
  if (caller.recent_client.thing == thing && caller.recent_client.hour == hour_) { return; }
  caller.recent_client = {thing, hour_};
  observed_.touches_client = true;
  const auto touch_by = touch_caller(observed_.caller, kClientTouch);
  const FirstTouches& clients = touches_[kClientTouch];
  const FirstTouches& pairs = touches_[kPairTouch];
  scratch_.assign(event.app_id()).append(1, '\n').append(event.vault_id());
  observed_.client_touch = clients.observe(touch_by, client, event.time, caller.habits[kClientTouch], clients.graph());
  observed_.pair_touch = pairs.observe(touch_caller(observed_.caller, kPairTouch), scratch_, event.time,
                                       caller.habits[kPairTouch], pairs.graph());
  // A user who starts, or starts on this vault, does everything for the first time.
  if (observed_.vault_touch || touch_by.days_seen < clients.known_days()) { return; }
  // Several at once are no more than a new tool tried on several vaults: their number is not held against the user.
  if (observed_.client_touch && observed_.client_touch->tested) {
    out.new_client = observed_.client_touch->facts;
  } else if (!observed_.client_touch && observed_.pair_touch && observed_.pair_touch->tested) {
    out.new_client = observed_.pair_touch->facts;
    out.new_client->surprise = std::max(kPairSurprise, out.new_client->surprise);
    out.client_new_to_pair_only = true;
  }
  if (out.new_client) { out.new_client->today = 1; }
}

void EstateHistory::observe_address(const AccessEvent& event, Facts& out, bool from_elsewhere) {
  if (event.network_path != NetworkPath::kPublic || !is_global(event.address)) { return; }
  CallerProfile& caller = caller_profiles_[observed_.caller];
  const IpPrefix prefix = network_of(event.address);
  const std::uint64_t thing = prefix_hash(prefix);
  const bool recent = caller.recent_address.thing == thing && caller.recent_address.hour == hour_;
  if (recent && caller.new_address.empty() && !caller.visiting) { return; }
  if (!recent) {
    caller.recent_address = {thing, hour_};
    observed_.touches_address = true;
    out.address_prefix = to_string(prefix);
    const FirstTouches& addresses = touches_[kAddressTouch];
    observed_.address_touch = addresses.observe(touch_caller(observed_.caller, kAddressTouch), out.address_prefix,
                                                event.time, caller.habits[kAddressTouch], addresses.graph());
    if (observed_.address_touch && observed_.address_touch->tested) {
      FirstTouch& touch = observed_.address_touch->facts;
      touch.surprise = network_visits_.surprise(caller.caller_class, touch.thing_callers);
      caller.new_address.assign(
          1, NewAddress{thing, event.time.ticks, touch.surprise, touch.rate.mean, touch.rate.dispersion,
                        touch.rate.days_known, touch.caller_is_new, touch.caller_things, touch.thing_callers});
    }
  }
  observe_visit(event, prefix, from_elsewhere, out);
  if (caller.new_address.empty()) { return; }
  const NewAddress& known = caller.new_address.front();
  if (!event.time.is_within(EventTime::kTicksPerDay, known.since_ticks)) {
    caller.new_address.clear();
    return;
  }
  if (known.prefix != thing) { return; }
  if (out.address_prefix.empty()) { out.address_prefix = to_string(prefix); }
  out.address_since_ticks = known.since_ticks;
  FirstTouch& touch = out.new_address.emplace();
  touch.surprise = known.surprise;
  touch.rate = {known.rate, known.dispersion, known.days_known};
  touch.caller_is_new = known.caller_is_new;
  touch.caller_things = known.caller_things;
  touch.thing_callers = known.thing_callers;
}

void EstateHistory::observe_visit(const AccessEvent& event, const IpPrefix& prefix, bool from_elsewhere, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  NetworkVisits::Request request{.network = prefix_hash(prefix),
                                 .at = event.time,
                                 .arrival = {},
                                 .object = is_credential_read(event) ? observed_.object : 0,
                                 .list = is_credential_list(event),
                                 .from_elsewhere = from_elsewhere,
                                 .managed_identity = event.caller_kind == CallerKind::kManagedIdentity};
  if (observed_.touches_address && observed_.address_touch) {
    const FirstTouches::Touch& touch = *observed_.address_touch;
    request.arrival = {touch.facts.thing_callers, touch.unheard, touch.facts.today};
  }
  out.network_visit = network_visits_.observe(visitor(observed_.caller), request);
  caller.visiting = network_visits_.is_open(caller.owner);
  if (out.network_visit && out.address_prefix.empty()) { out.address_prefix = to_string(prefix); }
}

NetworkVisits::Caller EstateHistory::visitor(std::uint32_t slot) const {
  const CallerProfile& caller = caller_profiles_[slot];
  const auto touch_by = touch_caller(slot);
  return {.hash = caller.owner,
          .caller_class = caller.caller_class,
          .is_new = !touch_by.never_new && touch_by.days_seen < touches_[kAddressTouch].known_days()};
}

void EstateHistory::observe_session(const AccessEvent& event, Facts& out) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  if (caller.session.is_over(event.time)) { learn_session(caller); }
  const OperationClass operation = operation_class(event);
  out.operation_class = operation;
  if (operation == OperationClass::kDelete && event.outcome == Outcome::kSuccess) { observe_destruction(out); }
  // The same refusal again is a client that tries again, not a pattern.
  const bool repeated = operation == OperationClass::kDenied && caller.denied_vault == observed_.vault_hash &&
                        event.time.is_within(OperationSession::kGapTicks, caller.denied_ticks);
  if (repeated) { return; }
  if (!caller.session.add(operation, event.time, caller.mix.is_rare(operation))) { return; }
  const OperationMixWeights& population = class_of(caller).mix.shares();
  SessionFacts session{.self = caller.mix.weights(population),
                       .by_days = caller.mix.weights_by_days(population),
                       .population = population,
                       .counts = caller.session.counts(),
                       .events = static_cast<double>(caller.session.events()),
                       .began_ticks = caller.session.began().ticks};
  if (!is_within_habit(session)) { out.session = session; }
}

void EstateHistory::observe_destruction(Facts& out) {
  TouchHabit& habit = caller_profiles_[observed_.caller].destruction;
  if (++habit.today < 2) { return; }
  const CountParent& parent = class_of(caller_profiles_[observed_.caller]).destruction.parent();
  out.destruction = DestructionFacts{.count = static_cast<double>(habit.today),
                                     .usual = habit.days.mean(parent, 1),
                                     .dispersion = habit.days.dispersion(parent, 1),
                                     .days_known = habit.days.windows};
}

void EstateHistory::observe_episodes(const AccessEvent& event, Facts& out) {
  if (event.outcome == Outcome::kDenied) {
    CallerProfile& caller = caller_profiles_[observed_.caller];
    caller.denied_vault = observed_.vault_hash;
    caller.denied_ticks = event.time.ticks;
    return;
  }
  if (event.outcome != Outcome::kSuccess) { return; }
  observe_list(event, out);
  observe_policy(event, out);
}

void EstateHistory::observe_list(const AccessEvent& event, Facts& out) {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  if (is_credential_list(event)) {
    out.opens_episode = open_episode(event, EpisodeKind::kList, caller.owner, event.time);
    return;
  }
  if (is_other_list(event)) { note_other_list(event); }
  if (!is_credential_read(event)) { return; }
  observed_.lone_read = observed_.object != 0;
  if (const auto listed = take_other_list(event.time)) {
    out.opens_episode = open_episode(event, EpisodeKind::kList, caller.owner, *listed);
  }
  if (!Episodes::may_be_open(EpisodeKind::kList, caller.listed_ticks, event.time)) { return; }
  Episode* episode = episodes_.find({caller.owner, observed_.vault_hash, EpisodeKind::kList}, event.time);
  if (episode == nullptr) { return; }
  observed_.episodes[static_cast<std::size_t>(EpisodeKind::kList)] = episode;
  if (observed_.object == 0) { return; }
  // What an episode counts is learned when it is over: until then it may alert.
  observed_.lone_read = episode->objects.size() >= Episodes::kObjects;
  const bool fresh = !caller.read_before.contains(observed_.object, event.time.day());
  const Episodes::Counted counted = Episodes::add_read(*episode, observed_.object, event.time, fresh);
  const bool each = caller.caller_class == CallerClass::kUser && counted == Episodes::Counted::kYes;
  if (counted != Episodes::Counted::kAtCheckPoint && !each) { return; }
  out.list_episode = episode_facts(*episode, EpisodeKind::kList, event.time);
}

void EstateHistory::note_other_list(const AccessEvent& event) {
  std::vector<OtherList>& lists = caller_profiles_[observed_.caller].other_lists;
  std::erase_if(lists, [&](const OtherList& list) {
    return list.vault == observed_.vault_hash || !event.time.is_within(EventTime::kTicksPerHour + 1, list.ticks);
  });
  if (lists.size() >= kOtherLists) { lists.erase(lists.begin()); }
  lists.push_back({observed_.vault_hash, event.time.ticks});
}

// Of the vault at hand, where no list of secrets is open that it would belong to.
std::optional<EventTime> EstateHistory::take_other_list(EventTime now) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  const auto list = std::ranges::find(caller.other_lists, observed_.vault_hash, &OtherList::vault);
  if (list == caller.other_lists.end()) { return std::nullopt; }
  const EventTime listed{list->ticks};
  caller.other_lists.erase(list);
  const bool open = episodes_.find({caller.owner, observed_.vault_hash, EpisodeKind::kList}, now) != nullptr;
  return open || !now.is_within(EventTime::kTicksPerHour + 1, listed.ticks) ? std::nullopt : std::optional(listed);
}

EstateHistory::OpenPolicy EstateHistory::find_policy_episode(const AccessEvent& event) {
  const std::uint64_t owner = caller_profiles_[observed_.caller].owner;
  OpenPolicy open;
  open.key = {owner, observed_.vault_hash, EpisodeKind::kPolicy};
  open.episode = episodes_.find(open.key, event.time);
  if (open.episode == nullptr && !event.object_id().empty()) {
    open.key.caller = hash64(event.object_id());
    open.episode = episodes_.find(open.key, event.time);
    open.by_principal = open.episode != nullptr && open.key.caller != owner;
  }
  return open.episode == nullptr ? open_by_scope(event) : open;
}

// The episode that a change of the Activity Log opens on this vault, at its time: by whoever made it, under either of
// its names, or for whom.
EstateHistory::OpenPolicy EstateHistory::open_by_scope(const AccessEvent& event) {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  OpenPolicy open;
  if (!scope_changes_.may_hold(event.time)) { return open; }
  // Nobody needs a role on a whole subscription for what it read before: there only what it had not read is looked at.
  const bool known = observed_.object == 0 || caller.read_before.contains(observed_.object, event.time.day());
  const std::array<std::string_view, 2> names = {event.object_id(), event.user_name()};
  std::uint64_t who = caller.owner;
  auto changed = scope_changes_.find(who, event.vault_id(), event.time, known);
  for (const std::string_view name : names) {
    if (changed || name.empty()) { continue; }
    who = hash64(name);
    changed = scope_changes_.find(who, event.vault_id(), event.time, known);
    open.by_principal = changed && name == event.object_id() && who != caller.owner;
  }
  if (!changed) { return open; }
  open.key = {who, observed_.vault_hash, EpisodeKind::kPolicy};
  std::int64_t& last = vault_profiles_[observed_.vault].policy_ticks;
  last = std::max(last, changed->ticks);
  const std::uint32_t opener = who == caller.owner ? observed_.caller : Episodes::kNobody;
  Episodes::Opening opening = episodes_.open_anew(open.key, *changed, opener);
  if (opening.over) { learn_episode(who, EpisodeKind::kPolicy, *opening.over); }
  open.episode = opening.episode;
  open.episode->denied_before = caller.denied_vault == observed_.vault_hash && caller.denied_ticks < changed->ticks &&
                                changed->is_within(EventTime::kTicksPerHour, caller.denied_ticks);
  return open;
}

void EstateHistory::observe_policy(const AccessEvent& event, Facts& out) {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  const bool change = is_policy_change(event, vaults_.days_seen(observed_.vault) > 1);
  const bool read = is_credential_read(event) || is_credential_list(event);
  if (!change && !read) { return; }
  const std::int64_t changed_ticks = vault_profiles_[observed_.vault].policy_ticks;
  const bool may_be_open = Episodes::may_be_open(EpisodeKind::kPolicy, changed_ticks, event.time);
  if (!change && !may_be_open && !scope_changes_.may_hold(event.time)) { return; }
  auto [key, episode, by_principal] = find_policy_episode(event);
  out.policy_change = change;
  if (change) {
    const bool undone = episode != nullptr && episode->reads > 0 && !episode->reverted &&
                        event.time.is_within(EventTime::kTicksPerHour, episode->first_read.ticks);
    out.opens_episode = open_episode(event, EpisodeKind::kPolicy, caller.owner, event.time) || out.opens_episode;
    const std::string_view principal = event.get(TextField::kPolicyPrincipal);
    if (!principal.empty() && hash64(principal) != caller.owner) {
      open_episode(event, EpisodeKind::kPolicy, hash64(principal), event.time);
    }
    if (undone) { episode = episodes_.find(key, event.time); }  // what was opened may have taken its place
    if (!undone || episode == nullptr) { return; }
    episode->reverted = true;
  } else {
    if (episode == nullptr) { return; }
    // A list counts as one read more, under the operation's name.
    const std::uint32_t object =
        object_hash(event.object().empty() ? event.operation_name() : event.object(), observed_.vault_hash);
    const Episodes::Counted counted = Episodes::add_read(*episode, object, event.time, false);
    if (counted != Episodes::Counted::kAtCheckPoint) { return; }
  }
  observed_.episodes[static_cast<std::size_t>(EpisodeKind::kPolicy)] = episode;
  out.policy_episode = episode_facts(*episode, EpisodeKind::kPolicy, event.time);
  out.policy_episode->by_principal = by_principal;
}

// Of a vault's own log: policies that a record marks as changed, another setting than was told before, and a whole
// vault put again that says nothing of what is in it.
bool EstateHistory::is_policy_change(const AccessEvent& event, bool vault_was_known) {
  const bool differs = tells_settings(event) && vault_profiles_[observed_.vault].settings.learn(event);
  if (event.operation_kind != OperationKind::kPolicy) { return false; }
  if (event.policy_marks != 0 || differs) { return true; }
  const std::string_view name = event.operation_name();
  const bool put = name == "VaultPut" || name == "VaultCreate";
  return put && !tells_settings(event) && vault_was_known;
}

bool EstateHistory::open_episode(const AccessEvent& event, EpisodeKind kind, std::uint64_t reader, EventTime at) {
  CallerProfile& caller = caller_profiles_[observed_.caller];
  const bool own = reader == caller.owner;
  std::int64_t& last = kind == EpisodeKind::kList ? caller.listed_ticks : vault_profiles_[observed_.vault].policy_ticks;
  last = std::max(last, at.ticks);
  const Episodes::Key key{reader, observed_.vault_hash, kind};
  const std::uint32_t opener = own ? observed_.caller : Episodes::kNobody;
  // An earlier list is told by what followed it: one that was open then is over, and may have been taken out.
  Episodes::Opening opening = at < event.time ? episodes_.open_anew(key, at, opener) : episodes_.open(key, at, opener);
  if (opening.over) { learn_episode(reader, kind, *opening.over); }
  if (!opening.opened) { return false; }
  EpisodeHabit& habit = caller.episodes[static_cast<std::size_t>(kind)];
  if (own) { ++habit.today; }
  if (own && kind == EpisodeKind::kList) {
    opening.episode->vault_days = days_on_vault(event);
    if (opening.episode->vault_days == 0) {
      const auto touch_by = touch_caller(observed_.caller);
      const bool newcomer = !touch_by.never_new && touch_by.days_seen < touches_[kVaultTouch].known_days();
      opening.episode->visit = newcomer ? Visit::kByNewcomer : Visit::kByKnown;
    }
  }
  opening.episode->denied_before =
      caller.denied_vault == observed_.vault_hash && at.is_within(EventTime::kTicksPerHour, caller.denied_ticks);
  // People list all the time, and never because a program starts.
  return caller.caller_class == CallerClass::kUser || !habit.openings.is_within_record(habit.today + 1.0);
}

// Of the caller, before today.
std::uint32_t EstateHistory::days_on_vault(const AccessEvent& event) {
  const EdgeFacts edge =
      touches_[kVaultTouch].graph().edge(touch_caller(observed_.caller, kVaultTouch).key, vault_key(event), event.time);
  if (edge.touch != EdgeFacts::Touch::kKnown) { return 0; }
  const bool used_today = day_of(event.time.hour() - edge.hours_since_last) == event.time.day();
  return edge.visit_days - (used_today ? 1U : 0U);
}

EpisodeFacts EstateHistory::episode_facts(const Episode& episode, EpisodeKind kind, EventTime now) const {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  const auto at = static_cast<std::size_t>(kind);
  const ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
  const EpisodePopulation& population = known.episodes[at];
  const EpisodeHabit& habit = caller.episodes[at];
  const CountParent openings = EpisodeHabit::openings_parent(population.openings.parent());
  EpisodeFacts facts{.opened_ticks = episode.opened.ticks,
                     .reads = static_cast<double>(episode.reads),
                     .usual = habit.reads.mean(population.reads.parent(), 1),
                     .dispersion = habit.reads.dispersion(population.reads.parent(), 1),
                     .episodes_learned = habit.reads.windows,
                     .of_class = {population.reads.parent().mean, population.reads.parent().dispersion},
                     .fresh = {},
                     .openings_today = std::max(1.0, static_cast<double>(habit.today)),
                     .openings_usual = habit.openings.mean(openings, 1),
                     .openings_dispersion = habit.openings.dispersion(openings, 1),
                     .caller_days = touch_caller(observed_.caller).days_seen,
                     .denied_before = episode.denied_before,
                     .reverted = episode.reverted,
                     .new_vault = {},
                     .visits = {},
                     .by_principal = false};
  if (kind == EpisodeKind::kList) { facts.fresh = fresh_reads(episode, now); }
  if (habit.never_opened()) { facts.beginner_rate = population.beginners.per_day(); }
  for (const SurpriseLedger::Entry& entry : caller.new_vaults.day(now).most_surprising) {
    if (entry.vault != observed_.vault_hash) { continue; }
    const auto touch_by = touch_caller(observed_.caller);
    FirstTouch& touch = facts.new_vault.emplace();
    touch.surprise = entry.surprise;
    touch.rate = touches_[kVaultTouch].rate_of(touch_by, caller.habits[kVaultTouch]);
    touch.caller_is_new = !touch_by.never_new && touch_by.days_seen < touches_[kVaultTouch].known_days();
    touch.caller_days = touch_by.days_seen;
    touch.caller_things = static_cast<std::uint32_t>(
        touches_[kVaultTouch].graph().vaults_of(touch_by.key, vaults_.key(observed_.vault), now).size());
    touch.thing_callers = touches_[kVaultTouch].graph().callers_of(vaults_.key(observed_.vault));
    const VisitReads& visits = known.visits[touch.caller_is_new ? 1 : 0];
    facts.visits = {visits.with_at_least(episode.reads), visits.all()};
  }
  return facts;
}

std::optional<FreshReads> EstateHistory::fresh_reads(const Episode& episode, EventTime now) const {
  const CallerProfile& caller = caller_profiles_[observed_.caller];
  if (episode.vault_days == 0 || !caller.read_before.knows_all(now.day())) { return std::nullopt; }
  const ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
  const bool settled = episode.vault_days >= kVaultKnownDays;
  constexpr auto kList = static_cast<std::size_t>(EpisodeKind::kList);
  const CountParent& parent = settled ? known.fresh_reads.parent() : known.episodes[kList].reads.parent();
  const CountTail& own = settled ? caller.fresh_reads : caller.episodes[kList].reads;
  return FreshReads{.count = static_cast<double>(episode.fresh),
                    .of_caller = {own.mean(parent, 1), own.dispersion(parent, 1)},
                    .of_class = {parent.mean, parent.dispersion},
                    .episodes_learned = own.windows};
}

// ---- learn ----

void EstateHistory::learn(const AccessEvent& event, const Facts& facts, const LearningGuard& guard) {
  if (!facts.behaviour_known || facts.throttled) { return; }
  CallerProfile& caller = caller_profiles_[observed_.caller];
  const bool benign = !guard.first_touch_alerted;
  if (observed_.touches_vault) {
    const bool denied = event.outcome == Outcome::kDenied;
    const TouchKind kind = denied ? kDeniedTouch : kVaultTouch;
    const TableKey vault = denied ? TableKey(event.vault_id(), observed_.vault_hash) : vault_key(event);
    touches_[kind].learn(touch_caller(observed_.caller, kind), vault, event.time, observed_.vault_touch, benign,
                         caller.habits[kind]);
    if (observed_.vault_touch && observed_.vault_touch->tested) {
      (denied ? caller.denied_vaults : caller.new_vaults)
          .add(observed_.vault_hash, event.time, observed_.vault_touch->facts.surprise);
    }
    if (!denied) {
      caller.recent_vaults[caller.next_recent] = {observed_.vault_hash, hour_};
      caller.next_recent = (caller.next_recent + 1) % static_cast<std::uint32_t>(caller.recent_vaults.size());
    }
  }
  if (observed_.touches_client) {
    touches_[kClientTouch].learn(touch_caller(observed_.caller, kClientTouch), event.app_id(), event.time,
                                 observed_.client_touch, benign, caller.habits[kClientTouch]);
    touches_[kPairTouch].learn(touch_caller(observed_.caller, kPairTouch), scratch_, event.time, observed_.pair_touch,
                               benign, caller.habits[kPairTouch]);
  }
  if (observed_.touches_address) {
    touches_[kAddressTouch].learn(touch_caller(observed_.caller, kAddressTouch), facts.address_prefix, event.time,
                                  observed_.address_touch, benign, caller.habits[kAddressTouch]);
  }
  if (guard.caller_alerted && caller.visiting) { network_visits_.withhold(caller.owner); }
  caller.session_alerted = caller.session_alerted || guard.session_alerted;
  bool alerted = !benign || guard.session_alerted || guard.episode_alerted;
  for (Episode* episode : observed_.episodes) {
    if (episode == nullptr) { continue; }
    episode->alerted = episode->alerted || guard.episode_alerted;
    alerted = alerted || episode->alerted;
  }
  if (!observed_.lone_read || caller.read_before.renew(observed_.object, event.time.day(), !alerted)) { return; }
  add_object(observed_.caller, observed_.object, event.time.day(), !alerted);
}

void EstateHistory::learn_session(CallerProfile& caller) {
  const OperationMixWeights counts = caller.session.counts();
  if (!caller.session_alerted) { class_of(caller).mix.learn(counts); }
  caller.mix.learn(counts, caller.session_alerted);
  caller.session.clear();
  caller.session_alerted = false;
}

void EstateHistory::learn_episode(std::uint64_t owner, EpisodeKind kind, const Episode& episode) {
  if (episode.opener == Episodes::kNobody) { return; }
  CallerProfile& caller = caller_profiles_[episode.opener];
  if (caller.owner != owner) { return; }  // forgotten meanwhile
  if (kind == EpisodeKind::kList) { learn_reads(episode.opener, episode); }
  if (episode.alerted) { return; }
  const auto at = static_cast<std::size_t>(kind);
  PopulationCount& population = class_of(caller).episodes[at].reads;
  const double count = static_cast<double>(episode.reads) + 1;
  if (episode.visit != Visit::kNone) {
    class_of(caller).visits[episode.visit == Visit::kByNewcomer ? 1 : 0].learn(episode.reads);
  }
  population.learn(count, caller.episodes[at].reads);
  caller.episodes[at].reads.learn(count, population.parent(), 1);
}

void EstateHistory::learn_reads(std::uint32_t slot, const Episode& episode) {
  CallerProfile& caller = caller_profiles_[slot];
  const std::int64_t day = episode.opened.day();
  if (!episode.alerted && episode.vault_days >= kVaultKnownDays && caller.read_before.knows_all(day)) {
    PopulationCount& population = class_of(caller).fresh_reads;
    const double count = static_cast<double>(episode.fresh) + 1;
    population.learn(count, caller.fresh_reads);
    caller.fresh_reads.learn(count, population.parent(), 1);
  }
  for (const std::uint32_t object : episode.objects) {
    if (!caller.read_before.renew(object, day, !episode.alerted)) { add_object(slot, object, day, !episode.alerted); }
  }
}

void EstateHistory::add_object(std::uint32_t slot, std::uint32_t object, std::int64_t day, bool confirmed) {
  if (!callers_.is_in_use(slot)) { return; }
  CallerProfile& caller = caller_profiles_[slot];
  make_object_room(slot, caller.settled_reader, 1, day);
  std::size_t& kept = known_objects_.kept[caller.settled_reader ? 1 : 0];
  kept -= caller.read_before.size();
  caller.read_before.add(object, day, confirmed);
  kept += caller.read_before.size();
}

// Once a day: as the caller grows settled, so do its objects.
void EstateHistory::settle_objects(std::uint32_t slot, std::int64_t day) {
  CallerProfile& caller = caller_profiles_[slot];
  const bool settled = callers_.is_settled(slot);
  if (settled == caller.settled_reader) { return; }
  const std::size_t objects = caller.read_before.size();
  known_objects_.kept[settled ? 0 : 1] -= objects;
  make_object_room(slot, settled, objects, day);
  known_objects_.kept[settled ? 1 : 0] += objects;
  caller.settled_reader = settled;
}

// Like keys: three quarters are for callers that are settled, and what those do not use is for all.
void EstateHistory::make_object_room(std::uint32_t caller, bool settled, std::size_t wanted, std::int64_t day) {
  const auto& [fresh_kept, settled_kept] = known_objects_.kept;
  const std::size_t settled_room = settled_part(limits_.known_objects);
  if (settled && settled_kept + wanted > settled_room) { forget_idle_objects(caller, true, settled_room, wanted, day); }
  const std::size_t fresh_room = limits_.known_objects - std::min(settled_kept, limits_.known_objects);
  if (fresh_kept + wanted > fresh_room) { forget_idle_objects(caller, false, fresh_room, wanted, day); }
}

// An eighth at once: whoever fills the part pays for one walk over the callers in so many objects.
void EstateHistory::forget_idle_objects(std::uint32_t aside, bool settled, std::size_t room, std::size_t wanted,
                                        std::int64_t day) {
  const std::size_t& kept = known_objects_.kept[settled ? 1 : 0];
  const std::size_t left = room - std::min(room, std::max(wanted, room / 8));
  for (const std::uint32_t idle : callers_.last_seen_before(INT64_MAX)) {
    if (kept <= left) { return; }
    if (idle != aside && caller_profiles_.look(idle).settled_reader == settled) { forget_objects(idle, day); }
  }
}

void EstateHistory::forget_objects(std::uint32_t slot, std::int64_t day) {
  CallerProfile& caller = caller_profiles_[slot];
  const std::size_t kept = caller.read_before.size();
  if (kept == 0) { return; }
  known_objects_.kept[caller.settled_reader ? 1 : 0] -= kept;
  known_objects_.forgotten += kept;
  caller.read_before.forget_all(day);
}

// ---- closing ----

bool EstateHistory::advance(EventTime now) {
  const std::int64_t hour = now.hour();
  if (hour_ == INT64_MIN) { hour_ = hour; }
  if (hour <= hour_) { return false; }
  close_hour(hour);
  hour_ = hour;
  return true;
}

void EstateHistory::close_hour(std::int64_t next) {
  for (auto& [key, episode] : episodes_.take_over(EventTime{next * EventTime::kTicksPerHour})) {
    learn_episode(key.caller, key.kind, episode);
  }
  close_all(active_callers_.of_hour, caller_profiles_, [this](std::uint32_t slot) {
    CallerProfile& caller = caller_profiles_[slot];
    close_hour(caller, caller_parents_[static_cast<std::size_t>(caller.caller_class)], class_of(caller).volume,
               class_excess_[static_cast<std::size_t>(caller.caller_class)]);
  });
  close_all(active_vaults_.of_hour, vault_profiles_, [this](std::uint32_t slot) {
    close_hour(vault_profiles_[slot], vault_parents_, vault_population_, vault_excess_);
  });
  if (day_of(next) > day_of(hour_)) {
    close_all(active_callers_.of_day, caller_profiles_, [this](std::uint32_t slot) { close_day_of(slot); });
    close_all(active_vaults_.of_day, vault_profiles_, [this](std::uint32_t slot) {
      close_day(vault_profiles_[slot], vault_parents_, vault_population_, vault_excess_);
    });
  }
  for (FirstTouches& touches : touches_) { touches.close_hour(next); }
  network_visits_.close_hour(next, day_of(next) > day_of(hour_));
  close_populations();
  derive_parents();
  for (const std::string& vault : new_vaults_) {
    for (const std::uint64_t scope : scopes_of(vault)) {
      if (scope_vaults_.size() < limits_.vaults || scope_vaults_.contains(scope)) { ++scope_vaults_[scope]; }
    }
  }
  new_vaults_.clear();
}

// The class learns one hour and one day a member and day: else it would be made of those who never sleep.
template <typename Profile>
void EstateHistory::close_hour(Profile& profile, const VolumeParents& parents, VolumePopulation& population,
                               VolumeExcess& excess) {
  profile.volume.close(VolumeWindow::kHour, parents,
                       [&](std::size_t measure, std::size_t window, double count, const CountTail& usual) {
                         if (!profile.hour_told) { population[measure][window].learn(count, usual); }
                         learn_excess(excess[measure][window], count, usual);
                       });
  profile.hour_told = true;
}

template <typename Profile>
void EstateHistory::close_day(Profile& profile, const VolumeParents& parents, VolumePopulation& population,
                              VolumeExcess& excess) {
  profile.volume.close(VolumeWindow::kDay, parents,
                       [&](std::size_t measure, std::size_t window, double count, const CountTail& usual) {
                         population[measure][window].learn(count, usual);
                         learn_excess(excess[measure][window], count, usual);
                       });
  profile.hour_told = false;
}

void EstateHistory::close_day_of(std::uint32_t slot) {
  CallerProfile& caller = caller_profiles_[slot];
  ClassState& known = class_of(caller);
  close_day(caller, caller_parents_[static_cast<std::size_t>(caller.caller_class)], known.volume,
            class_excess_[static_cast<std::size_t>(caller.caller_class)]);
  // By the end of the day, not by the next event of anybody: what a vault counts must not depend on strangers.
  if (caller.session.is_over(EventTime{(day_of(hour_) + 1) * EventTime::kTicksPerDay})) { learn_session(caller); }
  caller.mix.close_day();
  network_visits_.close_day(visitor(slot));
  if (caller.habits[kVaultTouch].today > 0 && callers_.is_in_use(slot) &&
      callers_.days_seen(slot) <= touches_[kVaultTouch].known_days()) {
    newcomer_vaults_[static_cast<std::size_t>(caller.caller_class)].learn(caller.habits[kVaultTouch].today);
  }
  for (std::size_t kind = 0; kind < kTouchKinds; ++kind) {
    const bool newcomer = callers_.is_in_use(slot) && callers_.days_seen(slot) <= touches_[kind].known_days();
    touches_[kind].close_day(caller.caller_class, newcomer, caller.habits[kind]);
  }
  for (std::size_t kind = 0; kind < caller.episodes.size(); ++kind) {
    EpisodeHabit& habit = caller.episodes[kind];
    if (habit.never_opened()) { known.episodes[kind].beginners.learn(habit.today > 0); }
    const double openings = static_cast<double>(std::exchange(habit.today, 0)) + 1;
    known.episodes[kind].openings.learn(openings, habit.openings);
    habit.openings.learn(openings, EpisodeHabit::openings_parent(known.episodes[kind].openings.parent()), 1);
  }
  known.destruction.learn(static_cast<double>(caller.destruction.today) + 1, caller.destruction.days);
  caller.destruction.days.learn(static_cast<double>(caller.destruction.today) + 1, known.destruction.parent(), 1);
  caller.destruction.today = 0;
  if (caller.pace_today > 0) {
    known.pace.learn(caller.pace_today, caller.pace);
    caller.pace.learn(caller.pace_today, known.pace.parent(), 1);
    caller.pace_today = 0;
  }
}

EstateHistory::VolumePopulation EstateHistory::assumed_volume() {
  VolumePopulation assumed;
  for (auto& measures : assumed) { measures.fill(PopulationCount(kVolume)); }
  return assumed;
}

VolumeParents EstateHistory::parents_of(const VolumePopulation& population) {
  VolumeParents parents{};
  for (std::size_t measure = 0; measure < parents.size(); ++measure) {
    for (std::size_t window = 0; window < parents[measure].size(); ++window) {
      parents[measure][window] = population[measure][window].parent();
    }
  }
  return parents;
}

void EstateHistory::close_populations() {
  if (classes_are_frozen_) { return; }
  const auto close_volume = [](auto& volume) {
    for (auto& measures : volume) {
      for (auto& of_window : measures) { of_window.close_hour(); }
    }
  };
  for (ClassState& known : classes_) {
    close_volume(known.volume);
    known.mix.close_hour();
    known.destruction.close_hour();
    known.pace.close_hour();
    known.fresh_reads.close_hour();
    for (VisitReads& visits : known.visits) { visits.close_hour(); }
    for (EpisodePopulation& population : known.episodes) {
      population.reads.close_hour();
      population.openings.close_hour();
      population.beginners.close_hour();
    }
  }
  close_volume(vault_population_);
  for (PopulationCount& vaults : newcomer_vaults_) { vaults.close_hour(); }
  for (VolumeExcess& excess : class_excess_) { close_volume(excess); }
  close_volume(vault_excess_);
}

void EstateHistory::derive_parents() {
  for (std::size_t i = 0; i < classes_.size(); ++i) { caller_parents_[i] = parents_of(classes_[i].volume); }
  vault_parents_ = parents_of(vault_population_);
}

// ---- saving ----

void EstateHistory::save(SnapshotWriter& writer) const {
  callers_.save(writer);
  vaults_.save(writer);
  writer.write(caller_profiles_);
  writer.write(vault_profiles_);
  for (const FirstTouches& touches : touches_) { touches.save(writer); }
  writer.write(classes_);
  writer.write(vault_population_);
  episodes_.save(writer);
  scope_changes_.save(writer);
  writer.write(active_callers_);
  writer.write(active_vaults_);
  writer.write(hour_);
  writer.write(scope_vaults_);
  writer.write(new_vaults_);
  writer.write(known_objects_.forgotten);
  network_visits_.save(writer);
  writer.write(newcomer_vaults_);
  writer.write(class_excess_);
  writer.write(vault_excess_);
}

Result<void> EstateHistory::load(std::string_view bytes) {
  const EstateHistoryLimits limits = limits_;
  const Teams teams = teams_;
  const FirstPartyApps first_party = first_party_;
  *this = EstateHistory(limits, teams, first_party);
  SnapshotReader reader(bytes);
  bool whole =
      callers_.load(reader) && vaults_.load(reader) && reader.read(caller_profiles_) && reader.read(vault_profiles_);
  for (FirstTouches& touches : touches_) { whole = whole && touches.load(reader); }
  whole = whole && reader.read(classes_) && reader.read(vault_population_) && episodes_.load(reader) &&
          scope_changes_.load(reader) && reader.read(active_callers_) && reader.read(active_vaults_) &&
          reader.read(hour_) && reader.read(scope_vaults_) && reader.read(new_vaults_) &&
          reader.read(known_objects_.forgotten) &&
          (reader.at_end() || (network_visits_.load(reader) && reader.read(newcomer_vaults_) &&
                               reader.read(class_excess_) && reader.read(vault_excess_))) &&  // version 7 ends here
          reader.at_end() &&
          is_sound() && count_objects();
  if (whole) {
    for (std::uint32_t slot = 0; slot < caller_profiles_.size(); ++slot) {
      if (network_visits_.is_open(caller_profiles_.look(slot).owner)) { caller_profiles_[slot].visiting = true; }
    }
    derive_parents();
    return {};
  }
  *this = EstateHistory(limits, teams, first_party);
  return fail(ErrorKind::kInput,
              "state of the histories: expected what was saved, found damaged bytes; start without --state or from an "
              "older copy of the file");
}

bool EstateHistory::count_objects() {
  known_objects_.kept = {};
  for (const CallerProfile& caller : caller_profiles_) {
    known_objects_.kept[caller.settled_reader ? 1 : 0] += caller.read_before.size();
  }
  const auto [fresh, settled] = known_objects_.kept;
  return fresh + settled <= limits_.known_objects && settled <= settled_part(limits_.known_objects);
}

bool EstateHistory::is_sound() const {
  constexpr std::int64_t kAnyHour = std::int64_t{1} << 40;
  const auto callers = [this](const ActiveSlot& active) { return active.slot < caller_profiles_.size(); };
  const auto vaults = [this](const ActiveSlot& active) { return active.slot < vault_profiles_.size(); };
  const auto are_sound = [](const ActiveSlots& slots, const auto& sound) {
    return std::ranges::all_of(slots.of_hour, sound) && std::ranges::all_of(slots.of_day, sound);
  };
  const auto in_range = [](const CallerProfile& caller) {
    return static_cast<std::size_t>(caller.caller_class) < kCallerClassCount &&
           caller.next_recent < caller.recent_vaults.size() && caller.new_vaults.is_sound() &&
           caller.denied_vaults.is_sound() && caller.other_lists.size() <= kOtherLists &&
           caller.new_address.size() <= 1 && caller.read_before.is_sound();
  };
  return caller_profiles_.size() == callers_.slot_count() && vault_profiles_.size() == vaults_.slot_count() &&
         are_sound(active_callers_, callers) && are_sound(active_vaults_, vaults) &&
         std::ranges::all_of(caller_profiles_, in_range) && episodes_.is_sound(caller_profiles_.size()) &&
         (hour_ == INT64_MIN || (hour_ > -kAnyHour && hour_ < kAnyHour));
}

}  // namespace keyvigil
