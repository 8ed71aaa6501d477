#include "workload/world_state.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace keyvigil::workload {
namespace {

// Percent of the peak rate by hour of a working day; the weekend keeps a fraction.
constexpr std::array<int, 24> kOfficeHours = {6,  6,   6,   6,   6,   6,  35, 35, 70, 100, 100, 100,
                                              85, 100, 100, 100, 100, 80, 35, 35, 20, 6,   6,   6};
constexpr int kOfficeWeekendPercent = 8;
constexpr std::array<int, 24> kPipelineHours = {2,   2,   2,   2,   2,   2,   10, 50, 100, 100, 100, 100,
                                                100, 100, 100, 100, 100, 100, 80, 40, 20,  10,  2,   2};
constexpr int kPipelineWeekendPercent = 5;

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

constexpr double kInventoryShare = 0.06;
constexpr double kHumanShare = 0.05;
constexpr double kHumanSessionEvents = 4.1;
constexpr double kLateAppShare = 0.04;

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

Rhythm office_rhythm() {
  return make_rhythm(kOfficeHours, kOfficeWeekendPercent);
}

Rhythm pipeline_rhythm() {
  return make_rhythm(kPipelineHours, kPipelineWeekendPercent);
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
    add_turn(next_in_rhythm(hired_at(i), user_interval_ticks[i] * office.mean, office), first_user() + i);
  }
  for (std::uint32_t i = 0; i < population.services.size(); ++i) {
    add_turn(EventTime{options.start.ticks + std::int64_t{i + 1} * 37 * EventTime::kTicksPerMinute},
             first_service() + i);
  }
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

}  // namespace keyvigil::workload
