// LiveEstate: an estate while the service runs: what it has brought and the store does not hold yet, and what is
// counted and watched beside the deciding.
//
// Everything but DetectorTimes is a function of the calls and their order. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "base/snapshot.h"
#include "config/live_settings.h"
#include "estate/estate.h"
#include "intel/address_book.h"
#include "serve/caller_addresses.h"
#include "serve/detector_times.h"
#include "serve/vault_rhythm.h"
#include "store/event_archive.h"

namespace keyvigil {

// A revision of an alert, as it stood after the event that made it.
struct LiveRevision {
  Alert alert;
  bool from_backfill = false;  // the event that made it came with backfill
};

// What deciding has brought and the store does not hold yet.
struct LiveOutcome {
  std::vector<LiveRevision> revisions;
  bool keep_events = true;
  EventBlocks events;  // decided ones
};

// Where events wait for their turn.
struct WaitingRoom {
  std::string folder = "/tmp";  // for those beyond:
  std::size_t memory_events = OrderOptions().memory_limit_events;
};

struct EstateCounts {
  std::uint64_t decided = 0;
  std::array<std::uint64_t, kAlertTypeCount> raised{};
  std::int64_t decided_to_ticks = INT64_MIN;       // event time of the newest decided event
  std::int64_t newest_event_ticks = INT64_MIN;     // accepted, decided or not
  std::int64_t newest_received_ticks = INT64_MIN;  // wall clock at which it was received
  std::int64_t ticked_to_ticks = INT64_MIN;        // event time of the last advance()
  auto fields() {
    return std::tie(decided, raised, decided_to_ticks, newest_event_ticks, newest_received_ticks, ticked_to_ticks);
  }
};

class LiveEstate {
 public:
  // The book must outlive the estate, or the next remake().
  LiveEstate(const LiveSettings& settings, const AddressBook& book, WaitingRoom room);

  // Other settings, other lists: what was learned stays.
  [[nodiscard]] Result<void> remake(const LiveSettings& settings, const AddressBook& book);

  // `not_before`: see Order::open_input.
  [[nodiscard]] InputId open_input(std::optional<EventTime> not_before) { return estate_.open_input(not_before); }
  void idle_input(InputId id) { estate_.idle_input(id); }
  void close_input(InputId id) { estate_.close_input(id); }
  // `received_ticks`: wall clock. `backfill`: an event of the past that is loaded.
  [[nodiscard]] Result<void> push(InputId id, AccessEvent&& event, bool backfill, std::int64_t received_ticks);
  // Time has moved to `to` though nothing came.
  void advance(EventTime to);
  // Decides what is final; adds to the outcome.
  [[nodiscard]] Result<void> decide_ready(LiveOutcome& outcome);
  // Decides everything and closes every alert: the estate is given up.
  [[nodiscard]] Result<void> finish(LiveOutcome& outcome);

  // The sections of a checkpoint; engine and open alerts save themselves.
  [[nodiscard]] Result<void> save_order(SnapshotWriter& writer) const { return order().save(writer); }
  void save_counts(SnapshotWriter& writer) const;
  // Into a fresh estate: see Estate::load(). `counts` may be empty: the state of another command.
  [[nodiscard]] Result<void> load(const EstateSections& sections, std::string_view counts);

  // As Order::make_room().
  [[nodiscard]] bool make_room() { return estate_.make_room(); }

  [[nodiscard]] const Order& order() const { return estate_.order(); }
  [[nodiscard]] const Engine& engine() const { return estate_.engine(); }
  [[nodiscard]] const Repeats& repeats() const { return estate_.repeats(); }
  [[nodiscard]] const EstateCounts& counts() const { return counts_; }
  [[nodiscard]] const CallerAddresses& callers() const { return callers_; }
  [[nodiscard]] const VaultRhythm& rhythm() const { return rhythm_; }
  [[nodiscard]] const DetectorTimes& detector_times() const { return detector_times_; }

 private:
  [[nodiscard]] EstateReceiver receiver_of(LiveOutcome& outcome);
  void see(const DecidedEvent& decided);

  WaitingRoom room_;
  Estate estate_;
  EstateCounts counts_;
  CallerAddresses callers_;
  VaultRhythm rhythm_;
  DetectorTimes detector_times_;
};

}  // namespace keyvigil
