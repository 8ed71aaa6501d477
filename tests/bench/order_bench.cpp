// Order push + pop on a nearly sorted stream, and RecentOperations; ns per event = time / items.
#include "engine/order.h"

#include <benchmark/benchmark.h>

#include <random>

#include "history/recent_operations.h"
#include "reference/order_events.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kEvents = 1'000'000;

std::vector<AccessEvent> nearly_sorted(std::int64_t span_milliseconds) {
  std::mt19937 random(7);
  std::vector<AccessEvent> events;
  for (std::int64_t i = 0; i < kEvents; ++i) {
    const auto jitter = static_cast<std::int64_t>(random() % 60'000);
    events.push_back(
        reference::make_event({.milliseconds = 1'700'000'000'000 + i * span_milliseconds / kEvents - jitter,
                               .vault = static_cast<int>(random() % 2000),
                               .caller = static_cast<int>(random() % 5000),
                               .correlation = static_cast<int>(i + 1),
                               .operation = static_cast<int>(random() % 3)}));
  }
  return events;
}

// Argument: hours of event time that the million events cover.
void push_and_pop(benchmark::State& state) {
  const std::vector<AccessEvent> master = nearly_sorted(state.range(0) * 3600 * 1000);
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<AccessEvent> events = master;
    OrderOptions options;
    options.decided_limit = static_cast<std::size_t>(state.range(1));
    Order order(options);
    const InputId input = order.open_input(std::nullopt);
    AccessEvent out;
    Timeliness timeliness{};
    std::uint64_t released = 0;
    state.ResumeTiming();
    for (AccessEvent& event : events) {
      if (order.push(input, std::move(event)) == Arrival::kDisorder) { state.SkipWithError("disorder"); }
      while (order.pop(out, timeliness)) { ++released; }
    }
    order.finish();
    while (order.pop(out, timeliness)) { ++released; }
    if (released != master.size()) { state.SkipWithError("events were lost"); }
    state.PauseTiming();
    events = {};
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
}
BENCHMARK(push_and_pop)
    ->Args({1, 0})
    ->Args({24, 0})
    ->Args({24, 2'000'000})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);

// The events are few, so that they are in the cache, as they are in the engine's loop.
void learn(benchmark::State& state) {
  const std::vector<AccessEvent> all = nearly_sorted(std::int64_t{24} * 3600 * 1000);
  const std::vector<AccessEvent> events(all.begin(), all.begin() + 4096);
  RecentOperations recent;
  for (auto _ : state) {
    for (const AccessEvent& event : events) { recent.learn(event); }
    benchmark::DoNotOptimize(recent.vault_count());
  }
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(learn);

void hash(benchmark::State& state) {
  const AccessEvent event = reference::make_event({.milliseconds = 1, .correlation = 1});
  for (auto _ : state) { benchmark::DoNotOptimize(duplicate_hash(event)); }
}
BENCHMARK(hash);

}  // namespace
}  // namespace keyvigil

BENCHMARK_MAIN();
