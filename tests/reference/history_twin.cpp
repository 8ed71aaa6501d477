#include "reference/history_twin.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "event/access_scope.h"
#include "event/first_party.h"
#include "reference/raw_counts.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kDay = EventTime::kTicksPerDay;
constexpr std::int64_t kHour = EventTime::kTicksPerHour;
constexpr std::int64_t kMinute = EventTime::kTicksPerMinute;
constexpr int kList = 0;
constexpr int kPolicy = 1;

std::int64_t day_of(std::int64_t hour) {
  return EventTime{hour * kHour}.day();
}

bool answered(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation != kUnknownOperation;
}

bool is_read(const AccessEvent& event) {
  return answered(event) && operation_row(event.operation).credential_read;
}

bool is_list(const AccessEvent& event) {
  return answered(event) && operation_row(event.operation).credential_list;
}

bool is_key_use(const AccessEvent& event) {
  return answered(event) && operation_row(event.operation).private_key_use;
}

std::string object_of(const AccessEvent& event) {
  return event.object().empty() ? "" : std::string(event.vault_id()) + " " + std::string(event.object());
}

std::string prefix_of(const IpAddress& address) {
  return to_string(IpPrefix{.base = IpAddress::from_v4(address.v4() / 256 * 256), .length_bits = 120});
}

bool is_behaviour(const AccessEvent& event) {
  return event.outcome != Outcome::kChallenge && !event.caller_key().empty() && !event.vault_id().empty() &&
         event.operation_kind != OperationKind::kSystem && event.operation_kind != OperationKind::kAuthentication &&
         !FirstPartyApps().is_routine(event);
}

std::map<std::pair<int, int>, PopulationCount> assumed_volume() {
  std::map<std::pair<int, int>, PopulationCount> assumed;
  for (int measure = 0; measure < 3; ++measure) {
    for (int window = 0; window < 2; ++window) { assumed[{measure, window}] = PopulationCount(CountParent{10, 5}); }
  }
  return assumed;
}

}  // namespace

HistoryTwin::HistoryTwin() : vault_volume_(assumed_volume()) {
  touches_[kVault].known_days = 7;
  for (Class& known : classes_) { known.volume = assumed_volume(); }
}

// ---- hours and days ----

void HistoryTwin::close_volumes(Volumes& volumes, std::map<Window, PopulationCount>& population, bool hour, bool day) {
  const auto close = [&](int window, bool tell) {
    for (int measure = 0; measure < 3; ++measure) {
      Counter& counter = volumes.counters[{measure, window}];
      const double count = counter.count - counter.throttled;
      PopulationCount& of_class = population.at({measure, window});
      if (count > 0) {
        if (tell) { of_class.learn(count, counter.usual); }
        counter.usual.learn(count, of_class.parent(), 1);
      }
      counter.count = counter.throttled = 0;
    }
  };
  if (hour) {
    close(0, !volumes.hour_told);
    volumes.hour_told = true;
    volumes.objects_of_hour.clear();
  }
  if (day) {
    close(1, true);
    volumes.hour_told = false;
    volumes.objects_of_day.clear();
    volumes.objects_of_hour.clear();
  }
}

void HistoryTwin::advance(std::int64_t next) {
  if (hour_ == INT64_MIN) { hour_ = next; }
  if (next <= hour_) { return; }
  const std::int64_t today = day_of(hour_);
  const bool day_over = day_of(next) > today;
  for (auto& [name, caller] : callers_) {
    const bool active = day_over && caller.last_day == today;
    close_volumes(caller.volumes, class_of(caller).volume, caller.last_hour == hour_, active);
    if (!active) { continue; }
    if (!caller.session.empty() && (today + 1) * kDay - caller.session_last >= 15 * kMinute) { learn_session(caller); }
    caller.mix.close_day();
    for (Touches& touches : touches_) { touches.today[name] = 0; }
    caller.openings_today = {};
    caller.destruction_today = 0;
    if (caller.pace_today > 0) {
      class_of(caller).pace.learn(caller.pace_today, caller.pace);
      caller.pace.learn(caller.pace_today, class_of(caller).pace.parent(), 1);
      caller.pace_today = 0;
    }
  }
  for (auto& [name, vault] : vaults_) {
    close_volumes(vault.volumes, vault_volume_, vault.last_hour == hour_, day_over && vault.last_day == today);
  }
  for (Class& known : classes_) {
    for (auto& [window, population] : known.volume) { population.close_hour(); }
    known.mix.close_hour();
    known.pace.close_hour();
  }
  for (auto& [window, population] : vault_volume_) { population.close_hour(); }
  hour_ = next;
}

// ---- volumes ----

void HistoryTwin::count(Volumes& volumes, const std::map<Window, PopulationCount>& population, bool of_vault,
                        Window window, bool throttled, std::vector<VolumeFact>& facts) {
  Counter& counter = volumes.counters[window];
  if (counter.count == 0) {
    counter.next_check = static_cast<std::uint32_t>(std::max(4.0, std::floor(1.25 * counter.usual.largest) + 1));
  }
  ++counter.count;
  counter.throttled += throttled ? 1 : 0;
  if (counter.count < counter.next_check) { return; }
  counter.next_check = counter.count + std::max(1U, counter.count / 4);
  VolumeFact& fact = facts.emplace_back();
  fact.of_vault = of_vault;
  fact.measure = static_cast<VolumeMeasure>(window.first);
  fact.window = static_cast<VolumeWindow>(window.second);
  fact.count = counter.count;
  fact.usual = counter.usual.mean(population.at(window).parent(), 1) + 1;
  fact.largest = counter.usual.largest;
}

void HistoryTwin::count_all(Volumes& volumes, const std::map<Window, PopulationCount>& population, bool of_vault,
                            bool secret, const std::string& object, bool throttled, std::vector<VolumeFact>& facts) {
  const auto add = [&](int measure, int window) {
    count(volumes, population, of_vault, {measure, window}, throttled, facts);
  };
  add(0, 0);
  add(0, 1);
  if (!secret) { return; }
  add(1, 0);
  add(1, 1);
  if (object.empty()) { return; }
  if (volumes.objects_of_hour.insert(object).second) { add(2, 0); }
  if (volumes.objects_of_day.insert(object).second) { add(2, 1); }
}

// ---- first touches ----

std::uint32_t HistoryTwin::things_of(Kind near, const std::string& caller, const std::string& aside) const {
  const auto known = touches_[near].hours.find(caller);
  if (known == touches_[near].hours.end()) { return 0; }
  return static_cast<std::uint32_t>(known->second.size() - known->second.count(aside));
}

std::uint64_t HistoryTwin::callers_of(Kind near, const std::string& thing) const {
  std::uint64_t callers = 0;
  for (const auto& [caller, things] : touches_[near].hours) {
    const auto found = things.find(thing);
    callers += found != things.end() && found->second.front() < hour_ ? 1U : 0U;
  }
  return callers;
}

std::optional<FirstTouch> HistoryTwin::touch(Kind kind, Kind near, const std::string& caller, const std::string& thing,
                                             std::int64_t hour, bool& tested) const {
  const Touches& touches = touches_[kind];
  const auto known = touches.hours.find(caller);
  if (known != touches.hours.end() && known->second.contains(thing)) { return std::nullopt; }
  const auto days = static_cast<std::uint32_t>(callers_.at(caller).days.size() - 1);
  FirstTouch first;
  first.caller_is_new = days < static_cast<std::uint32_t>(touches.known_days);
  first.caller_days = days;
  first.caller_things = things_of(near, caller, thing);
  first.thing_callers = callers_of(near, thing);
  const auto today = touches.today.find(caller);
  first.today = 1 + static_cast<std::uint32_t>(today == touches.today.end() ? 0 : today->second);
  const auto first_day = touches_[near].first_day.find(thing);
  const std::int64_t age = first_day == touches_[near].first_day.end() ? 0 : day_of(hour) - first_day->second;
  tested = !first.caller_is_new || age >= 14;
  return first;
}

void HistoryTwin::learn_touch(Kind kind, const std::string& caller, const std::string& thing, std::int64_t hour,
                              bool first) {
  Touches& touches = touches_[kind];
  touches.hours[caller][thing].push_back(hour);
  touches.first_day.try_emplace(thing, day_of(hour));
  touches.today[caller] += first ? 1 : 0;
}

void HistoryTwin::observe_vault(const AccessEvent& event, Facts& facts) {
  const std::string name(event.caller_key());
  const std::string vault(event.vault_id());
  const std::int64_t hour = event.time.hour();
  const bool denied = event.outcome == Outcome::kDenied;
  if (!denied && event.outcome != Outcome::kSuccess) { return; }
  const Kind kind = denied ? kDenied : kVault;
  bool tested = false;
  std::optional<FirstTouch> first;
  const auto answered_before = touches_[kVault].hours.find(name);
  const bool known = answered_before != touches_[kVault].hours.end() && answered_before->second.contains(vault);
  if (!known) { first = touch(kind, kVault, name, vault, hour, tested); }
  new_vault_touch_ = first.has_value();
  std::vector<FirstTouchOf>& ledger = denied ? callers_[name].refused : callers_[name].answered;
  if (first && tested) {
    (denied ? facts.new_denied_vault : facts.new_vault) = first;
    const auto of_day = static_cast<std::uint64_t>(std::ranges::count_if(
        ledger, [&](const FirstTouchOf& other) { return other.hour > hour - 24 && other.thing != vault; }));
    if (of_day + 1 >= 3 && !(denied && first->caller_is_new)) {
      (denied ? facts.denied_vaults_day : facts.new_vaults_day) = DayOfFirstTouches{of_day + 1, 0, {}};
    }
  }
}

void HistoryTwin::observe_client(const AccessEvent& event, Facts& facts) {
  const std::string name(event.caller_key());
  const std::string app(event.app_id());
  const std::int64_t hour = event.time.hour();
  if (!callers_[name].user || event.outcome != Outcome::kSuccess || app.empty()) { return; }
  const std::string pair = app + "\n" + std::string(event.vault_id());
  bool client_tested = false;
  bool pair_tested = false;
  const auto client = touch(kClient, kClient, name, app, hour, client_tested);
  const auto both = touch(kPair, kPair, name, pair, hour, pair_tested);
  learn_touch(kClient, name, app, hour, client.has_value());
  learn_touch(kPair, name, pair, hour, both.has_value());
  if (new_vault_touch_ || callers_[name].days.size() - 1 < 3) { return; }
  if (client && client_tested) {
    facts.new_client = client;
  } else if (!client && both && pair_tested) {
    facts.new_client = both;
    facts.client_new_to_pair_only = true;
  }
  if (facts.new_client) { facts.new_client->today = 1; }
}

void HistoryTwin::observe_address(const AccessEvent& event, Facts& facts) {
  if (event.network_path != NetworkPath::kPublic || !is_global(event.address)) { return; }
  const std::string name(event.caller_key());
  Caller& caller = callers_[name];
  const std::string prefix = prefix_of(event.address);
  const std::int64_t hour = event.time.hour();
  bool tested = false;
  const bool unheard = !touches_[kAddress].first_day.contains(prefix);
  const auto first = touch(kAddress, kAddress, name, prefix, hour, tested);
  learn_touch(kAddress, name, prefix, hour, first.has_value());
  if (first) {
    caller.visit = Visit{prefix, event.time.ticks, first->today, first->caller_is_new && unheard};
    caller.new_networks.push_back(event.time.ticks);
  }
  const std::string object = is_read(event) ? object_of(event) : "";
  std::optional<NetworkVisit> before = visit_of(caller, prefix, event.time.ticks);
  caller.requests.push_back({event.time.ticks, prefix, object, is_list(event)});
  facts.network_visit = visit_of(caller, prefix, event.time.ticks);
  const bool adds = facts.network_visit && (first || before->reads != facts.network_visit->reads ||
                                            before->listed != facts.network_visit->listed);
  if (!adds) { facts.network_visit.reset(); }
  if (facts.network_visit) { facts.address_prefix = prefix; }
  if (first && tested) {
    caller.new_address =
        NewAddress{prefix, event.time.ticks, first->caller_is_new, first->caller_things, first->thing_callers};
  }
  if (!caller.new_address) { return; }
  if (caller.new_address->since <= event.time.ticks - kDay) {
    caller.new_address.reset();
    return;
  }
  if (caller.new_address->prefix != prefix) { return; }
  facts.address_prefix = prefix;
  FirstTouch& fact = facts.new_address.emplace();
  fact.caller_is_new = caller.new_address->caller_is_new;
  fact.caller_things = caller.new_address->things;
  fact.thing_callers = caller.new_address->callers;
}

std::optional<NetworkVisit> HistoryTwin::visit_of(const Caller& caller, const std::string& prefix, std::int64_t now) {
  if (!caller.visit || caller.visit->prefix != prefix || caller.visit->since <= now - kDay) { return std::nullopt; }
  const Visit& visit = *caller.visit;
  NetworkVisit fact;
  fact.since_ticks = visit.since;
  fact.networks_today = visit.networks_today;
  fact.first_today_ticks = visit.since;
  for (const std::int64_t at : caller.new_networks) {
    if (at / kDay == visit.since / kDay) { fact.first_today_ticks = std::min(fact.first_today_ticks, at); }
  }
  std::set<std::string> objects;
  for (const AddressRequest& request : caller.requests) {
    if (request.at < visit.since || request.prefix != prefix) { continue; }
    fact.listed = fact.listed || request.list;
    if (!request.object.empty()) { objects.insert(request.object); }
  }
  fact.reads = static_cast<double>(std::min<std::size_t>(objects.size(), 64));
  fact.newcomers_per_day = visit.newcomer_alone ? 1 : 0;
  return fact;
}

// ---- sessions ----

void HistoryTwin::learn_session(Caller& caller) {
  OperationMixWeights counts{};
  for (const OperationClass operation : caller.session) { counts[static_cast<std::size_t>(operation)] += 1; }
  class_of(caller).mix.learn(counts);
  caller.mix.learn(counts, false);
  caller.session.clear();
  caller.session_next_check = 3;
}

void HistoryTwin::observe_session(const AccessEvent& event, Facts& facts) {
  Caller& caller = callers_[std::string(event.caller_key())];
  const bool pause = event.time.ticks - caller.session_last >= 15 * kMinute;
  if (!caller.session.empty() && (pause || caller.session.size() >= 200)) { learn_session(caller); }
  const OperationClass operation = operation_class(event);
  if (operation == OperationClass::kDelete && event.outcome == Outcome::kSuccess && ++caller.destruction_today >= 2) {
    facts.destruction = DestructionFacts{.count = static_cast<double>(caller.destruction_today)};
  }
  const bool again = operation == OperationClass::kDenied && caller.denied_vault == event.vault_id() &&
                     caller.denied_at > event.time.ticks - 15 * kMinute;
  if (again) { return; }
  const bool rare = caller.mix.is_rare(operation);
  caller.session.push_back(operation);
  caller.session_last = event.time.ticks;
  const auto events = static_cast<std::uint32_t>(caller.session.size());
  if (events < caller.session_next_check) {
    if (!rare || events < 2) { return; }
  } else {
    caller.session_next_check += std::max(2U, caller.session_next_check / 2);
  }
  SessionFacts session;
  for (const OperationClass one : caller.session) { session.counts[static_cast<std::size_t>(one)] += 1; }
  session.events = events;
  session.self = caller.mix.weights(class_of(caller).mix.shares());
  double total = 0;
  for (const double weight : session.self) { total += weight; }
  for (std::size_t i = 0; i < session.counts.size(); ++i) {
    if (session.counts[i] > 0.5 + 2 * session.events * session.self[i] / total) { facts.session = session; }
  }
}

// ---- episodes ----

HistoryTwin::TwinEpisode* HistoryTwin::open_episode(const std::string& reader, const std::string& vault, int kind,
                                                    std::int64_t at) {
  const auto found = episodes_.find({reader, vault, kind});
  const std::int64_t span = kind == kList ? kHour : kDay;
  if (found == episodes_.end() || found->second.opened < at - span) { return nullptr; }
  return &found->second;
}

HistoryTwin::TwinEpisode& HistoryTwin::start_episode(const AccessEvent& event, const std::string& reader, int kind,
                                                     std::int64_t at) {
  const std::string vault(event.vault_id());
  const std::string name(event.caller_key());
  if (TwinEpisode* open = open_episode(reader, vault, kind, event.time.ticks); open != nullptr) {
    const bool after_a_pause = kind == kList && at - open->last >= 15 * kMinute;
    if (!after_a_pause) {
      open->last = std::max(open->last, at);
      return *open;
    }
  }
  TwinEpisode& episode = episodes_[{reader, vault, kind}];
  Caller& caller = callers_[name];
  if (kind == kList) {  // it is over; nobody asks for its objects before
    caller.read_before.insert(episode.objects.begin(), episode.objects.end());
  }
  episode = TwinEpisode{};
  episode.opened = at;
  episode.last = at;
  const auto used = touches_[kVault].hours.find(name);
  if (used != touches_[kVault].hours.end() && used->second.contains(vault)) {
    std::set<std::int64_t> days;
    for (const std::int64_t hour : used->second.at(vault)) { days.insert(day_of(hour)); }
    episode.days_before = days.size() - days.count(event.time.day());
  }
  if (reader == name) { ++caller.openings_today[static_cast<std::size_t>(kind)]; }
  episode.denied_before = caller.denied_vault == vault && caller.denied_at > at - kHour;
  return episode;
}

namespace {

// Whether the read is to be looked at: each distinct object, or those that bring the episode to a check point: 1, 2, 3,
// 4, 6, 9, ... reads.
template <typename Episode>
bool add_read(Episode& episode, const std::string& object, std::int64_t at, bool each) {
  episode.last = at;
  if (episode.objects.size() >= 64 || !episode.objects.insert(object).second) { return false; }
  const auto reads = static_cast<std::uint32_t>(episode.objects.size());
  if (reads == 1) { episode.first_read = at; }
  if (reads < episode.next_check) { return each; }
  episode.next_check += std::max(1U, reads / 2);
  return true;
}

}  // namespace

EpisodeFacts HistoryTwin::facts_of(const TwinEpisode& episode, int kind, const AccessEvent& event) {
  const std::string name(event.caller_key());
  const std::string vault(event.vault_id());
  const Caller& caller = callers_[name];
  EpisodeFacts facts;
  facts.opened_ticks = episode.opened;
  facts.reads = static_cast<double>(episode.objects.size());
  facts.openings_today = std::max(1.0, static_cast<double>(caller.openings_today[static_cast<std::size_t>(kind)]));
  facts.denied_before = episode.denied_before;
  facts.reverted = episode.reverted;
  if (kind == kList && episode.days_before > 0) {
    facts.fresh.emplace().count = static_cast<double>(episode.fresh.size());
  }
  for (const FirstTouchOf& touch : caller.answered) {
    if (touch.thing != vault || touch.hour <= event.time.hour() - 24) { continue; }
    FirstTouch& first = facts.new_vault.emplace();
    first.caller_days = static_cast<std::uint32_t>(caller.days.size() - 1);
    first.caller_is_new = first.caller_days < 7;
    first.caller_things = things_of(kVault, name, vault);
    first.thing_callers = callers_of(kVault, vault);
  }
  return facts;
}

void HistoryTwin::observe_episodes(const AccessEvent& event, Facts& facts) {
  const std::string name(event.caller_key());
  Caller& caller = callers_[name];
  if (event.outcome == Outcome::kDenied) {
    caller.denied_vault = event.vault_id();
    caller.denied_at = event.time.ticks;
    return;
  }
  if (event.outcome != Outcome::kSuccess) { return; }
  const std::string touched = is_read(event) || is_key_use(event) ? object_of(event) : "";
  // What a list episode counted is known once it is over and its hour is closed.
  const auto before = episodes_.find({name, std::string(event.vault_id()), kList});
  const bool over = before != episodes_.end() && before->second.opened + kHour < event.time.hour() * kHour;
  const bool read_before =
      touched.empty() || caller.read_before.contains(touched) || (over && before->second.objects.contains(touched));
  if (is_list(event)) {
    start_episode(event, name, kList, event.time.ticks);
  } else if (event.operation_name() == "CertificateList" || event.operation_name() == "KeyList") {
    caller.other_lists[std::string(event.vault_id())] = event.time.ticks;
  } else if (is_read(event)) {
    const auto other = caller.other_lists.find(std::string(event.vault_id()));
    if (other != caller.other_lists.end()) {
      const std::int64_t listed = other->second;
      caller.other_lists.erase(other);
      const bool young = listed >= event.time.ticks - kHour;
      if (young && open_episode(name, std::string(event.vault_id()), kList, event.time.ticks) == nullptr) {
        start_episode(event, name, kList, listed);
      }
    }
    TwinEpisode* episode = open_episode(name, std::string(event.vault_id()), kList, event.time.ticks);
    const std::string object = object_of(event);
    const bool counted = episode != nullptr && episode->objects.size() < 64;
    if (counted && !object.empty() && !caller.read_before.contains(object)) { episode->fresh.insert(object); }
    if (episode != nullptr && !object.empty() && add_read(*episode, object, event.time.ticks, caller.user)) {
      facts.list_episode = facts_of(*episode, kList, event);
    }
    if (!counted && !object.empty()) { caller.read_before.insert(object); }
  }
  observe_policy(event, read_before, facts);
}

void HistoryTwin::observe_policy(const AccessEvent& event, bool read_before, Facts& facts) {
  const std::string name(event.caller_key());
  const std::string vault_name(event.vault_id());
  Vault& vault = vaults_[vault_name];
  const std::string_view operation = event.operation_name();
  const bool differs = learn_settings(vault, event);
  const bool silent = event.rbac_authorization == TriState::kAbsent && event.get(TextField::kNetworkAcls).empty();
  const bool put_again = operation == "VaultPut" && silent && vault.days.size() > 1;
  const bool change =
      event.operation_kind == OperationKind::kPolicy && (event.policy_marks != 0 || differs || put_again);
  if (!change && !is_read(event) && !is_list(event)) { return; }
  TwinEpisode* episode = open_episode(name, vault_name, kPolicy, event.time.ticks);
  bool by_principal = false;
  if (episode == nullptr && !event.object_id().empty()) {
    episode = open_episode(std::string(event.object_id()), vault_name, kPolicy, event.time.ticks);
    by_principal = episode != nullptr && event.object_id() != name;
  }
  for (const std::string& who : {name, std::string(event.object_id()), std::string(event.user_name())}) {
    const std::optional<std::int64_t> changed = scope_change(who, vault_name, event.time.ticks, read_before);
    if (episode != nullptr || who.empty() || !changed) { continue; }
    episode = &episodes_[{who, vault_name, kPolicy}];
    *episode = TwinEpisode{};
    episode->opened = episode->last = *changed;
    const Caller& caller = callers_[name];
    episode->denied_before =
        caller.denied_vault == vault_name && caller.denied_at < *changed && caller.denied_at > *changed - kHour;
    by_principal = who == event.object_id() && who != name;
  }
  if (change) {
    const bool undone = episode != nullptr && !episode->objects.empty() && !episode->reverted &&
                        episode->first_read > event.time.ticks - kHour;
    start_episode(event, name, kPolicy, event.time.ticks);
    const std::string principal(event.get(TextField::kPolicyPrincipal));
    if (!principal.empty() && principal != name) { start_episode(event, principal, kPolicy, event.time.ticks); }
    if (!undone) { return; }
    episode->reverted = true;
  } else {
    const std::string object = event.object().empty() ? vault_name + " " + std::string(operation) : object_of(event);
    if (episode == nullptr || !add_read(*episode, object, event.time.ticks, false)) { return; }
  }
  facts.policy_episode = facts_of(*episode, kPolicy, event);
  facts.policy_episode->by_principal = by_principal;
}

// ---- settings and the Activity Log ----

// Whether a part that was told before is another one now.
bool HistoryTwin::learn_settings(Vault& vault, const AccessEvent& event) {
  std::map<std::string, std::string> told;
  if (event.rbac_authorization != TriState::kAbsent) {
    told["rbac"] = event.rbac_authorization == TriState::kTrue ? "on" : "off";
  }
  std::istringstream parts(std::string(event.get(TextField::kNetworkAcls)));
  for (std::string part; std::getline(parts, part, ';');) {
    const std::size_t sign = part.find('=');
    if (sign + 1 < part.size()) { told[part.substr(0, sign)] = part.substr(sign + 1); }
  }
  bool differs = false;
  for (const auto& [name, value] : told) {
    const auto known = vault.settings.find(name);
    differs = differs || (known != vault.settings.end() && known->second != value);
    vault.settings[name] = value;
  }
  return differs;
}

// The newest within a day; a change that is made again within a day is the first one.
std::optional<std::int64_t> HistoryTwin::scope_change(const std::string& who, const std::string& vault, std::int64_t at,
                                                      bool of_vault_alone) const {
  std::optional<std::int64_t> newest;
  for (const ScopeChange& change : scope_changes_) {
    if (change.who == who && change.at >= at - kDay && covers(change.scope, vault) &&
        (change.scope == vault || !of_vault_alone)) {
      newest = change.at;
    }
  }
  return newest;
}

bool HistoryTwin::add_scope_change(const std::string& who, const std::string& scope, std::int64_t at) {
  for (const ScopeChange& change : scope_changes_) {
    if (change.who == who && change.scope == scope && change.at > at - kDay) { return false; }
  }
  scope_changes_.push_back({who, scope, at});
  return true;
}

void HistoryTwin::observe_scope_change(const AccessEvent& event, Facts& facts) {
  const std::string request(event.correlation_id());
  std::string principal(event.get(TextField::kPolicyPrincipal));
  if (event.outcome != Outcome::kSuccess) {
    if (!request.empty() && !principal.empty()) { begun_[request] = {event.time.ticks, principal}; }
    return;
  }
  const auto vault = vaults_.find(std::string(event.vault_id()));
  const bool differs = vault != vaults_.end() && learn_settings(vault->second, event);
  if (event.policy_marks == 0 && !differs) { return; }
  const auto begun = begun_.find(request);
  if (principal.empty() && begun != begun_.end() && begun->second.first >= event.time.ticks - kDay) {
    principal = begun->second.second;
  }
  const std::string name(event.caller_key());
  Caller& caller = callers_[name];
  if (caller.days.empty()) { caller.user = event.caller_kind == CallerKind::kUser; }
  facts.behaviour_known = true;
  facts.caller_class = caller.user ? CallerClass::kUser : CallerClass::kApp;
  facts.caller_first_today = caller.days.insert(event.time.day()).second;
  caller.last_day = event.time.day();
  const std::string scope(event.vault_id());
  if (add_scope_change(name, scope, event.time.ticks)) { ++caller.openings_today[kPolicy]; }
  if (!principal.empty()) { add_scope_change(principal, scope, event.time.ticks); }
}

// ---- one event ----

std::string HistoryTwin::observe(const AccessEvent& event) {
  Facts facts;
  facts.clear();
  advance(event.time.hour());
  if (is_of_activity_log(event)) {
    observe_scope_change(event, facts);
    return raw_counts(facts);
  }
  if (!is_behaviour(event)) { return raw_counts(facts); }
  const std::string name(event.caller_key());
  const std::string vault_name(event.vault_id());
  const std::int64_t today = event.time.day();
  Caller& caller = callers_[name];
  if (caller.days.empty()) { caller.user = event.caller_kind == CallerKind::kUser; }
  Vault& vault = vaults_[vault_name];
  facts.behaviour_known = true;
  facts.throttled = event.outcome == Outcome::kThrottled;
  facts.caller_class = caller.user ? CallerClass::kUser : CallerClass::kApp;
  facts.caller_first_today = caller.days.insert(today).second;
  facts.vault_first_today = vault.days.insert(today).second;
  caller.last_day = vault.last_day = today;
  caller.last_hour = vault.last_hour = event.time.hour();

  const bool secret = is_read(event) || is_key_use(event);
  const std::string object = secret ? object_of(event) : "";
  count_all(caller.volumes, class_of(caller).volume, false, secret, object, facts.throttled, facts.volumes);
  count_all(vault.volumes, vault_volume_, true, secret, object, facts.throttled, facts.volumes);
  if (!object.empty() && caller.user) {
    std::erase_if(caller.paced,
                  [&](const auto& read) { return read.second == object || read.first <= event.time.ticks - kMinute; });
    if (caller.paced.size() >= 32) { caller.paced.erase(caller.paced.begin()); }
    caller.paced.emplace_back(event.time.ticks, object);
    const auto distinct = static_cast<std::uint32_t>(caller.paced.size());
    if (distinct > caller.pace_today) {
      caller.pace_today = distinct;
      if (distinct >= 5 && distinct > 1.25 * caller.pace.largest) {
        VolumeFact& fact = facts.volumes.emplace_back();
        fact.measure = VolumeMeasure::kDistinctObjects;
        fact.window = VolumeWindow::kMinute;
        fact.count = distinct;
        fact.largest = caller.pace.largest;
      }
    }
  }
  if (facts.throttled) { return raw_counts(facts); }
  new_vault_touch_ = false;
  observe_vault(event, facts);
  observe_client(event, facts);
  observe_address(event, facts);
  observe_session(event, facts);
  observe_episodes(event, facts);

  // Learn the vault last: what is asked meanwhile is as before the event.
  const std::int64_t hour = event.time.hour();
  if (event.outcome == Outcome::kSuccess) {
    learn_touch(kVault, name, vault_name, hour, new_vault_touch_);
    if (facts.new_vault) { caller.answered.push_back({vault_name, hour}); }
  } else if (event.outcome == Outcome::kDenied) {
    learn_touch(kDenied, name, vault_name, hour, new_vault_touch_);
    if (facts.new_denied_vault) { caller.refused.push_back({vault_name, hour}); }
  }
  return raw_counts(facts);
}

}  // namespace keyvigil
