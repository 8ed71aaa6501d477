#include "workload/world_state.h"

#include <algorithm>
#include <array>

namespace keyvigil::workload {
namespace {

// What somebody does now and then has been done before: two rounds in the first days of the stream.
constexpr std::array<std::int64_t, 2> kEarlierRoundDays = {3, 10};
constexpr std::int64_t kRoundSpread = 8 * EventTime::kTicksPerHour;

}  // namespace

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
  plan_list(event, 200, 3000);
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
  plan_list(event, 200, 3000);
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

}  // namespace keyvigil::workload
