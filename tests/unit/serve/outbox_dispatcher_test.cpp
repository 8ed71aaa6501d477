#include "serve/outbox_dispatcher.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/access_summary.h"
#include "reference/alert_samples.h"
#include "reference/loopback_receiver.h"
#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

namespace fs = std::filesystem;

const EventTime kNow = parse_iso_time("2026-10-01T12:00:00Z").value();

EventTime after(std::int64_t seconds) {
  return EventTime{kNow.ticks + seconds * EventTime::kTicksPerSecond};
}

StoredAlert stored(Alert alert, std::uint64_t number, std::uint64_t revision = 1) {
  alert.id = "00000000-0000-4000-8000-" + std::string(12 - std::to_string(number).size(), '0') + std::to_string(number);
  alert.revision = revision;
  StoredAlert made;
  made.alert = std::move(alert);
  made.processed = kNow;
  return made;
}

// An outbox in memory, with the store's rules.
class MemoryOutbox {
 public:
  void add(StoredAlert alert) { rows_[++last_] = {std::move(alert), EventTime{}, 0, {}}; }
  std::size_t size() const { return rows_.size(); }
  const std::map<std::uint64_t, std::string>& buried() const { return buried_; }
  EventTime due_of(std::uint64_t id) const { return rows_.at(id).due; }
  std::uint32_t attempts_of(std::uint64_t id) const { return rows_.at(id).attempts; }

  bool writes_fail = false;

  Outbox doors() {
    return {[this](const std::string& output, EventTime now, std::size_t limit) { return due(output, now, limit); },
            [this](std::span<const std::uint64_t> ids) { return remove(ids); },
            [this](std::uint64_t id, EventTime next, const std::string&) { return postpone(id, next); },
            [this](std::uint64_t id, EventTime, const std::string& why) { return bury(id, why); }};
  }

 private:
  struct Row {
    StoredAlert alert;
    EventTime due;
    std::uint32_t attempts = 0;
    std::string why;
  };
  Result<void> writable() const {
    return writes_fail ? fail(ErrorKind::kInputOutput, "the disk is full") : Result<void>();
  }
  Result<std::vector<Delivery>> due(const std::string& output, EventTime now, std::size_t limit) {
    std::vector<Delivery> found;
    std::set<std::string> seen;
    for (const auto& [id, row] : rows_) {
      if (!seen.insert(row.alert.alert.id).second || row.due > now || found.size() == limit) { continue; }
      found.push_back({id, output, row.alert, row.attempts});
    }
    return found;
  }
  Result<void> remove(std::span<const std::uint64_t> ids) {
    if (auto done = writable(); !done) { return done; }
    for (const std::uint64_t id : ids) { rows_.erase(id); }
    return {};
  }
  Result<void> postpone(std::uint64_t id, EventTime next) {
    if (auto done = writable(); !done) { return done; }
    rows_.at(id).due = next;
    ++rows_.at(id).attempts;
    return {};
  }
  Result<void> bury(std::uint64_t id, const std::string& why) {
    if (auto done = writable(); !done) { return done; }
    buried_[id] = why;
    rows_.erase(id);
    return {};
  }

  std::map<std::uint64_t, Row> rows_;
  std::map<std::uint64_t, std::string> buried_;
  std::uint64_t last_ = 0;
};

OutputOptions webhook(const LoopbackReceiver& receiver) {
  OutputOptions options;
  options.name = "soc";
  options.kind = OutputKind::kWebhook;
  options.target = receiver.url();
  options.timeout_seconds = 5;
  return options;
}

std::vector<std::string> ids_of(const LoopbackReceiver& receiver) {
  std::vector<std::string> ids;
  for (const ReceivedRequest& request : receiver.requests()) { ids.push_back(request.headers.at("webhook-id")); }
  return ids;
}

const std::atomic<bool> kGoOn = false;

TEST(Backoff, DoublesUpToABoundWithAJitterThatIsAlwaysTheSame) {
  for (std::uint32_t attempts = 0; attempts < 40; ++attempts) {
    const std::int64_t whole = attempts >= 8 ? 300 : std::int64_t{2} << attempts;
    const std::int64_t seconds = backoff_seconds(7, "soc", attempts, 0);
    EXPECT_GE(seconds, whole / 2) << attempts;
    EXPECT_LE(seconds, whole) << attempts;
    EXPECT_EQ(seconds, backoff_seconds(7, "soc", attempts, 0));
  }
  EXPECT_EQ(backoff_seconds(7, "soc", 0, 1000), 1000);
  std::set<std::int64_t> different;
  for (std::uint64_t id = 0; id < 50; ++id) { different.insert(backoff_seconds(id, "soc", 8, 0)); }
  EXPECT_GT(different.size(), 10U);
}

TEST(OutputRounds, DeliverRevisionsOfAnAlertInOrder) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); });
  MemoryOutbox box;
  for (const std::uint64_t revision : {1U, 2U, 3U}) { box.add(stored(tor_alert(), 1, revision)); }
  box.add(stored(denied_alert(), 2));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
  while (rounds.run(kNow, kGoOn)) {}
  EXPECT_EQ(box.size(), 0U);
  std::vector<std::string> of_first;
  for (const std::string& id : ids_of(receiver)) {
    if (id.find("01-") != std::string::npos) { of_first.push_back(id.substr(id.rfind('-'))); }
  }
  EXPECT_EQ(of_first, (std::vector<std::string>{"-1", "-2", "-3"}));
  EXPECT_EQ(rounds.figures().delivered, 4U);
  EXPECT_EQ(rounds.figures().last_delivered, kNow);
}

TEST(OutputRounds, RestWhileTheReceiverIsAwayAndRepeatWithTheSameId) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t number) {
    return number == 1 ? LoopbackReceiver::answer(503, "", "retry-after: 30\r\n") : LoopbackReceiver::answer(200);
  });
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  box.add(stored(denied_alert(), 2));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
  EXPECT_FALSE(rounds.run(kNow, kGoOn));
  EXPECT_EQ(box.due_of(1), after(30));
  EXPECT_EQ(box.attempts_of(1), 1U);
  EXPECT_EQ(box.attempts_of(2), 0U);
  EXPECT_NE(rounds.figures().failure.find("503"), std::string::npos);
  EXPECT_FALSE(rounds.run(after(29), kGoOn));
  EXPECT_EQ(receiver.requests().size(), 1U);
  while (rounds.run(after(30), kGoOn)) {}
  EXPECT_EQ(box.size(), 0U);
  EXPECT_EQ(rounds.figures().failure, "");
  const auto ids = ids_of(receiver);
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_EQ(ids[0], ids[1]);
}

TEST(OutputRounds, TellOnceThatAReceiverIsAwayAndThatItIsBack) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t number) {
    return LoopbackReceiver::answer(number < 3 ? 500 : number == 4 ? 400 : 200);
  });
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  const Outbox doors = box.doors();
  std::vector<OutputNotice::Kind> told;
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""), [&](const OutputNotice& notice) {
    EXPECT_EQ(notice.output, "soc");
    EXPECT_FALSE(notice.text.empty());
    told.push_back(notice.kind);
  });
  for (const std::int64_t seconds : {0, 1000, 2000}) { (void)rounds.run(after(seconds), kGoOn); }
  box.add(stored(tor_alert(), 2));
  (void)rounds.run(after(3000), kGoOn);
  EXPECT_EQ(told, (std::vector<OutputNotice::Kind>{OutputNotice::Kind::kAway, OutputNotice::Kind::kBack,
                                                   OutputNotice::Kind::kDeadLetter}));
}

TEST(OutputRounds, BuryWhatIsRefusedAndGoOn) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t number) {
    return LoopbackReceiver::answer(number == 1 ? 400 : 200, "no such field");
  });
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1, 1));
  box.add(stored(tor_alert(), 1, 2));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
  for (int round = 0; round < 3; ++round) { (void)rounds.run(kNow, kGoOn); }
  EXPECT_EQ(box.size(), 0U);
  ASSERT_EQ(box.buried().size(), 1U);
  EXPECT_NE(box.buried().at(1).find("answered 400: no such field"), std::string::npos);
  EXPECT_EQ(rounds.figures().dead_letters, 1U);
  EXPECT_EQ(rounds.figures().delivered, 1U);
}

TEST(OutputRounds, CountFailuresInARowUntilSomethingIsDelivered) {
  std::atomic<int> status = 401;
  const LoopbackReceiver receiver(
      [&](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(status, "who are you"); });
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
  for (const std::int64_t seconds : {0, 100, 200}) { (void)rounds.run(after(seconds), kGoOn); }
  EXPECT_EQ(rounds.figures().failed_in_row, 3U);
  EXPECT_NE(rounds.figures().last_failure.find("answered 401"), std::string::npos);
  status = 200;
  (void)rounds.run(after(300), kGoOn);
  EXPECT_EQ(rounds.figures().failed_in_row, 0U);
  EXPECT_EQ(rounds.figures().failed_attempts, 3U);
}

TEST(OutputRounds, BuryAfterSoManyAttemptsOrSoMuchTime) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(500); });
  OutputOptions options = webhook(receiver);
  options.most_attempts = 3;
  options.most_age_hours = 1;
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(options, {}, ""));
  for (const std::int64_t seconds : {0, 100, 200}) { (void)rounds.run(after(seconds), kGoOn); }
  EXPECT_EQ(box.size(), 0U);
  EXPECT_EQ(receiver.requests().size(), 3U);
  box.add(stored(tor_alert(), 2));
  (void)rounds.run(after(3600), kGoOn);
  EXPECT_EQ(box.buried().size(), 2U);
}

TEST(OutputRounds, RepeatNothingWhileTheStoreCannotWriteDownWhatWasDelivered) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); });
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
  box.writes_fail = true;
  for (const std::int64_t seconds : {0, 5, 10, 20, 40}) { (void)rounds.run(after(seconds), kGoOn); }
  EXPECT_EQ(receiver.requests().size(), 1U);
  EXPECT_NE(rounds.figures().failure.find("disk is full"), std::string::npos);
  box.writes_fail = false;
  (void)rounds.run(after(60), kGoOn);
  EXPECT_EQ(box.size(), 0U);
  EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST(OutputRounds, SendOnlyWhatTheFilterTakes) {
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); });
  OutputOptions options = webhook(receiver);
  options.filter.minimum_severity = Severity::kMedium;
  options.filter.simulated = false;
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  box.add(stored(denied_alert(), 2));  // Low
  StoredAlert backfilled = stored(tor_alert(), 3);
  backfilled.backfilled = true;
  box.add(backfilled);
  StoredAlert simulated = stored(tor_alert(), 4);
  simulated.simulated = true;
  box.add(simulated);
  StoredAlert learning = stored(tor_alert(), 5);
  learning.alert.learning = true;
  box.add(learning);
  const Outbox doors = box.doors();
  OutputRounds rounds(doors, Output(options, {}, ""));
  while (rounds.run(kNow, kGoOn)) {}
  EXPECT_EQ(box.size(), 0U);
  EXPECT_EQ(receiver.requests().size(), 1U);
  EXPECT_EQ(rounds.figures().not_taken, 4U);
}

TEST(OutboxDispatcher, DeliversInTheBackgroundAndStopsAtOnceWhileAReceiverHangs) {
  std::atomic<bool> release = false;
  const LoopbackReceiver hanging([&](const ReceivedRequest&, std::size_t) {
    while (!release) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    return LoopbackReceiver::answer(200);
  });
  OutputOptions options = webhook(hanging);
  options.timeout_seconds = 120;
  MemoryOutbox box;
  box.add(stored(tor_alert(), 1));
  {
    OutboxDispatcher dispatcher(box.doors(), {options}, {}, "", [] { return kNow; });
    dispatcher.start();
    dispatcher.notify();
    while (hanging.requests().empty()) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    dispatcher.stop();  // the test hangs if this waits for the receiver
    EXPECT_EQ(dispatcher.figures().at(0).delivered, 0U);
  }
  release = true;
  EXPECT_EQ(box.size(), 1U);
}

// With the real store: what was sent and not written down is sent again, with the same id.
TEST(OutboxDispatcher, ReplacesOutputsAndLeavesTheOthersUndisturbed) {
  const auto takes = [](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); };
  const LoopbackReceiver stays(takes);
  const LoopbackReceiver before(takes);
  const LoopbackReceiver now(takes);
  OutputOptions kept = webhook(stays);
  kept.name = "kept";
  OutputOptions changed = webhook(before);
  changed.name = "changed";
  const StoreFolder folder;
  auto store = folder.open();
  OutboxDispatcher dispatcher(outbox_of(*store), {kept, changed}, {}, "", [] { return kNow; });
  dispatcher.start();
  const auto raise = [&](std::uint64_t number) {
    const std::vector<RaisedRevision> revisions = {{made_alert(number), false, "", {"kept", "changed"}}};
    ASSERT_TRUE(store->add_revisions(revisions, kNow));
    dispatcher.notify();
  };
  const auto await_empty = [&] {
    const auto begun = std::chrono::steady_clock::now();
    while (store->figures()->outbox > 0 && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(store->figures()->outbox, 0U);
  };
  raise(1);
  await_empty();
  changed = webhook(now);
  changed.name = "changed";
  OutputOptions added = webhook(now);
  added.name = "added";
  dispatcher.replace({added, changed, kept});
  raise(2);
  await_empty();
  EXPECT_EQ(stays.requests().size(), 2U);
  EXPECT_EQ(before.requests().size(), 1U);
  EXPECT_EQ(now.requests().size(), 1U);
  const auto figures = dispatcher.figures();
  ASSERT_EQ(figures.size(), 3U) << "in the order of the configuration";
  EXPECT_EQ(figures[0].name, "added");
  EXPECT_EQ(figures[1].delivered, 1U) << "it began anew";
  EXPECT_EQ(figures[2].delivered, 2U) << "it went on";
  dispatcher.replace({kept});
  EXPECT_EQ(dispatcher.figures().size(), 1U);
}

TEST(OutboxDispatcher, DeliversAtLeastOnceAcrossARestart) {
  const fs::path folder = fs::temp_directory_path() / ("keyvigil_dispatcher_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const std::string path = folder / "store.db";
  const LoopbackReceiver receiver([](const ReceivedRequest&, std::size_t) { return LoopbackReceiver::answer(200); });
  const auto some = [&] {
    std::vector<RaisedRevision> revisions;
    for (const std::uint64_t number : {1U, 2U, 3U}) {
      revisions.push_back({stored(tor_alert(), number).alert, false, "", {"soc"}});
    }
    return revisions;
  }();
  {
    auto store = Store::open(path);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->add_revisions(some, kNow));
    // As a crash after sending leaves it: sent, not written down.
    Outbox doors = outbox_of(**store);
    doors.delivered = [](std::span<const std::uint64_t>) { return fail(ErrorKind::kInputOutput, "killed"); };
    OutputRounds rounds(doors, Output(webhook(receiver), {}, ""));
    (void)rounds.run(kNow, kGoOn);
  }
  const auto first = ids_of(receiver);
  ASSERT_EQ(first.size(), 3U);
  {
    auto store = Store::open(path);
    ASSERT_TRUE(store) << store.error().message;
    OutboxDispatcher dispatcher(outbox_of(**store), {webhook(receiver)}, {}, "", [] { return kNow; });
    dispatcher.start();
    while (dispatcher.figures().at(0).delivered < 3) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }
    dispatcher.stop();
    // Everything is written down when the round has ended.
    EXPECT_EQ((*store)->figures()->outbox, 0U);
  }
  auto second = ids_of(receiver);
  ASSERT_EQ(second.size(), 6U);
  second.erase(second.begin(), second.begin() + 3);
  EXPECT_EQ(second, first);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace keyvigil
