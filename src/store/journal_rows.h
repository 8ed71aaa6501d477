// JournalRows: appends from many threads, grouped into commits; reads in sequence.
//
// Leader and followers: the first thread that finds no commit running writes for all that wait; what arrives meanwhile
// shares the next commit. Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/database.h"
#include "store/journal.h"
#include "store/turn_lock.h"

namespace keyvigil {

class JournalRows {
 public:
  struct Figures {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t commits = 0;
  };

  JournalRows(std::uint64_t limit_bytes, CommitHook hook) : hook_(std::move(hook)), limit_bytes_(limit_bytes) {}
  [[nodiscard]] Result<void> load(Database& writer);

  [[nodiscard]] Result<std::uint64_t> append(Database& writer, TurnLock& turn, std::span<const JournalEntry> entries,
                                             std::span<const InputPosition> positions);

  // In a transaction of the caller's. After its success call dropped() with the answer.
  [[nodiscard]] static Result<Figures> drop_to(Database& writer, std::uint64_t sequence);
  void dropped(const Figures& gone);

  [[nodiscard]] static Result<std::vector<StoredEntry>> read(Database& reader, std::uint64_t after_sequence,
                                                             std::size_t most_bytes);
  [[nodiscard]] static Result<std::vector<InputPosition>> positions(Database& reader, const std::string& input);
  [[nodiscard]] static Result<std::optional<InputPosition>> position(Database& reader, const std::string& input,
                                                                     const std::string& item);
  void limit_to(std::uint64_t bytes);
  [[nodiscard]] Figures figures();

 private:
  struct PackedEntry {
    const JournalEntry* entry = nullptr;
    std::optional<std::string> packed;  // nothing: as received
    [[nodiscard]] const std::string& body() const { return packed ? *packed : entry->body; }
  };
  struct Waiting {
    std::vector<PackedEntry> entries;
    std::span<const InputPosition> positions;
    std::uint64_t bytes = 0;
    std::uint64_t last_sequence = 0;
    bool limited = false;  // counts against the limit
    bool done = false;
    Result<void> result;
  };

  [[nodiscard]] static Waiting pack_all(std::span<const JournalEntry> entries,
                                        std::span<const InputPosition> positions);
  void lead(Database& writer, TurnLock& turn, std::unique_lock<std::mutex>& held);
  [[nodiscard]] std::vector<Waiting*> take_batch();
  [[nodiscard]] Result<void> write(Database& writer, std::span<Waiting* const> batch) const;
  [[nodiscard]] static Result<void> insert(Database& writer, Waiting& waiting);

  const CommitHook hook_;
  std::mutex mutex_;  // of everything below
  std::uint64_t limit_bytes_;
  std::condition_variable changed_;
  std::deque<Waiting*> queue_;
  std::uint64_t queued_bytes_ = 0;  // of the queue and of the commit that runs
  bool leading_ = false;
  Figures figures_;
};

}  // namespace keyvigil
