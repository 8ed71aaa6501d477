#include "api/handler_pool.h"

#include <algorithm>
#include <atomic>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace keyvigil {
namespace {

TEST(HandlerPool, RunsEverythingThatItTook) {
  std::atomic<int> ran = 0;
  int taken = 0;
  {
    HandlerPool pool(3, 10'000);
    for (int i = 0; i < 5000; ++i) {
      taken += pool.submit([&] { ++ran; }) ? 1 : 0;
    }
  }
  EXPECT_EQ(taken, 5000);
  EXPECT_EQ(ran, 5000);
}

TEST(HandlerPool, GivesWayWhereItIsToAndNowhereElse) {
  const auto niceness = [](bool gives_way) {
    int found = 0;
    HandlerPool pool(1, 2, gives_way);
    EXPECT_TRUE(pool.submit([&found] { found = getpriority(PRIO_PROCESS, 0); }));
    pool.close();
    return found;
  };
  const int own = getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(niceness(false), own);
  EXPECT_EQ(niceness(true), std::min(own + 5, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST(HandlerPool, RefusesWhatFindsNoRoom) {
  std::mutex gate;
  std::atomic<bool> started = false;
  HandlerPool pool(1, 2);
  std::unique_lock shut(gate);
  ASSERT_TRUE(pool.submit([&] {
    started = true;
    const std::lock_guard pass(gate);
  }));
  while (!started) { std::this_thread::yield(); }
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_TRUE(pool.submit([] {}));
  EXPECT_FALSE(pool.submit([] {}));
  EXPECT_EQ(pool.busy(), 3U);
  shut.unlock();
  pool.close();
  EXPECT_EQ(pool.busy(), 0U);
  EXPECT_FALSE(pool.submit([] {}));
}

}  // namespace
}  // namespace keyvigil
