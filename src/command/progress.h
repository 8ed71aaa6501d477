// Progress: one line on a terminal that is written over: share done, speed, time left.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace keyvigil {

class Progress {
 public:
  // `total_bytes` 0: not known. `shown` false: never writes.
  Progress(std::uint64_t total_bytes, bool shown);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(std::uint64_t done_bytes, std::uint64_t records);
  // Wipes the line.
  void clear();

 private:
  std::uint64_t total_bytes_;
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point drawn_at_;
};

}  // namespace keyvigil
