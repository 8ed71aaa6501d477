// RecentOperations: how often each operation was called on each vault, by hour of event time, for the last 24.
//
// Counts everything, challenges too, as Defender's "All vault operations in last 24 hours" does. Bounds: vaults (the
// one idle longest goes first, ties by id), 64 operation names a vault and hour, 1024 names outside the table of
// operations; what is over is counted under "Other". 16 bytes a cell. Saved state holds operation ids: rows of
// event/operation.cpp are only ever appended. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/stamped_vector.h"
#include "event/access_event.h"
#include "history/key_index.h"

namespace keyvigil {

class RecentOperations {
 public:
  static constexpr std::size_t kDefaultVaultLimit = 100'000;
  static constexpr std::size_t kNamesPerHour = 64;
  static constexpr std::size_t kUnknownNames = 1024;
  static constexpr std::int64_t kHours = 24;

  explicit RecentOperations(std::size_t vault_limit = kDefaultVaultLimit) : vault_limit_(vault_limit) {}

  // Events may be late; what is older than 24 hours before the vault's newest hour is not counted.
  void learn(const AccessEvent& event);
  // Ask the memory for what learn() will read, some events ahead, the first well before the second.
  void prefetch(const AccessEvent& event) const;
  void prefetch_cells(const AccessEvent& event) const;
  // By name, in the hour of `at` and the 23 before it.
  [[nodiscard]] std::map<std::string, std::uint64_t> of_vault(std::string_view vault_id, EventTime at) const;

  [[nodiscard]] std::size_t vault_count() const { return index_.size(); }
  [[nodiscard]] std::uint64_t evicted_vaults() const { return evicted_vaults_; }

  void save(SnapshotWriter& writer) const;
  [[nodiscard]] std::string save() const {
    return snapshot_bytes([this](SnapshotWriter& writer) { save(writer); });
  }
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  static constexpr std::uint16_t kOther = 0xFFFF;
  static constexpr std::uint16_t kFirstUnknown = 0x8000;  // names outside the table, by their place in names_

  struct Cell {
    std::int32_t hour = 0;
    std::uint16_t operation = 0;
    std::uint64_t count = 0;
    auto fields() { return std::tie(hour, operation, count); }
  };
  struct Vault {
    std::string id;
    std::int64_t last_seen_milliseconds = 0;
    std::vector<Cell> cells;  // by hour
    auto fields() { return std::tie(id, last_seen_milliseconds, cells); }
  };
  // A vault as it stood when it was queued for eviction; it may have been seen since.
  struct Idle {
    std::int64_t last_seen_milliseconds = 0;
    std::uint32_t vault = 0;
  };

  [[nodiscard]] std::uint16_t operation_of(const AccessEvent& event);
  [[nodiscard]] std::string name_of(std::uint16_t operation) const;
  [[nodiscard]] std::uint32_t find(std::string_view vault_id, std::uint64_t hash) const;
  [[nodiscard]] std::uint32_t find_or_add(const AccessEvent& event);
  [[nodiscard]] std::uint32_t evict_idle_longest();
  [[nodiscard]] bool more_idle(const Idle& left, const Idle& right) const;
  void queue_idle(std::uint32_t vault);
  static void count(Vault& vault, std::int32_t hour, std::uint16_t operation);

  std::size_t vault_limit_;
  KeyIndex index_;
  StampedVector<Vault, 64> vaults_;
  std::vector<Idle> idle_;                        // heap, the most idle first; keys may be stale, but only too old
  std::vector<std::string> names_;                // as first seen
  std::map<std::string, std::uint16_t> by_name_;  // lower case
  std::uint64_t evicted_vaults_ = 0;
};

}  // namespace keyvigil
