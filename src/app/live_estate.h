// LiveEstate: vaults that are judged together, while the service runs: their order, engine and open alerts.
//
// Everything here is a function of the calls and their order. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/repeats.h"
#include "app/caller_addresses.h"
#include "app/detector_times.h"
#include "app/live_settings.h"
#include "app/vault_rhythm.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "engine/engine.h"
#include "engine/order.h"
#include "intel/address_book.h"
#include "store/event_archive.h"

namespace keyvigil {

// What a checkpoint knows of an estate.
struct EstateSections {
  std::string_view order;
  std::string_view engine;
  std::string_view repeats;
  std::string_view counts;
};

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
  [[nodiscard]] InputId open_input(std::optional<EventTime> not_before) { return order_->open_input(not_before); }
  void idle_input(InputId id) { order_->idle_input(id); }
  void close_input(InputId id) { order_->close_input(id); }
  // `received_ticks`: wall clock. An event of the past that is loaded is marked by Place::input 1.
  [[nodiscard]] Result<void> push(InputId id, AccessEvent&& event, std::int64_t received_ticks);
  // Time has moved to `to` though nothing came.
  void advance(EventTime to);
  // Decides what is final; adds to the outcome.
  [[nodiscard]] Result<void> decide_ready(LiveOutcome& outcome);
  // Decides everything and closes every alert: the estate is given up.
  [[nodiscard]] Result<void> finish(LiveOutcome& outcome);

  // The sections of a checkpoint; engine and open alerts save themselves.
  [[nodiscard]] Result<void> save_order(SnapshotWriter& writer) const { return order_->save(writer); }
  void save_counts(SnapshotWriter& writer) const;
  // Into a fresh estate. `counts` may be empty: the state of another command. ErrorKind::kNoRoom: what waits in order
  // could not go to disk; try again with a fresh one.
  [[nodiscard]] Result<void> load(const EstateSections& sections);

  // As Order::make_room().
  [[nodiscard]] bool make_room() { return order_->make_room(); }

  [[nodiscard]] const Order& order() const { return *order_; }
  [[nodiscard]] const Engine& engine() const { return *engine_; }
  [[nodiscard]] const Repeats& repeats() const { return repeats_; }
  [[nodiscard]] const EstateCounts& counts() const { return counts_; }
  [[nodiscard]] const CallerAddresses& callers() const { return callers_; }
  [[nodiscard]] const VaultRhythm& rhythm() const { return rhythm_; }
  [[nodiscard]] const DetectorTimes& detector_times() const { return detector_times_; }

 private:
  void hand_out_closed(bool from_backfill, std::vector<LiveRevision>& revisions);
  void hand_out_revised(bool from_backfill, std::vector<LiveRevision>& revisions);

  WaitingRoom room_;
  std::int64_t lateness_milliseconds_ = 0;
  const AddressBook* book_ = nullptr;
  std::optional<Order> order_;
  std::optional<Engine> engine_;
  Repeats repeats_;
  EstateCounts counts_;
  CallerAddresses callers_;
  VaultRhythm rhythm_;
  DetectorTimes detector_times_;
  bool ticked_ = false;  // since the last decide_ready()

  AccessEvent event_;
  Decision decision_;
  std::vector<Alert> closed_;
  std::vector<Alert> revised_;
};

}  // namespace keyvigil
