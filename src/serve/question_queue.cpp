#include "serve/question_queue.h"

namespace keyvigil {

bool QuestionQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return questions_.empty();
}

void QuestionQueue::answer() {
  std::deque<std::packaged_task<void()>> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
  }
  for (auto& question : questions) { question(); }
}

}  // namespace keyvigil
