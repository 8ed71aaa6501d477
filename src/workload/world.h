// World: an estate at work, as a stream of activities in time order.
//
// Shape: detection-method notes on populations and traffic (pollers, start-up loaders, pipelines, key users, rotation,
// backup, first-party inventory, people in office hours, refusals and misses), with planted, labelled attacks. Memory
// depends on the population only, never on the length of the stream. Equal options give equal streams on every machine.
// `events` sets how busy the estate is; the stream ends after `days`, so the count comes out near it. Threads: one
// owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workload/activity.h"
#include "workload/population.h"
#include "workload/truth.h"

namespace keyvigil::workload {

// What changes in the estate over the weeks (detection-method notes 5.1), harmlessly.
enum class Drift : std::uint8_t {
  kNone,
  kGrowth,          // everybody does 5 % more from week to week, and people are hired
  kReorganisation,  // after three fifths of the days a fifth of the people change teams within two weeks, and the
                    // applications of one team move to another vault on one day
  kAll,
};
inline constexpr std::size_t kDriftCount = 4;
[[nodiscard]] const std::array<std::string_view, kDriftCount>& drift_names();
[[nodiscard]] std::optional<Drift> find_drift(std::string_view name);

struct WorldOptions {
  std::uint64_t seed = 1;
  EventTime start{1'788'220'800LL * EventTime::kTicksPerSecond};  // 2026-09-01, a Tuesday
  int days = 30;
  PopulationSize size;
  std::uint64_t events = 0;
  std::vector<AttackKind> attacks;  // a campaign of each, per strength and class of caller, in the second half
  std::vector<Strength> strengths = {Strength::kHuman};
  bool twins = false;       // beside each campaign, the nearest harmless thing
  double attack_share = 0;  // of all events, roughly
  Drift drift = Drift::kNone;
};

// small 10 vaults, medium 80, large and bench 2,000 (bench: 4,000 apps, 3,000 users, 30 days), huge 50,000.
[[nodiscard]] const std::array<std::string_view, 5>& world_size_names();
[[nodiscard]] std::optional<WorldOptions> world_of_size(std::string_view name);

// Plain text lists that match the planted attacks: documentation addresses only.
[[nodiscard]] std::string tor_list_text();
[[nodiscard]] std::string suspicious_list_text();
// The service-tags file of this world: where its applications run. The shape of Azure's own, one tag.
[[nodiscard]] std::string service_tags_text();

class World {
 public:
  // REQUIRES: days > 0, every size > 0, events > 0.
  explicit World(const WorldOptions& options);
  ~World();
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;

  // False at the end; then `activity` is unspecified.
  [[nodiscard]] bool next(Activity& activity);
  [[nodiscard]] const Population& population() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyvigil::workload
