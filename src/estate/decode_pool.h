// DecodePool: batches of records to batches of events, on other threads where there are any.
//
// One owner submits jobs and waits for them; jobs are finished in any order, and the owner keeps their order by waiting
// for them in it. With one thread in all, wait() does the work itself. Jobs of one Reading read from its source one
// after the other, in the order in which they were submitted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "event/decode.h"
#include "source/source.h"

namespace keyvigil {

// A record that could not be decoded.
struct Refusal {
  RefusalCause cause = RefusalCause::kNotJson;
  Place place;
  std::string message;
  std::string record;  // whole where asked for, else its first 256 bytes
};

struct DecodedBatch {
  std::vector<AccessEvent> events;  // the first `count` are filled; the others keep their buffers
  std::size_t count = 0;
  std::vector<Refusal> refusals;
  std::array<std::uint64_t, static_cast<std::size_t>(SkipCause::kCount)> skipped{};
  std::uint64_t records = 0;
  std::uint64_t unreadable_addresses = 0;  // of the events
  std::uint64_t input_bytes = 0;
};

// Decodes all of `raw` into `batch`, envelopes inside records included.
void decode_batch(const RawBatch& raw, std::uint32_t input, bool keep_refused_whole, Decoder& decoder,
                  DecodedBatch& batch);

class DecodePool {
 public:
  // A source that jobs read from.
  struct Reading {
    Source* source = nullptr;
    bool ended = false;  // or failed
    bool busy = false;   // guarded by the pool
  };
  struct Job {
    Reading* reading = nullptr;  // null: `raw` is filled already
    RawBatch raw;
    std::uint32_t input = 0;
    Result<bool> more = true;  // what the source said; `decoded` holds something only where it is true
    DecodedBatch decoded;
    enum class State : std::uint8_t { kIdle, kWaiting, kRunning, kDone } state = State::kIdle;  // guarded by the pool
  };

  // `threads` counts the owner: 1 starts none.
  DecodePool(unsigned threads, bool keep_refused_whole);
  ~DecodePool();
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  // The job and what it reads must stay where they are until wait() or cancel() has returned.
  void submit(Job& job);
  // REQUIRES: no job submitted earlier for the same Reading is still to be waited for.
  void wait(Job& job);
  // Takes back what nobody has begun; waits for the rest.
  void cancel(Job& job);

  [[nodiscard]] unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }

 private:
  void work();
  [[nodiscard]] std::deque<Job*>::iterator next_job();
  void run(Job& job, Decoder& decoder, std::unique_lock<std::mutex>& lock);

  bool keep_refused_whole_;
  Decoder own_decoder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job*> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace keyvigil
