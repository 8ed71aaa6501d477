// SettledTable: keys to slots, bounded, such that a flood of fresh keys cannot push out those that are known for long.
//
// Keys seen on fewer than kSettledDays days are fresh: a quarter of the table is theirs, and what settled keys do not
// use yet; they evict only each other. The rest is for settled keys; one more of them evicts the settled key idle
// longest. So an estate that is new is known whole, however many of its keys come at once. Idleness counts in UTC days;
// ties go by the fixed hash of the key, so the order of evictions is total and the same on every machine (design
// section 6). What belongs to a slot is kept by the owner, who must clear it when `evicted` names it. Threads: one
// owner.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/hash.h"
#include "base/snapshot.h"
#include "base/stamped_vector.h"
#include "history/key_index.h"

namespace keyvigil {

// Where a key was found in one table, kept by whoever asks for it often: it spares the look-up until the key has gone.
// Worthless once the table was loaded anew.
struct SlotHint {
  std::uint32_t slot = UINT32_MAX;
  std::uint32_t tenancy = 0;
};

// A key with its hash64. The text and the hint must outlive the call only.
struct TableKey {
  template <std::convertible_to<std::string_view> Text>
  TableKey(const Text& of) : text(of), hash(hash64(text)) {}  // NOLINT(google-explicit-constructor): is a key
  TableKey(std::string_view of, std::uint64_t hash_of, SlotHint* known = nullptr)
      : text(of), hash(hash_of), hint(known) {}

  std::string_view text;
  std::uint64_t hash = 0;
  SlotHint* hint = nullptr;  // for the table that is asked
};

class SettledTable {
 public:
  static constexpr std::uint32_t kSettledDays = 3;

  // REQUIRES: limit >= 4.
  explicit SettledTable(std::size_t limit);

  [[nodiscard]] std::optional<std::uint32_t> find(const TableKey& key) const;

  // Asks the memory for the key's slot; the slot where it probably is, or KeyIndex::kNone.
  std::uint32_t prefetch(std::uint64_t hash) const;
  // Later: asks for the key that will be compared.
  std::uint32_t prefetch_key(std::uint64_t hash) const;

  struct Admission {
    std::uint32_t slot = 0;
    bool added = false;
    std::optional<std::uint32_t> evicted;  // may be `slot` itself
  };
  // Finds the key or makes room for it, and notes that it was seen on `day`. Days may run backwards.
  Admission admit(const TableKey& key, std::int64_t day);

  // Slots of keys last seen before `day`, the most idle of each seniority first.
  [[nodiscard]] std::vector<std::uint32_t> last_seen_before(std::int64_t day) const;
  // REQUIRES: the slot is in use. Not counted as an eviction.
  void remove(std::uint32_t slot);

  // REQUIRES: the slot is in use.
  [[nodiscard]] const std::string& key(std::uint32_t slot) const { return slots_[slot].key; }
  [[nodiscard]] std::uint64_t key_hash(std::uint32_t slot) const { return slots_[slot].hash; }
  [[nodiscard]] std::int64_t first_day(std::uint32_t slot) const { return slots_[slot].first_day; }
  [[nodiscard]] std::uint32_t days_seen(std::uint32_t slot) const { return slots_[slot].days_seen; }

  // REQUIRES: the slot is in use.
  [[nodiscard]] bool is_settled(std::uint32_t slot) const { return seniority(slots_[slot]) == kSettled; }
  [[nodiscard]] bool is_in_use(std::uint32_t slot) const { return slot < slots_.size() && slots_[slot].days_seen > 0; }

  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t fresh() const { return counts_[kFresh]; }
  [[nodiscard]] std::size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

  // Slots keep their numbers. load() replaces everything but the limit; false: damaged, and the table is empty.
  void save(SnapshotWriter& writer) const;
  [[nodiscard]] bool load(SnapshotReader& reader);

 private:
  enum Seniority : std::uint8_t { kFresh = 0, kSettled = 1 };
  struct Slot {
    std::string key;
    std::uint64_t hash = 0;
    std::int64_t first_day = 0;
    std::int64_t last_day = 0;
    std::uint32_t days_seen = 0;  // 0: free
    std::uint32_t tenancy = 0;    // how many keys the slot has lost since the table was made or loaded
    auto fields() { return std::tie(key, hash, first_day, last_day, days_seen); }
  };
  struct Idle {
    std::int64_t last_day = 0;
    std::uint64_t hash = 0;
    std::uint32_t slot = 0;
    friend auto operator<=>(const Idle&, const Idle&) = default;
  };

  [[nodiscard]] std::uint32_t slot_of(const TableKey& key) const;  // KeyIndex::kNone: not in the table
  [[nodiscard]] static Seniority seniority(const Slot& slot) {
    return slot.days_seen < kSettledDays ? kFresh : kSettled;
  }
  [[nodiscard]] std::size_t room(Seniority seniority) const {
    return seniority == kFresh ? limit_ - counts_[kSettled] : limit_ - limit_ / 4;
  }
  void queue(std::uint32_t slot);
  [[nodiscard]] std::uint32_t most_idle(Seniority seniority);
  [[nodiscard]] Idle idle(std::uint32_t slot) const { return Idle{slots_[slot].last_day, slots_[slot].hash, slot}; }
  [[nodiscard]] std::uint32_t take_slot();
  std::optional<std::uint32_t> make_room(Seniority seniority);
  std::optional<std::uint32_t> note_day(std::uint32_t slot, std::int64_t day);
  [[nodiscard]] bool rebuild();
  void clear();

  std::size_t limit_;
  StampedVector<Slot, 128> slots_;
  std::vector<std::uint32_t> free_;  // the last one is taken first
  std::uint64_t evictions_ = 0;

  // Derived from slots_.
  KeyIndex index_;
  std::array<std::size_t, 2> counts_{};  // keys, by Seniority
  // By Seniority: heaps, the most idle first. An entry may be stale, but only too idle: whoever takes it looks again.
  std::array<std::vector<Idle>, 2> idle_;
};

}  // namespace keyvigil
