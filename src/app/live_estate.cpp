#include "app/live_estate.h"

#include <algorithm>
#include <utility>

namespace keyvigil {
namespace {

constexpr std::int64_t kMillisecondsPerMinute = 60'000;

OrderOptions order_options(const LiveSettings& settings, const WaitingRoom& room) {
  OrderOptions options;
  options.mode = OrderMode::kStream;
  options.lateness_milliseconds = settings.lateness_minutes * kMillisecondsPerMinute;
  options.spill_directory = room.folder;
  options.memory_limit_events = room.memory_events;
  return options;
}

EngineOptions engine_options(const LiveSettings& settings) {
  EngineOptions options;
  options.alerts_per_thousand_vault_days = settings.alerts_per_thousand_vault_days;
  options.learning_days = settings.learning_days;
  options.teams = settings.teams;
  options.first_party_apps = settings.first_party_apps;
  return options;
}

}  // namespace

LiveEstate::LiveEstate(const LiveSettings& settings, const AddressBook& book, WaitingRoom room)
    : room_(std::move(room)), lateness_milliseconds_(settings.lateness_minutes * kMillisecondsPerMinute), book_(&book) {
  order_.emplace(order_options(settings, room_));
  engine_.emplace(book, engine_options(settings));
}

Result<void> LiveEstate::remake(const LiveSettings& settings, const AddressBook& book) {
  const std::string engine = engine_->save();
  engine_.emplace(book, engine_options(settings));
  book_ = &book;
  if (auto loaded = engine_->load(engine); !loaded) { return loaded; }
  const std::int64_t lateness = settings.lateness_minutes * kMillisecondsPerMinute;
  if (std::exchange(lateness_milliseconds_, lateness) == lateness) { return {}; }
  auto order = order_->save();
  if (!order) { return tl::unexpected(order.error()); }
  order_.emplace(order_options(settings, room_));
  return order_->load(*order);
}

Result<void> LiveEstate::push(InputId id, AccessEvent&& event, std::int64_t received_ticks) {
  const std::int64_t ticks = event.time.ticks;
  const Arrival arrival = order_->push(id, std::move(event));
  if (arrival == Arrival::kFailed) { return tl::unexpected(order_->failure().value()); }
  if (arrival == Arrival::kAccepted && ticks >= counts_.newest_event_ticks) {
    counts_.newest_event_ticks = ticks;
    counts_.newest_received_ticks = received_ticks;
  }
  return {};
}

void LiveEstate::advance(EventTime to) {
  // An input that says nothing but the time: the floor follows it where no other one holds it back.
  const InputId clock = order_->open_input(to);
  static_cast<void>(order_->most_behind());
  order_->close_input(clock);
  counts_.ticked_to_ticks = std::max(counts_.ticked_to_ticks, to.ticks);
  ticked_ = true;
}

Result<void> LiveEstate::decide_ready(LiveOutcome& outcome) {
  std::vector<LiveRevision>& revisions = outcome.revisions;
  Timeliness timeliness = Timeliness::kInTime;
  while (order_->pop(event_, timeliness)) {
    const bool from_backfill = event_.place.input != 0;
    engine_->decide(event_, timeliness, decision_);
    callers_.see(event_);
    rhythm_.see(event_);
    const Facts& facts = engine_->facts();
    if (decision_.address.tor || decision_.address.suspicious || has_something_to_say(facts)) {
      detector_times_.see({event_, decision_.address, facts});
    }
    if (outcome.keep_events) { outcome.events.add(event_); }
    ++counts_.decided;
    counts_.decided_to_ticks = std::max(counts_.decided_to_ticks, event_.time.ticks);
    repeats_.advance(event_.time, closed_);
    if (!closed_.empty()) { hand_out_closed(from_backfill, revisions); }
    repeats_.observe(event_, decision_, *book_, &revised_);
    for (const AlertType type : repeats_.opened_types()) { ++counts_.raised[static_cast<std::size_t>(type)]; }
    if (!revised_.empty()) { hand_out_revised(from_backfill, revisions); }
  }
  if (order_->failure()) { return tl::unexpected(*order_->failure()); }
  if (std::exchange(ticked_, false)) {
    const std::int64_t lateness_ticks = lateness_milliseconds_ * EventTime::kTicksPerMillisecond;
    repeats_.advance(EventTime{counts_.ticked_to_ticks - lateness_ticks}, closed_);
    hand_out_closed(false, revisions);
  }
  return {};
}

Result<void> LiveEstate::finish(LiveOutcome& outcome) {
  order_->finish();
  if (auto decided = decide_ready(outcome); !decided) { return decided; }
  repeats_.finish(closed_);
  hand_out_closed(false, outcome.revisions);
  return {};
}

void LiveEstate::hand_out_closed(bool from_backfill, std::vector<LiveRevision>& revisions) {
  for (Alert& alert : closed_) { revisions.push_back({std::move(alert), from_backfill}); }
  closed_.clear();
}

void LiveEstate::hand_out_revised(bool from_backfill, std::vector<LiveRevision>& revisions) {
  for (Alert& alert : revised_) { revisions.push_back({std::move(alert), from_backfill}); }
  revised_.clear();
}

void LiveEstate::save_counts(SnapshotWriter& writer) const {
  writer.write(counts_);
  writer.write(callers_);
  writer.write(rhythm_);
}

Result<void> LiveEstate::load(const EstateSections& sections) {
  if (auto loaded = order_->load(sections.order); !loaded) { return loaded; }
  if (auto loaded = engine_->load(sections.engine); !loaded) { return loaded; }
  SnapshotReader repeats(sections.repeats);
  SnapshotReader counts(sections.counts);
  const auto read_counts = [&] {
    if (sections.counts.empty()) { return true; }
    if (!counts.read(counts_) || !counts.read(callers_)) { return false; }
    return counts.at_end() || (counts.read(rhythm_) && counts.at_end());  // earlier versions knew no rhythm
  };
  const bool whole = repeats_.load(repeats) && repeats.at_end() && read_counts();
  if (whole) { return {}; }
  return fail(ErrorKind::kInput,
              "expected open alerts and counts in the saved state, found damaged bytes; restore a copy of it");
}

}  // namespace keyvigil
