// Sorted runs of events in temporary files that have no name: they vanish with the process.
//
// A run is written once, in canonical order, then read once from the front. SpillMerge reads many runs as one. What
// cannot be written fails with ErrorKind::kNoRoom.
// Record: size (u32) | duplicate_hash (u64) | append_event. The files are private to this process and never reread
// by another version. Threads: none; one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "event/access_event.h"

namespace keyvigil {

// An event with what orders it, computed once.
struct KeyedEvent {
  std::int64_t milliseconds = 0;
  std::uint64_t hash = 0;  // duplicate_hash
  AccessEvent event;
};

// CanonicalOrder without hashing again.
[[nodiscard]] bool keyed_less(const KeyedEvent& left, const KeyedEvent& right);

class SpillRun {
 public:
  [[nodiscard]] static Result<SpillRun> create(const std::string& directory);

  // REQUIRES: not before the event appended last, and finish_writing() was not called.
  [[nodiscard]] Result<void> append(std::uint64_t hash, const AccessEvent& event);
  [[nodiscard]] Result<void> finish_writing();

  // The next event into `out`, whose buffers are reused; false at the end.
  [[nodiscard]] Result<bool> next(KeyedEvent& out);
  // The same events once more, from the next one on.
  [[nodiscard]] Result<SpillRun> again() const;
  // Every event that next() has not given yet, without giving it.
  [[nodiscard]] Result<void> for_each_left(const std::function<void(const AccessEvent&)>& visit) const;
  // Gives the disk space back before the object goes.
  void close() { file_ = FileDescriptor(); }

 private:
  SpillRun(FileDescriptor file, std::string directory) : file_(std::move(file)), directory_(std::move(directory)) {}
  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<bool> fill(std::size_t size);
  [[nodiscard]] Error file_error(ErrorKind kind, const char* action, int code) const;

  FileDescriptor file_;
  std::string directory_;
  std::string buffer_;     // writing: not yet in the file; reading: bytes read ahead
  std::size_t taken_ = 0;  // of buffer_, while reading
  std::uint64_t file_size_bytes_ = 0;
  std::uint64_t read_bytes_ = 0;  // of the file, into buffer_
};

// Many runs as one ordered stream, duplicates still in it. At most kFanIn runs stay open; more are merged on disk.
class SpillMerge {
 public:
  static constexpr std::size_t kFanIn = 64;

  [[nodiscard]] Result<void> add(SpillRun run);
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t run_count() const { return heap_.size(); }
  // REQUIRES: !empty(). The caller may move the event out before drop_head().
  [[nodiscard]] KeyedEvent& head() { return runs_[heap_.front()].head; }
  [[nodiscard]] const KeyedEvent& head() const { return runs_[heap_.front()].head; }
  [[nodiscard]] Result<void> drop_head();
  // REQUIRES: nothing was moved out of head().
  [[nodiscard]] Result<void> for_each_left(const std::function<void(const AccessEvent&)>& visit) const;
  // The same events once more. REQUIRES: nothing was moved out of head().
  [[nodiscard]] Result<SpillMerge> again() const;
  // Everything, without duplicates among neighbours, into one run; empties this. Adds to `duplicates`.
  [[nodiscard]] Result<SpillRun> drain(const std::string& directory, std::uint64_t& duplicates);

 private:
  struct OpenRun {
    SpillRun run;
    KeyedEvent head;
  };
  [[nodiscard]] bool later(std::size_t left, std::size_t right) const;
  void sift_down();

  std::vector<OpenRun> runs_;
  std::vector<std::size_t> read_up_;  // indices of runs that can be replaced
  std::vector<std::size_t> heap_;     // indices of runs that have a head; the smallest head first
};

}  // namespace keyvigil
