// Many threads append, one makes checkpoints, others read: nobody sees half of anything.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr int kAppenders = 8;
constexpr int kAppends = 60;

TEST(StoreThreads, AppendersShareCommitsAndReadersSeeWholeStates) {
  const StoreFolder folder;
  auto store = folder.open();
  std::atomic<bool> stop = false;
  std::atomic<int> appending = kAppenders;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kAppenders; ++thread) {
    threads.emplace_back([&, thread] {
      std::uint64_t before = 0;
      for (int i = 0; i < kAppends; ++i) {
        const std::vector entries{input(fmt::format("{} {} first", thread, i)),
                                  input(fmt::format("{} {} second", thread, i))};
        const auto sequence = store->append(entries);
        ASSERT_TRUE(sequence) << message_of(sequence);
        ASSERT_GE(*sequence, before + 2);
        before = *sequence;
      }
      --appending;
    });
  }
  // Each checkpoint: as many alerts as its number says.
  threads.emplace_back([&] {
    for (std::uint64_t number = 1; !stop; ++number) {
      CheckpointCommit checkpoint;
      checkpoint.sections["number"] = section_of(std::to_string(number));
      ASSERT_TRUE(store->add_revisions(std::vector<RaisedRevision>{{made_alert(number), false, "", {"siem"}}}, {}));
      ASSERT_TRUE(store->commit(checkpoint));
    }
  });
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&] {
      while (!stop) {
        AlertFilter filter;
        filter.limit = 1000;
        const auto page = store->alerts(filter);
        ASSERT_TRUE(page) << message_of(page);
        for (std::size_t i = 0; i < page->alerts.size(); ++i) {
          ASSERT_EQ(page->alerts[i].alert, made_alert(page->alerts.size() - i));
        }
        const auto figures = store->figures();
        ASSERT_TRUE(figures);
        ASSERT_EQ(figures->alerts, figures->outbox);
      }
    });
  }
  threads.emplace_back([&] {
    while (!stop) {
      ASSERT_TRUE(store->audit(done_by("alice", "test")));
      ASSERT_TRUE(store->set_status(made_alert(1).id, AlertStatus::kActive, done_by("alice", "alert.activate")));
    }
  });
  while (appending > 0) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
  stop = true;
  for (std::thread& thread : threads) { thread.join(); }

  const auto journal = store->read_journal(0, 1U << 30);
  ASSERT_TRUE(journal);
  ASSERT_EQ(journal->size(), static_cast<std::size_t>(2 * kAppenders * kAppends));
  for (std::size_t i = 0; i < journal->size(); i += 2) {
    const std::string& first = (*journal)[i].entry.body;
    EXPECT_EQ((*journal)[i + 1].entry.body, first.substr(0, first.rfind(' ')) + " second");
  }
}

TEST(StoreThreads, WhatArrivesDuringACommitSharesTheNext) {
  const StoreFolder folder;
  std::atomic<int> begun = 0;
  std::atomic<int> waiting = 0;
  StoreOptions options;
  options.on_commit = [&](CommitKind kind, CommitPoint point) {
    if (kind != CommitKind::kJournal || point != CommitPoint::kBefore || ++begun != 1) { return; }
    // The first commit lasts until all others have come.
    while (waiting < kAppenders) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  };
  auto store = folder.open(options);
  std::thread first([&] { EXPECT_TRUE(store->append(std::vector{input("first")})); });
  while (begun == 0) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
  std::vector<std::thread> threads;
  for (int i = 0; i < kAppenders; ++i) {
    threads.emplace_back([&] {
      ++waiting;
      EXPECT_TRUE(store->append(std::vector{input("later")}));
    });
  }
  first.join();
  for (std::thread& thread : threads) { thread.join(); }
  EXPECT_LE(store->figures()->commits, 3U);
  EXPECT_EQ(store->figures()->journal_entries, 1U + kAppenders);
}

}  // namespace
}  // namespace keyvigil
