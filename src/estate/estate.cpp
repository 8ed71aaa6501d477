#include "estate/estate.h"

#include <utility>

namespace keyvigil {

Estate::Estate(const AddressBook& book, EstateOptions options)
    : options_(std::move(options)), book_(&book), repeats_(RepeatsLimits{}, options_.input_names) {
  order_.emplace(options_.order);
  engine_.emplace(book, options_.engine);
}

Result<void> Estate::remake(const AddressBook& book, EstateOptions options) {
  const std::int64_t lateness_before = options_.order.lateness_milliseconds;
  options_ = std::move(options);
  const std::string engine = engine_->save();
  engine_.emplace(book, options_.engine);
  book_ = &book;
  if (auto loaded = engine_->load(engine); !loaded) { return loaded; }
  if (options_.order.lateness_milliseconds == lateness_before) { return {}; }
  auto order = order_->save();
  if (!order) { return tl::unexpected(order.error()); }
  order_.emplace(options_.order);
  return order_->load(*order);
}

Result<Arrival> Estate::push(InputId id, AccessEvent&& event) {
  const Arrival arrival = order_->push(id, std::move(event));
  if (arrival == Arrival::kFailed) { return tl::unexpected(order_->failure().value()); }
  return arrival;
}

void Estate::advance(EventTime to) {
  order_->advance(to);
  advanced_to_ = to;
}

// ---- deciding ----

Result<void> Estate::decide_ready(const EstateReceiver& receiver) {
  std::size_t next = 0;
  std::size_t waiting = 0;
  for (bool more = true;;) {
    while (more && waiting < ready_.size()) {
      Ready& last = ready_[(next + waiting) % ready_.size()];
      more = order_->pop(last.event, last.timeliness);
      if (!more) { break; }
      engine_->prefetch_far(last.event);
      ++waiting;
    }
    if (waiting == 0) { break; }
    if (waiting > Engine::kNearAhead) {
      engine_->prefetch_near(ready_[(next + Engine::kNearAhead) % ready_.size()].event);
    }
    if (auto decided = decide(ready_[next], receiver); !decided) { return decided; }
    next = (next + 1) % ready_.size();
    --waiting;
  }
  if (order_->failure()) { return tl::unexpected(*order_->failure()); }
  if (const auto to = std::exchange(advanced_to_, std::nullopt)) {
    const std::int64_t lateness_ticks = options_.order.lateness_milliseconds * EventTime::kTicksPerMillisecond;
    repeats_.advance(EventTime{to->ticks - lateness_ticks}, closed_);
    return hand_out(closed_, nullptr, receiver);
  }
  return {};
}

Result<void> Estate::decide(const Ready& ready, const EstateReceiver& receiver) {
  const AccessEvent& event = ready.event;
  engine_->decide(event, ready.timeliness, decision_);
  repeats_.advance(event.time, closed_);
  if (auto handed_out = hand_out(closed_, &event, receiver); !handed_out) { return handed_out; }
  DecidedEvent decided{.event = event, .decision = decision_, .reported = is_reported(event.time)};
  if (decided.reported) {
    repeats_.observe(event, decision_, *book_, options_.tell_open ? &revised_ : nullptr);
    decided.opened = repeats_.opened_types();
  } else {
    repeats_.remember(event, decision_);
  }
  receiver.decided(decided);
  return hand_out(revised_, &event, receiver);
}

bool Estate::is_reported(EventTime time) const {
  return (!options_.report_from || time >= *options_.report_from) &&
         (!options_.report_until || time < *options_.report_until);
}

Result<void> Estate::hand_out(std::vector<Alert>& alerts, const AccessEvent* cause,
                              const EstateReceiver& receiver) const {
  for (Alert& alert : alerts) {
    if (auto received = receiver.revised(std::move(alert), cause); !received) { return received; }
  }
  alerts.clear();
  return {};
}

Result<void> Estate::decide_rest(const EstateReceiver& receiver) {
  order_->finish();
  return decide_ready(receiver);
}

Result<void> Estate::decide_all_but_youngest(const EstateReceiver& receiver) {
  order_->hold(order_->final_watermark());
  return decide_ready(receiver);
}

Result<void> Estate::close_alerts(const EstateReceiver& receiver) {
  repeats_.finish(closed_);
  return hand_out(closed_, nullptr, receiver);
}

// ---- what outlives a run ----

Result<void> Estate::load(const EstateSections& sections) {
  if (auto loaded = order_->load(sections.order); !loaded) { return loaded; }
  if (auto loaded = engine_->load(sections.engine); !loaded) { return loaded; }
  SnapshotReader repeats(sections.repeats);
  if (repeats_.load(repeats) && repeats.at_end()) { return {}; }
  return fail(
      ErrorKind::kInput,
      "expected open alerts in the saved state, found damaged bytes; restore a copy of it, or begin without it");
}

Result<Checkpoint> Estate::save() const {
  Checkpoint checkpoint;
  auto order = order_->save();
  if (!order) { return tl::unexpected(order.error()); }
  checkpoint.sections[kOrderSection] = *std::move(order);
  checkpoint.sections[kEngineSection] = engine_->save();
  SnapshotWriter repeats;
  repeats_.save(repeats);
  checkpoint.sections[kRepeatsSection] = repeats.bytes();
  return checkpoint;
}

}  // namespace keyvigil
