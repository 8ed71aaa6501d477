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

namespace keyvigil::workload {

enum class AttackKind : std::uint8_t {
  kTorSuccess,
  kTorDenied,
  kTorChallenge,  // requests without a token only
  kSuspiciousSuccess,
  kSuspiciousDenied,
  kSuspiciousChallenge,
  kForeignDump,     // everything of a vault that the user never touched, from an address on no list
  kOwnDump,         // everything of the user's own vault
  kVaultDiscovery,  // lists on many vaults, all denied
  kPolicyThenRead,  // denied, access policy added for oneself, then reads
};
inline constexpr std::size_t kAttackKindCount = 10;

// "tor-success", ...: the words of --attacks and of the labels, in the order of the enumeration.
[[nodiscard]] const std::array<std::string_view, kAttackKindCount>& attack_names();
[[nodiscard]] std::string_view to_string(AttackKind kind);
[[nodiscard]] std::optional<AttackKind> find_attack(std::string_view name);

struct WorldOptions {
  std::uint64_t seed = 1;
  EventTime start{1'788'220'800LL * EventTime::kTicksPerSecond};  // 2026-09-01, a Tuesday
  int days = 30;
  PopulationSize size;
  std::uint64_t events = 0;
  std::vector<AttackKind> attacks;  // at least one campaign of each, in the second half of the days
  double attack_share = 0;          // of all events, roughly
};

// small 10 vaults, medium 80, large and bench 2,000 (bench: 4,000 apps, 3,000 users, 30 days).
[[nodiscard]] const std::array<std::string_view, 4>& world_size_names();
[[nodiscard]] std::optional<WorldOptions> world_of_size(std::string_view name);

// Plain text lists that match the planted attacks: documentation addresses only.
[[nodiscard]] std::string tor_list_text();
[[nodiscard]] std::string suspicious_list_text();

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
