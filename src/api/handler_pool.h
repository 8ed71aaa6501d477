// HandlerPool: threads that run what may wait, and a bounded queue before them. First come, first served.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace keyvigil {

class HandlerPool {
 public:
  // Where `gives_way`, the jobs leave the processors to others (base/give_way.h).
  HandlerPool(int threads, std::size_t waiting_limit, bool gives_way = false);
  ~HandlerPool();  // runs what waits, then joins
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // false: the queue is full, or the pool is closed, and the job will not run. Jobs do not throw.
  [[nodiscard]] bool submit(std::function<void()> job);
  // Takes no more, runs what waits, and returns when nothing runs any more.
  void close();
  [[nodiscard]] std::size_t busy() const;  // waiting and running

 private:
  void run();

  const std::size_t waiting_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  std::size_t running_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace keyvigil
