// TurnLock: a mutual exclusion that is handed on in the order of asking.
//
// The store's writers share one connection: a busy journal must not keep a checkpoint waiting for ever.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace keyvigil {

class TurnLock {
 public:
  void lock() {
    std::unique_lock held(mutex_);
    const std::uint64_t mine = asked_++;
    changed_.wait(held, [&] { return serving_ == mine; });
  }
  void unlock() {
    {
      const std::lock_guard held(mutex_);
      ++serving_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t asked_ = 0;
  std::uint64_t serving_ = 0;
};

}  // namespace keyvigil
