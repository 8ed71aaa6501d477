#include "api/handler_pool.h"

#include <utility>

#include "base/give_way.h"

namespace keyvigil {

HandlerPool::HandlerPool(int threads, std::size_t waiting_limit, bool gives_way) : waiting_limit_(waiting_limit) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, gives_way] {
      if (gives_way) { give_way(); }
      run();
    });
  }
}

HandlerPool::~HandlerPool() {
  close();
}

bool HandlerPool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() >= waiting_limit_) { return false; }
    waiting_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void HandlerPool::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) { thread.join(); }
  }
}

std::size_t HandlerPool::busy() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + running_;
}

void HandlerPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) { return; }
    const std::function<void()> job = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    job();
    lock.lock();
    --running_;
  }
}

}  // namespace keyvigil
