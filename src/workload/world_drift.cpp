// What changes over the weeks of an estate: none of it is an attack, all of it is new to whoever learned the estate
// before. Who is concerned follows from the seed and the index, so that a world without drift stays what it is.
#include <algorithm>

#include "base/hash.h"
#include "workload/world_state.h"

namespace keyvigil::workload {
namespace {

constexpr double kGrowthPerWeek = 0.05;      // of everybody's traffic
constexpr double kHiresPerWeek = 2.0 / 120;  // of all people
constexpr double kReorganisedAt = 0.6;       // of the days
constexpr std::uint64_t kMovesOneOf = 5;     // people
constexpr std::int64_t kHandoverDays = 14;   // over which the old vaults give way to the new ones
constexpr double kDaysPerWeek = 7;

}  // namespace

const std::array<std::string_view, kDriftCount>& drift_names() {
  static constexpr std::array<std::string_view, kDriftCount> kNames = {"none", "growth", "reorganisation", "all"};
  return kNames;
}

std::optional<Drift> find_drift(std::string_view name) {
  const auto found = std::ranges::find(drift_names(), name);
  if (found == drift_names().end()) { return std::nullopt; }
  return static_cast<Drift>(found - drift_names().begin());
}

bool World::State::grows() const {
  return options.drift == Drift::kGrowth || options.drift == Drift::kAll;
}

bool World::State::reorganises() const {
  return options.drift == Drift::kReorganisation || options.drift == Drift::kAll;
}

double World::State::growth_at(EventTime time) const {
  if (!grows()) { return 1; }
  const double days = ticks_since_start(time) / EventTime::kTicksPerDay;
  return 1 + kGrowthPerWeek * days / kDaysPerWeek;
}

EventTime World::State::hired_at(std::uint32_t user) const {
  if (!grows()) { return options.start; }
  const double weeks = options.days / kDaysPerWeek;
  const std::uint64_t draw = mix64(options.seed ^ (std::uint64_t{user} * 0x9E3779B97F4A7C15ULL + 1));
  if (Random::unit_of(draw) >= kHiresPerWeek * weeks) { return options.start; }
  return EventTime{options.start.ticks + static_cast<std::int64_t>(Random::unit_of(mix64(draw)) * span_ticks())};
}

// Whoever moves takes over the work of a colleague elsewhere, more of it from day to day.
const UserProfile& World::State::work_of(std::uint32_t user, EventTime time) const {
  const UserProfile& own = population.users[user];
  if (!reorganises() || mix64(options.seed ^ (std::uint64_t{user} + 0x6D6F7665ULL)) % kMovesOneOf != 0) { return own; }
  const double since = ticks_since_start(time) - kReorganisedAt * span_ticks();
  const double share = since / static_cast<double>(kHandoverDays * EventTime::kTicksPerDay);
  if (Random::unit_of(mix64(options.seed ^ static_cast<std::uint64_t>(time.ticks))) >= share) { return own; }
  const std::size_t people = population.users.size();
  return population.users[(user + people / 2) % people];
}

// On one day all applications of a team turn from the vault that they use to another one of the team.
std::uint32_t World::State::vault_after_migration(std::uint32_t vault, EventTime time) const {
  if (!reorganises()) { return vault; }
  const double since = ticks_since_start(time) - kReorganisedAt * span_ticks();
  const std::uint32_t migrating = population.vaults[mix64(options.seed + 5) % population.vaults.size()].team;
  if (since < 0 || population.vaults[vault].team != migrating) { return vault; }
  const auto vaults = static_cast<std::uint32_t>(population.vaults.size());
  std::uint32_t next = vault;
  do { next = (next + 1) % vaults; } while (population.vaults[next].team != migrating);
  return next;
}

}  // namespace keyvigil::workload
