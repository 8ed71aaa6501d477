#include "serve/followed_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "unit/source/folder.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

using Names = std::vector<std::string>;

// A store and a loop that is not run: what is followed stays in the journal.
class FollowedInputsTest : public testing::Test {
 protected:
  FollowedInputsTest() {
    LiveReports reports;
    reports.now = [this] { return now(); };
    reports.warn = [](const std::string&) {};
    loop_.emplace(*store_, LiveOptions{}, std::move(reports));
    EXPECT_TRUE(loop_->open({}, {}, {}));
    follow();
  }
  void follow() {
    inputs_.emplace(
        *store_, *loop_, clock_doubt_, [this] { return now(); },
        [this](const std::string&, const std::string& text) {
          const std::lock_guard lock(told_mutex_);
          told_.push_back(text);
        });
  }
  EventTime now() const { return EventTime{now_ticks_}; }
  InputConfig folder(const std::string& name) const {
    InputConfig config;
    config.folder = root_.path() + "/" + name;
    config.poll_seconds = 1;
    return config;
  }
  std::string name(const std::string& folder) const { return "folder/" + root_.path() + "/" + folder; }
  void write(const std::string& name) const {
    root_.write(name, R"({"time":"2026-05-05T08:00:00Z"})"
                      "\n");
  }

  InputChanges change(const std::vector<InputConfig>& configs) {
    InputChanges changes;
    auto wanted = inputs_->prepare(configs);
    EXPECT_TRUE(wanted) << message_of(wanted);
    if (wanted) { EXPECT_TRUE(inputs_->change(*std::move(wanted), changes)); }
    return changes;
  }
  // "<kind> <input behind the root> <item behind the root>" of each entry of the journal.
  Names journal() const {
    Names lines;
    const auto entries = store_->read_journal(0, std::size_t{1} << 30);
    EXPECT_TRUE(entries) << message_of(entries);
    for (const StoredEntry& stored : *entries) {
      const JournalEntry& entry = stored.entry;
      if (entry.kind == JournalKind::kSettings || entry.kind == JournalKind::kLists) { continue; }
      if (entry.kind == JournalKind::kInput && entry.body.empty()) { continue; }
      lines.push_back(std::to_string(static_cast<int>(entry.kind)) + " " + entry.input.substr(entry.input.rfind('/')) +
                      " " + entry.item.substr(entry.item.rfind('/') + 1));
    }
    return lines;
  }
  void await(const std::function<bool()>& reached) const {
    const auto begun = std::chrono::steady_clock::now();
    while (!reached() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(reached());
  }
  void await_journal(std::size_t entries) const {
    await([&] { return journal().size() >= entries; });
  }

  std::atomic<std::int64_t> now_ticks_ = parse_iso_time("2026-05-05T08:00:00Z").value().ticks;
  ClockDoubt clock_doubt_;
  std::mutex told_mutex_;
  Names told_;  // by the followers' threads
  Folder root_;
  StoreFolder folder_;
  std::unique_ptr<Store> store_ = folder_.open();
  std::optional<LiveLoop> loop_;
  std::optional<FollowedInputs> inputs_;
};

TEST_F(FollowedInputsTest, FollowTheConfiguration) {
  write("a/one.json");
  write("b/one.json");
  InputChanges changes = change({folder("a"), folder("b")});
  EXPECT_EQ(changes.started, (Names{name("a"), name("b")}));
  await_journal(2);
  InputConfig slower = folder("b");
  slower.poll_seconds = 2;
  write("c/one.json");
  changes = change({folder("a"), slower, folder("c")});
  EXPECT_EQ(changes.started, Names{name("c")});
  EXPECT_EQ(changes.restarted, Names{name("b")});
  EXPECT_EQ(changes.stopped, Names{});
  await_journal(3);
  write("b/two.json");
  await_journal(4);
  Names lines = journal();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Names{"0 /a one.json", "0 /b one.json", "0 /b two.json", "0 /c one.json"})) << "nothing twice";
  changes = change({folder("a"), slower, folder("c")});
  EXPECT_TRUE(changes.started.empty() && changes.restarted.empty() && changes.stopped.empty());
}

TEST_F(FollowedInputsTest, WhatSaysThatTheClockIsSlowWaitsUntilItIsRightAndIsToldOnce) {
  std::string ahead;
  for (const char* second : {"01", "02"}) {
    ahead += std::string(R"({"time":"2026-05-05T10:00:)") + second +
             R"(Z","category":"AuditEvent","operationName":"SecretGet","resultType":"Success",)"
             R"("callerIpAddress":"192.0.2.10","properties":{"id":"https://kv-a.vault.azure.net/secrets/db"},)"
             R"("resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-A"})"
             "\n";
  }
  root_.write("a/ahead.json", ahead);
  write("a/one.json");
  change({folder("a")});
  await_journal(1);
  const auto told = [this] {
    const std::lock_guard lock(told_mutex_);
    return told_;
  };
  await([&] { return !told().empty(); });
  EXPECT_EQ(journal(), Names{"0 /a one.json"}) << "the others go on";
  EXPECT_EQ(clock_doubt_.held(now()).pieces, 1U);
  now_ticks_ = parse_iso_time("2026-05-05T10:00:00Z").value().ticks;
  await_journal(2);
  EXPECT_EQ(journal(), (Names{"0 /a one.json", "0 /a ahead.json"}));
  ASSERT_EQ(told().size(), 1U);
  EXPECT_NE(told()[0].find("clock"), std::string::npos) << told()[0];
}

TEST_F(FollowedInputsTest, OneThatIsRemovedEndsAndGoesOnWhereItWasWhenItIsPutBack) {
  write("a/one.json");
  change({folder("a")});
  await_journal(1);
  EXPECT_EQ(change({}).stopped, Names{name("a")});
  write("a/two.json");
  EXPECT_EQ(journal(), (Names{"0 /a one.json", "6 /a "})) << "and is told to have ended";
  change({});
  EXPECT_EQ(journal().size(), 2U) << "once";
  EXPECT_EQ(change({folder("a")}).started, Names{name("a")});
  await_journal(3);
  EXPECT_EQ(journal(), (Names{"0 /a one.json", "6 /a ", "0 /a two.json"}));
  // The next time it is told again.
  change({});
  EXPECT_EQ(journal().back(), "6 /a ");
}

TEST_F(FollowedInputsTest, OneThatAnEarlierRunFollowedEndsAtTheStart) {
  write("a/one.json");
  change({folder("a")});
  await_journal(1);
  follow();  // as after a restart
  EXPECT_EQ(change({}).stopped, Names{}) << "this run did not follow it";
  EXPECT_EQ(journal(), (Names{"0 /a one.json", "6 /a "}));
}

TEST_F(FollowedInputsTest, WhereItStoodIsForgottenAfterItsTime) {
  write("a/one.json");
  change({folder("a")});
  await_journal(1);
  change({});
  EXPECT_GE(store_->positions(name("a"))->size(), 3U);
  now_ticks_ += FollowedInputs::kKeptDays * EventTime::kTicksPerDay;
  change({});
  EXPECT_GE(store_->positions(name("a"))->size(), 3U);
  now_ticks_ += 1;
  change({});
  EXPECT_TRUE(store_->positions(name("a"))->empty());
}

TEST_F(FollowedInputsTest, WhatCannotBeUsedIsRefusedAndChangesNothing) {
  write("a/one.json");
  change({folder("a")});
  await_journal(1);
  const auto twice = inputs_->prepare({folder("b"), folder("c"), folder("b")});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().kind, ErrorKind::kUsage);
  EXPECT_NE(twice.error().message.find("twice"), std::string::npos) << twice.error().message;
  InputConfig container;
  container.container = "https://account.blob.example/logs";
  container.sas.file = root_.path() + "/missing";
  EXPECT_FALSE(inputs_->prepare({container}));
  write("a/two.json");
  await_journal(2);
}

TEST_F(FollowedInputsTest, PrefixesOfAContainerAreInputsOfTheirOwn) {
  root_.write("sas", "sv=1&sig=secret");
  InputConfig one;
  one.container = "https://account.blob.example/logs";
  one.sas.file = root_.path() + "/sas";
  InputConfig other = one;
  other.prefix = "resourceId=/x/";
  const auto wanted = inputs_->prepare({one, other});
  ASSERT_TRUE(wanted) << message_of(wanted);
  EXPECT_EQ((*wanted)[0].input.name(), "container/https://account.blob.example/logs");
  EXPECT_EQ((*wanted)[1].input.name(), "container/https://account.blob.example/logs/resourceId=/x/");
}

}  // namespace
}  // namespace keyvigil
