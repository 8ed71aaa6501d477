// EntryDecoder: entries of the journal to batches of events, in sequence, decoding ahead on other cores.
//
// Threads: one owner; the pool inside has others.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "estate/decode_pool.h"
#include "source/file_source.h"
#include "store/journal.h"

namespace keyvigil {

class EntryDecoder {
 public:
  // `threads` counts the owner.
  explicit EntryDecoder(unsigned threads) : pool_(threads, false) {}
  ~EntryDecoder();
  EntryDecoder(const EntryDecoder&) = delete;
  EntryDecoder& operator=(const EntryDecoder&) = delete;

  // REQUIRES: next() has said that the entries before are done. The entries must stay where they are until then.
  void begin(std::span<const StoredEntry> entries);

  struct Piece {
    const StoredEntry* entry = nullptr;
    DecodedBatch* batch = nullptr;  // null: the entry is no input, or it is empty. Valid until the next call.
    bool last = false;              // nothing of this entry follows
  };
  // Nothing: all entries are done.
  [[nodiscard]] Result<std::optional<Piece>> next();

 private:
  struct Work {
    const StoredEntry* entry = nullptr;
    std::unique_ptr<DecodePool::Job> job;  // null where there is nothing to decode
    bool last = false;
  };

  [[nodiscard]] Result<void> refill();
  [[nodiscard]] Result<void> read_on();
  [[nodiscard]] std::unique_ptr<DecodePool::Job> take_job();

  DecodePool pool_;
  std::span<const StoredEntry> entries_;  // of which nothing was read yet
  const StoredEntry* entry_ = nullptr;    // that is being read
  std::optional<FileSource> source_;
  std::deque<Work> ahead_;
  std::optional<Work> handed_out_;
  std::vector<std::unique_ptr<DecodePool::Job>> spare_;
};

}  // namespace keyvigil
