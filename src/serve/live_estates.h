// LiveEstates: what the journal makes of the service: the settings and lists in force, the estates, and where each
// input stands. A function of the journal's entries and their order (DetectorTimes apart). Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/live_view.h"
#include "base/result.h"
#include "config/lists.h"
#include "config/live_settings.h"
#include "engine/checkpoint.h"
#include "estate/decode_pool.h"
#include "serve/live_estate.h"
#include "store/store.h"

namespace keyvigil {

// What came of an input, over all its items.
struct InputTally {
  std::uint64_t records = 0;
  std::uint64_t skipped = 0;
  std::uint64_t unreadable_addresses = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(RefusalCause::kCount)> refused{};
  std::int64_t newest_event_ticks = INT64_MIN;
  std::int64_t received_ticks = INT64_MIN;
  auto fields() {
    return std::tie(records, skipped, unreadable_addresses, refused, newest_event_ticks, received_ticks);
  }
};

class LiveEstates {
 public:
  // `warn`: a sentence about a list that is put in force.
  LiveEstates(WaitingRoom room, std::function<void(const std::string& text)> warn)
      : room_(std::move(room)), warn_(std::move(warn)) {}

  // ---- the start: one of these, on a fresh object ----
  [[nodiscard]] Result<void> begin(const LiveSettings& settings, std::string packed_lists);
  // The sections of a store's checkpoint. ErrorKind::kNoRoom: see Estate::load(); try again with a fresh object.
  [[nodiscard]] Result<void> load(std::map<std::string, std::string> sections);

  // After begin(): the state of `detect` becomes that of the estate without a name; its open alerts are alerts of the
  // past.
  [[nodiscard]] Result<void> take_up(const Checkpoint& state, LiveOutcome& outcome);

  // ---- the journal ----
  // `batch`: the events of an entry, or of a part of it; null: it brings none.
  [[nodiscard]] Result<void> take(const StoredEntry& stored, DecodedBatch* batch, LiveOutcome& outcome);
  [[nodiscard]] Result<void> decide_ready(LiveOutcome& outcome);

  // What is to be journalled because time has passed, by the wall clock: inputs that bring nothing for `idle_seconds`,
  // and estates whose time moves on though nothing comes. `started`: of the service, before which nothing could come.
  [[nodiscard]] std::vector<JournalEntry> idle_entries(EventTime now, EventTime started,
                                                       std::int64_t idle_seconds) const;
  [[nodiscard]] std::vector<JournalEntry> tick_entries(EventTime now, EventTime started) const;

  // Why an estate's stream waits for room on disk; empty: none does.
  [[nodiscard]] std::string shortage() const;
  void make_room();

  // They refer to this object: nothing may change until they have been written.
  [[nodiscard]] std::map<std::string, SectionWriter> sections() const;

  // ---- what there is ----
  [[nodiscard]] const std::string& settings_json() const { return settings_json_; }
  [[nodiscard]] const std::string& packed_lists() const { return packed_lists_; }
  [[nodiscard]] const AddressBook& book() const { return *book_; }
  [[nodiscard]] const std::vector<ListInForce>& lists_in_force() const { return lists_in_force_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LiveEstate>>& estates() const { return estates_; }
  [[nodiscard]] const std::map<std::string, InputTally>& tallies() const { return memory_.tallies; }
  // Of each input that may still bring something, whether all its items are idle.
  [[nodiscard]] std::map<std::string, bool> idle_inputs() const;
  // Since this object was made.
  [[nodiscard]] std::uint64_t events_taken() const { return events_taken_; }

 private:
  // An input that may still bring something; by name and item.
  struct Input {
    std::map<std::uint64_t, InputId> ids;  // by the estate's number
    bool idle = false;
    bool backfill = false;             // is never idle: it ends when it says so
    std::int64_t events_at_ticks = 0;  // wall clock at which its last events were received
    auto fields() { return std::tie(ids, idle, backfill, events_at_ticks); }
  };
  using InputKey = std::pair<std::string, std::string>;
  struct Memory {
    std::map<InputKey, Input> inputs;
    std::map<std::string, InputTally> tallies;
    auto fields() { return std::tie(inputs, tallies); }
  };

  void make_estates(const LiveSettings& settings);
  [[nodiscard]] Result<void> put_lists_in_force(std::string packed);
  void tell_losses();
  [[nodiscard]] Result<void> change_settings(const std::string& json, LiveOutcome& outcome);
  [[nodiscard]] std::size_t estate_of(std::string_view subscription_id) const;

  [[nodiscard]] Result<void> take_events(const JournalEntry& entry, DecodedBatch& batch);
  [[nodiscard]] InputId order_input(Input& input, std::size_t estate, const JournalEntry& entry,
                                    const DecodedBatch& batch);
  void open_item(const JournalEntry& entry);
  void idle(const JournalEntry& entry);
  void close(const JournalEntry& entry);
  void close_all(const std::string& input);
  [[nodiscard]] Result<void> tick(const JournalEntry& entry);

  WaitingRoom room_;
  std::function<void(const std::string& text)> warn_;
  std::string settings_json_;  // in force
  LiveSettings settings_;
  std::string packed_lists_;  // in force
  std::unique_ptr<AddressBook> book_;
  std::vector<ListInForce> lists_in_force_;           // of the book
  std::vector<std::unique_ptr<LiveEstate>> estates_;  // as settings_.estates
  std::map<std::string, std::size_t, std::less<>> estate_by_subscription_;
  Memory memory_;
  std::uint64_t events_taken_ = 0;
};

}  // namespace keyvigil
