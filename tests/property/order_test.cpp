// Laws of engine/order.h, judged by reference/order_twin.h.
#include "engine/order.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "reference/order_events.h"
#include "reference/order_twin.h"

namespace keyvigil {
namespace {

using reference::make_event;
using reference::SmallEvent;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kStart = 1'700'000'000'000;

std::string folder() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen == nullptr ? "/tmp" : chosen;
}

struct Feed {
  std::vector<std::vector<SmallEvent>> inputs;
};

// Events over a few hours; those of one input in order but for less than the lateness; with duplicates.
Feed make_feed() {
  Feed feed;
  const int inputs = *rc::gen::inRange(1, 5);
  feed.inputs.resize(static_cast<std::size_t>(inputs));
  const int count = *rc::gen::inRange(0, 150);
  const int span = *rc::gen::element(5, 300, 4 * 3600 * 1000);
  std::vector<SmallEvent> all;
  for (int i = 0; i < count; ++i) {
    if (!all.empty() && *rc::gen::inRange(0, 4) == 0) {  // near-duplicate of an earlier one
      SmallEvent copy = all[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(all.size())))];
      copy.correlation = *rc::gen::inRange(0, 3);
      copy.client = *rc::gen::inRange(0, 2);
      all.push_back(copy);
      continue;
    }
    all.push_back(SmallEvent{kStart + *rc::gen::inRange(0, span), *rc::gen::inRange(0, 3), *rc::gen::inRange(0, 2),
                             *rc::gen::inRange(0, 3), *rc::gen::inRange(0, 5), *rc::gen::inRange(0, 2)});
  }
  for (const SmallEvent& event : all) {
    feed.inputs[static_cast<std::size_t>(*rc::gen::inRange(0, inputs))].push_back(event);
  }
  for (std::vector<SmallEvent>& input : feed.inputs) {
    std::vector<std::pair<std::int64_t, SmallEvent>> shifted;
    for (const SmallEvent& event : input) {
      shifted.emplace_back(event.milliseconds + *rc::gen::inRange<std::int64_t>(0, 15 * kMinute), event);
    }
    std::stable_sort(shifted.begin(), shifted.end(), [](const auto& l, const auto& r) { return l.first < r.first; });
    for (std::size_t i = 0; i < input.size(); ++i) { input[i] = shifted[i].second; }
  }
  return feed;
}

std::vector<std::string> twin_of(const Feed& feed) {
  std::vector<AccessEvent> all;
  for (const auto& input : feed.inputs) {
    for (const SmallEvent& event : input) { all.push_back(make_event(event)); }
  }
  std::vector<std::string> lines;
  for (const AccessEvent& event : reference::ordered_without_duplicates(std::move(all))) {
    lines.push_back(reference::describe(event));
  }
  return lines;
}

void pop_all(Order& order, std::vector<std::string>& lines) {
  AccessEvent event;
  Timeliness timeliness{};
  while (order.pop(event, timeliness)) {
    RC_ASSERT(timeliness == Timeliness::kInTime);
    lines.push_back(reference::describe(event));
  }
  RC_ASSERT(!order.failure().has_value());
}

OrderOptions tiny(OrderMode mode, std::size_t memory) {
  OrderOptions options;
  options.mode = mode;
  options.memory_limit_events = memory;
  options.spill_directory = folder();
  return options;
}

// Any interleaving, popping at any time; with `restarts`, saving and loading now and then.
std::vector<std::string> run(const Feed& feed, const OrderOptions& options, bool restarts, std::size_t& most_buffered,
                             std::uint64_t& duplicates) {
  auto order = std::make_unique<Order>(options);
  std::vector<std::string> lines;
  std::vector<InputId> ids;
  std::vector<std::size_t> taken(feed.inputs.size());
  for (std::size_t i = 0; i < feed.inputs.size(); ++i) { ids.push_back(order->open_input(std::nullopt)); }
  std::vector<std::size_t> open(feed.inputs.size());
  for (std::size_t i = 0; i < open.size(); ++i) { open[i] = i; }
  while (!open.empty()) {
    const auto pick = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(open.size())));
    const std::size_t input = open[pick];
    if (taken[input] == feed.inputs[input].size()) {
      order->close_input(ids[input]);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
    } else {
      const Arrival arrival = order->push(ids[input], make_event(feed.inputs[input][taken[input]++]));
      RC_ASSERT(arrival == Arrival::kAccepted || arrival == Arrival::kParked);
    }
    most_buffered = std::max(most_buffered, order->buffered_in_memory());
    if (*rc::gen::inRange(0, 3) == 0) { pop_all(*order, lines); }
    if (restarts && *rc::gen::inRange(0, 10) == 0) {
      const auto saved = order->save();
      RC_ASSERT(saved.has_value());
      order = std::make_unique<Order>(options);
      RC_ASSERT(order->load(*saved).has_value());
      const auto again = order->save();
      RC_ASSERT(again.has_value());
    }
  }
  order->finish();
  pop_all(*order, lines);
  RC_ASSERT(order->held() == 0U);
  duplicates = order->counts().duplicates;
  RC_ASSERT(order->counts().released == lines.size());
  return lines;
}

std::size_t size_of(const Feed& feed) {
  std::size_t size = 0;
  for (const auto& input : feed.inputs) { size += input.size(); }
  return size;
}

RC_GTEST_PROP(Order, GivesTheTwinsSequenceForAnyInterleavingAndAnyTimeOfAsking, ()) {
  const Feed feed = make_feed();
  const OrderMode mode = *rc::gen::element(OrderMode::kFiles, OrderMode::kStream);
  std::size_t most = 0;
  std::uint64_t duplicates = 0;
  const auto lines = run(feed, tiny(mode, 1000), false, most, duplicates);
  RC_ASSERT(lines == twin_of(feed));
  RC_ASSERT(lines.size() + duplicates == size_of(feed));
}

RC_GTEST_PROP(Order, StaysWithinItsMemoryBySpillingAndLosesNothing, ()) {
  const Feed feed = make_feed();
  const auto memory = static_cast<std::size_t>(*rc::gen::inRange(2, 20));
  std::size_t most = 0;
  std::uint64_t duplicates = 0;
  const auto lines = run(feed, tiny(OrderMode::kFiles, memory), false, most, duplicates);
  RC_ASSERT(lines == twin_of(feed));
  RC_ASSERT(lines.size() + duplicates == size_of(feed));
  RC_ASSERT(most < memory + 100);  // one push may settle a whole parking place
}

RC_GTEST_PROP(Order, GoesOnFromSavedStateAsIfItHadNotStopped, ()) {
  const Feed feed = make_feed();
  const OrderMode mode = *rc::gen::element(OrderMode::kFiles, OrderMode::kStream);
  const std::size_t memory = *rc::gen::element<std::size_t>(4, 1000);
  std::size_t most = 0;
  std::uint64_t duplicates = 0;
  const auto lines = run(feed, tiny(mode, memory), true, most, duplicates);
  RC_ASSERT(lines == twin_of(feed));
}

RC_GTEST_PROP(Order, DecidesEveryEventOnceOverTwoRunsWithState, ()) {
  // The second run reads everything again, as overlapping exports do.
  const Feed feed = make_feed();
  std::vector<std::string> lines;
  std::string state;
  for (const bool last : {false, true}) {
    Order order(tiny(OrderMode::kFiles, 1000));
    if (last) { RC_ASSERT(order.load(state).has_value()); }
    std::vector<InputId> ids;
    for (std::size_t i = 0; i < feed.inputs.size(); ++i) { ids.push_back(order.open_input(std::nullopt)); }
    for (std::size_t i = 0; i < feed.inputs.size(); ++i) {
      for (const SmallEvent& event : feed.inputs[i]) { static_cast<void>(order.push(ids[i], make_event(event))); }
      order.close_input(ids[i]);
    }
    RC_ASSERT(!order.disorder());
    if (last) {
      order.finish();
    } else {
      order.hold(order.final_watermark());
    }
    pop_all(order, lines);
    state = *order.save();
  }
  RC_ASSERT(lines == twin_of(feed));
}

RC_GTEST_PROP(Order, RefusesSavedStateThatWasCut, ()) {
  const Feed feed = make_feed();
  Order order(tiny(OrderMode::kStream, 1000));
  const InputId input = order.open_input(std::nullopt);
  for (const SmallEvent& event : feed.inputs[0]) { static_cast<void>(order.push(input, make_event(event))); }
  const std::string saved = *order.save();
  const auto cut = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(saved.size())));
  Order other(tiny(OrderMode::kStream, 1000));
  RC_ASSERT(!other.load(std::string_view(saved).substr(0, cut)).has_value());
}

}  // namespace
}  // namespace keyvigil
