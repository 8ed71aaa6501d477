#include "serve/live_estate.h"

#include <algorithm>
#include <utility>

namespace keyvigil {
namespace {

constexpr std::int64_t kMillisecondsPerMinute = 60'000;
// In Place::input, which outlives the waiting for an event's turn: the journal's entry tells its input.
constexpr std::uint32_t kComesAsItHappens = 0;
constexpr std::uint32_t kComesWithBackfill = 1;

EstateOptions estate_options(const LiveSettings& settings, const WaitingRoom& room) {
  EstateOptions options;
  options.order.mode = OrderMode::kStream;
  options.order.lateness_milliseconds = settings.lateness_minutes * kMillisecondsPerMinute;
  options.order.spill_directory = room.folder;
  options.order.memory_limit_events = room.memory_events;
  options.engine.alerts_per_thousand_vault_days = settings.alerts_per_thousand_vault_days;
  options.engine.learning_days = settings.learning_days;
  options.engine.teams = settings.teams;
  options.engine.first_party_apps = settings.first_party_apps;
  options.tell_open = true;
  return options;
}

}  // namespace

LiveEstate::LiveEstate(const LiveSettings& settings, const AddressBook& book, WaitingRoom room)
    : room_(std::move(room)), estate_(book, estate_options(settings, room_)) {}

Result<void> LiveEstate::remake(const LiveSettings& settings, const AddressBook& book) {
  return estate_.remake(book, estate_options(settings, room_));
}

Result<void> LiveEstate::push(InputId id, AccessEvent&& event, bool backfill, std::int64_t received_ticks) {
  const std::int64_t ticks = event.time.ticks;
  event.place.input = backfill ? kComesWithBackfill : kComesAsItHappens;
  const auto arrival = estate_.push(id, std::move(event));
  if (!arrival) { return tl::unexpected(arrival.error()); }
  if (*arrival == Arrival::kAccepted && ticks >= counts_.newest_event_ticks) {
    counts_.newest_event_ticks = ticks;
    counts_.newest_received_ticks = received_ticks;
  }
  return {};
}

void LiveEstate::advance(EventTime to) {
  counts_.ticked_to_ticks = std::max(counts_.ticked_to_ticks, to.ticks);
  estate_.advance(EventTime{counts_.ticked_to_ticks});
}

EstateReceiver LiveEstate::receiver_of(LiveOutcome& outcome) {
  return {.decided =
              [this, &outcome](const DecidedEvent& decided) {
                if (outcome.keep_events) { outcome.events.add(decided.event); }
                see(decided);
              },
          .revised = [&outcome](Alert&& alert, const AccessEvent* cause) -> Result<void> {
            const bool from_backfill = cause != nullptr && cause->place.input == kComesWithBackfill;
            outcome.revisions.push_back({std::move(alert), from_backfill});
            return {};
          }};
}

void LiveEstate::see(const DecidedEvent& decided) {
  const AccessEvent& event = decided.event;
  callers_.see(event);
  rhythm_.see(event);
  const Facts& facts = engine().facts();
  const AddressFacts& address = decided.decision.address;
  if (address.tor || address.suspicious || has_something_to_say(facts)) {
    detector_times_.see({event, address, facts});
  }
  ++counts_.decided;
  counts_.decided_to_ticks = std::max(counts_.decided_to_ticks, event.time.ticks);
  for (const AlertType type : decided.opened) { ++counts_.raised[static_cast<std::size_t>(type)]; }
}

Result<void> LiveEstate::decide_ready(LiveOutcome& outcome) {
  return estate_.decide_ready(receiver_of(outcome));
}

Result<void> LiveEstate::finish(LiveOutcome& outcome) {
  const EstateReceiver receiver = receiver_of(outcome);
  if (auto decided = estate_.decide_rest(receiver); !decided) { return decided; }
  return estate_.close_alerts(receiver);
}

void LiveEstate::save_counts(SnapshotWriter& writer) const {
  writer.write(counts_);
  writer.write(callers_);
  writer.write(rhythm_);
}

Result<void> LiveEstate::load(const EstateSections& sections, std::string_view counts) {
  if (auto loaded = estate_.load(sections); !loaded || counts.empty()) { return loaded; }
  SnapshotReader reader(counts);
  const bool whole = reader.read(counts_) && reader.read(callers_) &&
                     (reader.at_end() || (reader.read(rhythm_) && reader.at_end()));  // earlier versions knew no rhythm
  if (whole) { return {}; }
  return fail(ErrorKind::kInput, "expected counts in the saved state, found damaged bytes; restore a copy of it");
}

}  // namespace keyvigil
