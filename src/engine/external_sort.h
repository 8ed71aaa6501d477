// ExternalSort: any number of events in any order, out in canonical order without duplicates, in bounded memory.
//
// Events are gathered up to the memory limit, sorted and written as a run; 64 runs of a level are merged into one of
// the next, so each event is rewritten once a level. Threads: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/spill_run.h"
#include "event/access_event.h"

namespace keyvigil {

class ExternalSort {
 public:
  static constexpr std::size_t kDefaultMemoryBytes = std::size_t{64} * 1024 * 1024;

  explicit ExternalSort(std::string directory, std::size_t memory_limit_bytes = kDefaultMemoryBytes)
      : directory_(std::move(directory)), memory_limit_bytes_(memory_limit_bytes) {}

  [[nodiscard]] Result<void> add(AccessEvent&& event);
  // No more will be added; next() may be called.
  [[nodiscard]] Result<void> finish();
  // The next event into `out`, whose buffers are reused; false at the end.
  [[nodiscard]] Result<bool> next(AccessEvent& out);

  // Complete once next() has returned false.
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] std::uint64_t runs_written() const { return runs_written_; }

 private:
  [[nodiscard]] Result<void> write_run();
  [[nodiscard]] Result<void> merge_level(std::size_t level);
  void sort_gathered();
  [[nodiscard]] bool next_gathered(AccessEvent& out);

  std::string directory_;
  std::size_t memory_limit_bytes_;
  std::vector<KeyedEvent> gathered_;
  std::vector<std::uint32_t> sorted_;  // indices into gathered_
  std::size_t gathered_bytes_ = 0;
  std::size_t taken_ = 0;
  std::vector<std::vector<SpillRun>> levels_;
  SpillMerge merge_;
  std::uint64_t duplicates_ = 0;
  std::uint64_t runs_written_ = 0;
};

}  // namespace keyvigil
