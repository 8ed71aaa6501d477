// QuestionQueue: questions of many threads to the one that owns what they are about.
//
// Threads: ask() from any; answer() from the owner's, which must be woken where it waits.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <utility>

#include "base/result.h"

namespace keyvigil {

class QuestionQueue {
 public:
  static constexpr std::size_t kLimit = 64;
  static constexpr std::chrono::seconds kAnswerWithin{1};

  // `wake`: called once the question stands in the queue. What the question refers to must outlive the queue: it may be
  // answered when nobody waits any more.
  template <typename Answer>
  [[nodiscard]] Result<Answer> ask(std::function<Answer()> question, const std::function<void()>& wake);
  [[nodiscard]] bool empty() const;
  // All that stand in it.
  void answer();

 private:
  mutable std::mutex mutex_;
  std::deque<std::packaged_task<void()>> questions_;
};

template <typename Answer>
Result<Answer> QuestionQueue::ask(std::function<Answer()> question, const std::function<void()>& wake) {
  std::packaged_task<Answer()> task(std::move(question));
  std::future<Answer> answer = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kLimit) {
      return fail(ErrorKind::kLimit, "too many questions are waiting for the engine; ask again later");
    }
    questions_.emplace_back([waiting = std::move(task)]() mutable { waiting(); });
  }
  wake();
  if (answer.wait_for(kAnswerWithin) != std::future_status::ready) {
    return fail(ErrorKind::kLimit, "the engine is busy (loading or saving); ask again in some seconds");
  }
  return answer.get();
}

}  // namespace keyvigil
