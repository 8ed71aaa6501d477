#include "workload/world_state.h"

#include <algorithm>
#include <array>

namespace keyvigil::workload {
namespace {

constexpr std::int64_t kMillisecond = EventTime::kTicksPerMillisecond;

}  // namespace

void World::State::take_app(std::uint32_t index, EventTime time) {
  const AppProfile& app = population.apps[index];
  Planned event;
  event.time = time;
  event.caller = index;
  event.who = Who::kApp;
  event.address = app.host_bits + static_cast<std::uint32_t>(random.below(app.replicas));
  event.vault = vault_after_migration(app.vaults[random.below(app.vaults.size())], time);
  const bool first_run = app_started[index] == 0;
  if (first_run) {
    app_started[index] = 1;
    plan_first_run(app, event);
  } else {
    plan_app_session(app, event);
  }
  const double interval = app_interval_ticks[index] / growth_at(time);
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
  event.vault = vault_for_session(work_of(index, time));
  event.address = random.chance(0.85) ? user.office_address : user.home_address;
  const std::uint64_t draw = random.below(100);
  if (draw < 65) {
    event.client = Client::kPortal;
    plan_portal_session(event);
  } else {
    event.client = draw < 90 ? Client::kCli : Client::kPowerShell;
    plan_tool_session(event);
  }
  add_turn(next_in_rhythm(time, user_interval_ticks[index] * office.mean / growth_at(time), office),
           first_user() + index);
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
      plan_list(event, 200, 900);
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

void World::State::plan_list(Planned& event, std::int64_t low_milliseconds, std::int64_t high_milliseconds) {
  event.step = Step::kSecretList;
  plan(event);
  pause(event, low_milliseconds, high_milliseconds);
}

// Challenge, list, then everything: what configuration providers and backup jobs do.
void World::State::plan_load(Planned& event, Step read) {
  plan_challenge(event);
  plan_list(event, 40, 200);
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

}  // namespace keyvigil::workload
