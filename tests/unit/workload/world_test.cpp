#include "workload/world.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/hash.h"
#include "workload/render.h"
#include "workload/transport.h"
#include "workload/world_figures.h"

namespace keyvigil::workload {
namespace {

// A tenth of the bench world: the same shape, events in proportion.
WorldOptions scaled_bench(std::uint64_t seed) {
  WorldOptions options = *world_of_size("bench");
  options.seed = seed;
  options.size = {200, 400, 300};
  options.events = 90'000;
  return options;
}

WorldOptions small_with_attacks(std::uint64_t seed) {
  WorldOptions options = *world_of_size("small");
  options.seed = seed;
  for (std::size_t i = 0; i < kAttackKindCount; ++i) { options.attacks.push_back(static_cast<AttackKind>(i)); }
  options.attack_share = 0.02;
  return options;
}

std::string whole_stream(const WorldOptions& options) {
  World world(options);
  std::string out;
  Activity activity;
  while (world.next(activity)) {
    append_raw_record(out, activity);
    out += '\n';
  }
  return out;
}

TEST(World, SameSeedGivesTheSameBytes) {
  const std::string first = whole_stream(small_with_attacks(7));
  EXPECT_EQ(hash64(first), hash64(whole_stream(small_with_attacks(7))));
  EXPECT_NE(hash64(first), hash64(whole_stream(small_with_attacks(8))));
}

// A change of this value means that every recorded figure and demonstration changes: do it knowingly.
TEST(World, StreamIsTheSameOnEveryMachine) {
  EXPECT_EQ(hash64(whole_stream(small_with_attacks(7))), 15'685'401'932'006'164'317ULL);
}

// Services do their routine from addresses that the simulated service tags name.
TEST(World, ServicesComeFromAddressesOfMicrosoft) {
  World world(small_with_attacks(7));
  Activity activity;
  std::set<std::string> networks;
  while (world.next(activity)) {
    if (activity.caller.kind == CallerKind::kFirstParty) { networks.insert(activity.address.substr(0, 7)); }
  }
  EXPECT_EQ(networks, std::set<std::string>{"20.192."});
  EXPECT_NE(service_tags_text().find("20.192.0.0/16"), std::string::npos);
}

TEST(World, GrowsFromWeekToWeekAndHiresWhereAskedTo) {
  WorldOptions options = scaled_bench(5);
  options.drift = Drift::kGrowth;
  World world(options);
  Activity activity;
  std::uint64_t first_week = 0;
  std::uint64_t fourth_week = 0;
  while (world.next(activity)) {
    const std::int64_t day = (activity.time.ticks - options.start.ticks) / EventTime::kTicksPerDay;
    if (activity.caller.kind == CallerKind::kFirstParty) { continue; }
    first_week += day >= 1 && day < 8 ? 1U : 0U;
    fourth_week += day >= 22 && day < 29 ? 1U : 0U;
  }
  EXPECT_GT(static_cast<double>(fourth_week), 1.08 * static_cast<double>(first_week));
}

// Pairs of a person and a vault that are met for the first time in the last third of the days.
std::size_t late_pairs(Drift drift) {
  WorldOptions options = scaled_bench(6);
  options.drift = drift;
  World world(options);
  Activity activity;
  std::set<std::pair<std::string, std::string>> early;
  std::set<std::pair<std::string, std::string>> late;
  while (world.next(activity)) {
    if (activity.caller.kind != CallerKind::kUser) { continue; }
    const bool is_late = (activity.time.ticks - options.start.ticks) * 3 > options.days * EventTime::kTicksPerDay * 2;
    const std::pair pair(activity.caller.object_id, activity.vault.name);
    if (!is_late) { early.insert(pair); }
    if (is_late && !early.contains(pair)) { late.insert(pair); }
  }
  return late.size();
}

TEST(World, MovesPeopleToOtherTeamsWhereAskedTo) {
  EXPECT_GT(late_pairs(Drift::kReorganisation), late_pairs(Drift::kNone) * 5 / 4);
}

TEST(World, DriftHasNames) {
  for (std::size_t i = 0; i < kDriftCount; ++i) { EXPECT_EQ(find_drift(drift_names()[i]), static_cast<Drift>(i)); }
  EXPECT_EQ(find_drift("sideways"), std::nullopt);
}

TEST(World, ComesInTimeOrderWithinItsDays) {
  const WorldOptions options = small_with_attacks(3);
  World world(options);
  Activity activity;
  EventTime last = options.start;
  while (world.next(activity)) {
    ASSERT_LE(last, activity.time);
    last = activity.time;
  }
  EXPECT_LT(last.ticks, options.start.ticks + options.days * EventTime::kTicksPerDay);
  EXPECT_GT(last.ticks, options.start.ticks + (options.days - 1) * EventTime::kTicksPerDay);
}

TEST(World, HasTheShapeOfTheBenchWorld) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    World world(scaled_bench(seed));
    FigureCounter counter;
    Activity activity;
    std::string record;
    while (world.next(activity)) {
      record.clear();
      append_raw_record(record, activity);
      counter.add(activity, record.size() + 1);
    }
    const WorldFigures figures = counter.figures();
    EXPECT_NEAR(static_cast<double>(figures.events), 90'000, 9'000);
    EXPECT_GE(figures.days, 29.9);
    EXPECT_EQ(figures.vaults, 200U);
    EXPECT_LE(figures.first_edge_share, 0.01);
    EXPECT_NEAR(figures.challenge_share, 0.02, 0.01);
    EXPECT_GE(figures.mean_record_bytes, 1100);
    EXPECT_LE(figures.mean_record_bytes, 1300);
    EXPECT_GE(figures.busiest_share, 0.17);
    EXPECT_LE(figures.busiest_share, 0.75);
  }
}

TEST(World, CorrelationIdsAreUnique) {
  World world(*world_of_size("small"));
  std::set<std::string> seen;
  Activity activity;
  while (world.next(activity)) { ASSERT_TRUE(seen.insert(activity.correlation_id).second); }
}

TEST(World, PlantsEveryKindOfAttackFromTheRightAddresses) {
  World world(small_with_attacks(5));
  std::map<std::string, std::set<int>> statuses;
  Activity activity;
  while (world.next(activity)) {
    const std::string& kind = activity.attack.kind;
    const bool tor_address = activity.address.starts_with("203.0.113.");
    const bool stranger_address = activity.address.starts_with("198.51.100.2") && activity.address.size() == 14;
    const bool suspicious_address = activity.address.starts_with("198.51.100.") && !stranger_address;
    EXPECT_EQ(kind.starts_with("tor-"), tor_address) << kind;
    EXPECT_EQ(kind.starts_with("suspicious-"), suspicious_address) << kind;
    if (!kind.empty()) { statuses[kind].insert(activity.http_status); }
    if (tor_address) {
      EXPECT_NE(tor_list_text().find("\n" + activity.address + "\n"), std::string::npos) << activity.address;
    }
  }
  ASSERT_EQ(statuses.size(), kAttackKindCount);
  EXPECT_TRUE(statuses["tor-success"].contains(200));
  EXPECT_FALSE(statuses["tor-success"].contains(403));
  EXPECT_TRUE(statuses["tor-denied"].contains(403));
  EXPECT_FALSE(statuses["tor-denied"].contains(200));
  EXPECT_EQ(statuses["tor-challenge"], std::set<int>{401});
  EXPECT_EQ(statuses["suspicious-challenge"], std::set<int>{401});
  EXPECT_EQ(statuses["vault-discovery"], std::set<int>{403});
  EXPECT_TRUE(statuses["credential-sweep"].contains(403) && statuses["credential-sweep"].contains(200));
  EXPECT_TRUE(statuses["policy-then-read"].contains(403) && statuses["policy-then-read"].contains(200));
}

TEST(World, WithoutAttacksLeavesTheAttackersAddressesAlone) {
  World world(*world_of_size("small"));
  Activity activity;
  while (world.next(activity)) {
    ASSERT_TRUE(activity.attack.kind.empty());
    ASSERT_FALSE(activity.address.starts_with("203.0.113.") || activity.address.starts_with("198.51.100."));
  }
}

TEST(World, AttackNamesMatchBothWays) {
  for (std::size_t i = 0; i < kAttackKindCount; ++i) {
    const AttackKind kind = static_cast<AttackKind>(i);
    EXPECT_EQ(find_attack(to_string(kind)), kind);
  }
  EXPECT_EQ(find_attack("meteorite"), std::nullopt);
}

TEST(Transport, WithoutNoiseIsTheWorldItself) {
  World world(*world_of_size("small"));
  Transport transport(World(*world_of_size("small")), TransportOptions{});
  Activity activity;
  Delivery delivery;
  while (world.next(activity)) {
    ASSERT_TRUE(transport.next(delivery));
    ASSERT_EQ(delivery.activity.correlation_id, activity.correlation_id);
    ASSERT_EQ(delivery.arrived, activity.time);
  }
  EXPECT_FALSE(transport.next(delivery));
}

TEST(Transport, DelaysAndRepeatsAndLosesNothing) {
  Transport transport(World(*world_of_size("small")), TransportOptions{4, 0.05, 0.02});
  World world(*world_of_size("small"));
  std::map<std::string, int> wanted;
  Activity activity;
  while (world.next(activity)) { ++wanted[activity.correlation_id]; }
  Delivery delivery;
  EventTime last_arrival{INT64_MIN};
  EventTime last_time{INT64_MIN};
  std::uint64_t deliveries = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicates = 0;
  while (transport.next(delivery)) {
    ASSERT_LE(last_arrival, delivery.arrived);
    ASSERT_LE(delivery.activity.time, delivery.arrived);
    ASSERT_LE(delivery.arrived.ticks - delivery.activity.time.ticks, 2 * EventTime::kTicksPerHour);
    if (delivery.activity.time < last_time) { ++late; }
    last_time = std::max(last_time, delivery.activity.time);
    last_arrival = delivery.arrived;
    ++deliveries;
    if (delivery.duplicate) {
      ++duplicates;
    } else {
      wanted.erase(delivery.activity.correlation_id);
    }
  }
  EXPECT_TRUE(wanted.empty());
  const auto records = static_cast<double>(deliveries - duplicates);
  EXPECT_NEAR(static_cast<double>(duplicates) / records, 0.02, 0.006);
  EXPECT_GT(static_cast<double>(late) / records, 0.02);
}

TEST(Random, ExponentialHasMeanOne) {
  Random random(11);
  double sum = 0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) { sum += random.exponential(); }
  EXPECT_NEAR(sum / kDraws, 1.0, 0.01);
}

TEST(Random, BelowStaysBelow) {
  Random random(12);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) { ++counts.at(random.below(7)); }
  for (const int count : counts) { EXPECT_NEAR(count, 10'000, 500); }
}

}  // namespace
}  // namespace keyvigil::workload
