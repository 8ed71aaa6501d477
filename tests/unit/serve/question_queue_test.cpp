#include "serve/question_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace keyvigil {
namespace {

TEST(QuestionQueue, GivesTheOwnersAnswerToWhoeverAsks) {
  QuestionQueue queue;
  std::atomic<int> woken = 0;
  std::atomic<bool> stop = false;
  std::thread owner([&] {
    while (!stop) {
      queue.answer();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> askers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    askers.emplace_back([&, i] {
      const auto answer = queue.ask<int>([i] { return 10 * i; }, [&] { ++woken; });
      if (answer && *answer == 10 * i) { ++right; }
    });
  }
  for (std::thread& asker : askers) { asker.join(); }
  stop = true;
  owner.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(woken, 8);
  EXPECT_TRUE(queue.empty());
}

// Nobody waits for ever for an owner who is busy; what was asked may be answered later, for nobody.
TEST(QuestionQueue, DoesNotWaitForAnOwnerWhoIsBusy) {
  QuestionQueue queue;
  int asked = 0;
  const auto answer = queue.ask<int>([&] { return ++asked; }, [] {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kLimit);
  EXPECT_FALSE(queue.empty());
  queue.answer();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(queue.empty());
}

TEST(QuestionQueue, RefusesMoreThanItsLimit) {
  QuestionQueue queue;
  std::atomic<std::size_t> waiting = 0;
  std::vector<std::thread> askers;
  for (std::size_t i = 0; i < QuestionQueue::kLimit; ++i) {
    askers.emplace_back([&] { static_cast<void>(queue.ask<bool>([] { return true; }, [&] { ++waiting; })); });
  }
  while (waiting < QuestionQueue::kLimit) { std::this_thread::yield(); }
  const auto refused = queue.ask<bool>([] { return true; }, [&] { ++waiting; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kLimit);
  EXPECT_EQ(waiting, QuestionQueue::kLimit);
  for (std::thread& asker : askers) { asker.join(); }
}

}  // namespace
}  // namespace keyvigil
