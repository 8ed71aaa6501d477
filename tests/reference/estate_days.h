// Days of a small estate for tests: people and applications with habits, and now and then something else.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "event/access_event.h"
#include "reference/event_builder.h"

namespace keyvigil {

// Equal seeds give equal events. Ordered by time within a day; `oddities` per mille of the events are out of habit.
inline std::vector<AccessEvent> estate_days(std::uint32_t seed, int days, int events_per_day, unsigned oddities) {
  std::mt19937 random(seed);
  const auto below = [&random](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  const std::vector<std::string> people = {"alice", "bob", "carol", "dave"};
  const std::vector<std::string> apps = {"10000000-0000-4000-8000-000000000001",
                                         "10000000-0000-4000-8000-000000000002"};
  const std::vector<std::string> operations = {"SecretGet", "SecretGet", "SecretList", "KeyDecrypt"};
  const std::vector<std::string> odd_operations = {"SecretDelete", "VaultPut", "SecretBackup", "SecretSet"};
  std::vector<AccessEvent> events;
  const std::int64_t start = parse_iso_time("2026-03-01T00:00:00Z").value().ticks;
  for (int day = 0; day < days; ++day) {
    for (int i = 0; i < events_per_day; ++i) {
      const bool odd = below(1000) < oddities;
      const unsigned who = below(6);
      EventBuilder builder;
      if (who < people.size()) {
        builder.user(people[who]);
      } else {
        builder.app(apps[who - people.size()]);
      }
      builder.vault("kv-" + std::to_string(odd ? below(9) : who / 2));
      builder.operation(odd ? odd_operations[below(4)] : operations[below(4)]);
      builder.object("secrets/s" + std::to_string(below(odd ? 40 : 4)));
      builder.from(odd && below(2) == 0 ? "198.51.100." + std::to_string(below(250)) : "192.0.2.10");
      builder.status(odd && below(3) == 0 ? 403 : 200);
      builder.set(TextField::kCorrelationId, std::to_string(events.size()));
      const std::int64_t within = EventTime::kTicksPerDay / (events_per_day + 1) * (i + 1);
      events.push_back(builder.at(EventTime{start + day * EventTime::kTicksPerDay + within}).build());
    }
  }
  return events;
}

}  // namespace keyvigil
