#include "serve/live_loop.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr const char* kTor = "203.0.113.66";
constexpr const char* kOffice = "192.0.2.10";
constexpr const char* kSubscription = "cccccccc-0000-4000-8000-000000000003";
constexpr const char* kOtherSubscription = "cccccccc-0000-4000-8000-000000000004";
const EventTime kMorning = parse_iso_time("2026-05-05T08:00:00Z").value();

EventTime later(std::int64_t minutes) {
  return EventTime{kMorning.ticks + minutes * EventTime::kTicksPerMinute};
}

struct Access {
  std::int64_t minute = 0;  // after kMorning
  std::string address = kOffice;
  std::string vault = "kv-pay";
  std::string subscription = kSubscription;
};

std::string record(const Access& access) {
  return fmt::format(
      R"({{"time":"{}","category":"AuditEvent","operationName":"SecretGet","resultType":"Success",)"
      R"("resultSignature":"OK","callerIpAddress":"{}","correlationId":"dddddddd-0000-4000-8000-{:012}",)"
      R"("identity":{{"claim":{{"appid":"bbbbbbbb-0000-4000-8000-000000000002"}}}},)"
      R"("properties":{{"id":"https://{}.vault.azure.net/secrets/db","httpStatusCode":200,)"
      R"("requestUri":"https://{}.vault.azure.net/secrets/db?api-version=7.4"}},)"
      R"("resourceId":"/SUBSCRIPTIONS/{}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{}"}})"
      "\n",
      to_iso_milliseconds(later(access.minute)), access.address, access.minute, access.vault, access.vault,
      access.subscription, access.vault);
}

std::string vault_id(const std::string& vault) {
  return fmt::format("/subscriptions/{}/resourcegroups/rg/providers/microsoft.keyvault/vaults/{}", kSubscription,
                     vault);
}

JournalEntry logs(const std::vector<Access>& accesses, EventTime received, const std::string& item = "") {
  JournalEntry entry;
  entry.input = "logs";
  entry.item = item;
  entry.received_ticks = received.ticks;
  for (const Access& access : accesses) { entry.body += record(access); }
  return entry;
}

ListArchive tor_list() {
  ListArchive lists;
  lists.files.push_back({ListRole::kTor, "exits.txt", std::string(kTor) + "\n"});
  return lists;
}

// A store, a clock, and one loop after another on them.
class LiveLoopTest : public testing::Test {
 protected:
  LiveLoopTest() { store_ = folder_.open(); }

  void start(const LiveSettings& settings = {}, const ListArchive& lists = tor_list()) {
    LiveOptions options;
    options.stop_seconds = 60;
    options.outputs = {"hook"};
    options.keep_events = keep_events_;
    options.keep_events_bytes = keep_events_bytes_;
    options.journal_read_bytes = 1 << 20;
    options.checkpoint_seconds = checkpoint_seconds_;
    options.waiting_room = waiting_room_;
    LiveReports reports;
    reports.now = [this] { return now_; };
    reports.warn = [this](const std::string& text) { warnings_.push_back(text); };
    loop_.emplace(*store_, options, reports);
    const auto opened = loop_->open(state_, settings, lists);
    ASSERT_TRUE(opened) << message_of(opened);
  }
  void append(const JournalEntry& entry) {
    const auto appended = loop_->append({&entry, 1});
    ASSERT_TRUE(appended) << message_of(appended);
  }
  // Decides what is journalled and saves.
  void run() {
    loop_->stop();
    const auto ran = loop_->run();
    ASSERT_TRUE(ran) << message_of(ran);
  }
  void start_again(const LiveSettings& settings = {}, const ListArchive& lists = tor_list()) {
    loop_.reset();
    store_.reset();
    store_ = folder_.open();
    start(settings, lists);
  }
  // Lets it look after itself once, as it does each second.
  void look_after_itself() {
    const LiveView view = loop_->view();
    std::thread thread([this] { EXPECT_TRUE(loop_->run()); });
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      const auto figures = view.figures();
      if (!figures || figures->events_decided > 0) { break; }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    loop_->stop();
    thread.join();
  }
  // Runs it in a thread until `done`, and stops it.
  template <typename Done>
  void run_until(const Done& done) {
    std::thread thread([this] { EXPECT_TRUE(loop_->run()); });
    const auto begun = std::chrono::steady_clock::now();
    while (!done() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(done());
    loop_->stop();
    thread.join();
  }
  // What of alerts is in the store, down to each delivery: whatever is decided again must leave it as it is.
  static std::string kept_alerts(const Store& store, EventTime now) {
    std::string all;
    const auto page = store.alerts({});
    EXPECT_TRUE(page) << message_of(page);
    for (const StoredAlert& stored : page->alerts) {
      const auto history = store.history(stored.alert.id);
      EXPECT_TRUE(history) << message_of(history);
      all += fmt::format("{} {} {} open {} changes", stored.alert.id, stored.alert.revision, stored.alert.evidence(),
                         stored.alert.open);
      for (const AlertChange& change : *history) { all += fmt::format(" {} {}", change.revision, change.note); }
      all += "\n";
    }
    const auto figures = store.figures();
    EXPECT_TRUE(figures) << message_of(figures);
    const auto due = store.due("hook", now, 100);
    EXPECT_TRUE(due) << message_of(due);
    return all + fmt::format("outbox {} due {}", figures->outbox, due->size());
  }
  std::vector<StoredAlert> alerts() {
    auto page = store_->alerts({});
    EXPECT_TRUE(page) << message_of(page);
    return page ? page->alerts : std::vector<StoredAlert>{};
  }
  // Two vaults and an hour, so that the clock is believed and everything before it is decided.
  JournalEntry much_later(std::int64_t minute) {
    now_ = later(minute + 120);
    return logs({{minute, kOffice, "kv-a"},
                 {minute, kOffice, "kv-b"},
                 {minute + 60, kOffice, "kv-a"},
                 {minute + 60, kOffice, "kv-b"}},
                later(minute + 60));
  }

  StoreFolder folder_;
  std::unique_ptr<Store> store_;
  EventTime now_ = later(0);
  bool keep_events_ = true;
  std::size_t keep_events_bytes_ = LiveOptions().keep_events_bytes;
  std::int64_t checkpoint_seconds_ = LiveOptions().checkpoint_seconds;
  WaitingRoom waiting_room_;
  std::optional<Checkpoint> state_;
  std::optional<LiveLoop> loop_;
  std::vector<std::string> warnings_;
};

TEST_F(LiveLoopTest, KeepsTheAlertOfAJournalledRecord) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  run();
  const auto found = alerts();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].alert.type, AlertType::kTORAccess);
  EXPECT_EQ(found[0].alert.generated, later(1));
  EXPECT_FALSE(found[0].backfilled);
  EXPECT_EQ(found[0].status, AlertStatus::kActive);
  const auto due = store_->due("hook", now_, 10);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->size(), 1U);
}

TEST_F(LiveLoopTest, DecidesTheSameWhereverItWasStoppedBetweenEntries) {
  const std::vector<JournalEntry> entries = {logs({{0}, {1, kTor}}, later(3)), logs({{2, kTor}, {3}}, later(4)),
                                             logs({{4, kTor}, {5, kTor}}, later(6)), much_later(60)};
  start();
  for (const JournalEntry& entry : entries) { append(entry); }
  run();
  const auto whole = alerts();
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_GT(whole[0].alert.revision, 1U);

  StoreFolder other;
  store_.reset();
  store_ = *Store::open(other.path());
  for (const JournalEntry& entry : entries) {
    loop_.reset();
    store_.reset();
    store_ = *Store::open(other.path());
    start();
    append(entry);
    run();
  }
  const auto pieces = alerts();
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].alert, whole[0].alert);
}

TEST_F(LiveLoopTest, MarksWhatIsLoadedOfThePastAndSendsItNowhere) {
  start();
  JournalEntry past = logs({{0}, {1, kTor}, {2}}, later(3));
  past.backfill = true;
  append(past);
  append(much_later(60));
  run();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_TRUE(alerts()[0].backfilled);
  EXPECT_TRUE(store_->due("hook", now_, 10)->empty());
}

TEST_F(LiveLoopTest, KeepsDecidedEventsOnceAlsoAcrossRuns) {
  start();
  append(logs({{0}, {1, kTor}, {2}, {2}}, later(3)));
  append(much_later(60));
  run();
  start_again();
  append(much_later(600));
  run();
  EventQuery query;
  query.vault_id = vault_id("kv-pay");
  auto page = store_->events(query);
  ASSERT_TRUE(page) << message_of(page);
  ASSERT_EQ(page->events.size(), 3U);
  EXPECT_EQ(page->events[0].time, later(2));
  EXPECT_EQ(page->events[2].time, later(0));
  EXPECT_TRUE(page->next.empty());
  query.vault_id = vault_id("kv-a");
  page = store_->events(query);
  ASSERT_TRUE(page) << message_of(page);
  EXPECT_EQ(page->events.size(), 3U) << "the newest is not decided yet";
}

TEST_F(LiveLoopTest, KeepsEventsOnceAlsoWhereTheyDoNotWaitForTheCheckpoint) {
  keep_events_bytes_ = 1;
  start();
  for (std::int64_t entry = 0; entry < 3; ++entry) {
    std::vector<Access> accesses;
    for (std::int64_t i = 0; i < 3000; ++i) { accesses.push_back({entry * 3000 + i}); }
    now_ = later(9000);
    append(logs(accesses, now_));
  }
  append(much_later(9060));
  run();
  start_again();
  const auto figures = store_->figures();
  ASSERT_TRUE(figures) << message_of(figures);
  EXPECT_EQ(figures->events.events, 9002U);
}

TEST_F(LiveLoopTest, KeepsNoEventWhereNoneIsWanted) {
  keep_events_ = false;
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  run();
  EXPECT_EQ(store_->figures()->events.events, 0U);
}

TEST_F(LiveLoopTest, RefusesWhatIsAheadOfTheClock) {
  start();
  append(logs({{0}, {30, kTor}}, later(5)));
  run();
  start_again();
  append(much_later(120));
  run();
  EXPECT_TRUE(alerts().empty());
}

TEST_F(LiveLoopTest, MovesTimeOnWhereEveryInputIsQuiet) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  run();
  EXPECT_TRUE(alerts().empty());  // within the lateness of the newest event
  now_ = later(10);
  start_again();
  now_ = later(40);  // more than five minutes after the start: the input is idle, and the lateness has passed
  look_after_itself();
  ASSERT_EQ(alerts().size(), 1U);
}

TEST_F(LiveLoopTest, WaitsForNothingOfAnInputThatIsRemoved) {
  start();
  loop_->follow_only({"folder/a"});
  // Of the past, so that it is never idle: what is ahead of it waits.
  JournalEntry past = logs({{0}, {1, kTor}}, later(3), "one");
  past.input = "folder/a";
  past.backfill = true;
  append(past);
  append(much_later(60));
  run();
  EXPECT_TRUE(alerts().empty());
  start_again();
  loop_->follow_only({});
  JournalEntry removed;
  removed.kind = JournalKind::kRemoved;
  removed.input = "folder/a";
  removed.received_ticks = now_.ticks;
  append(removed);
  JournalEntry after = much_later(180);
  append(after);
  run();
  ASSERT_EQ(alerts().size(), 1U) << "it is decided now";
}

TEST_F(LiveLoopTest, TellsInputsThatAreNoLongerFollowed) {
  start();
  JournalEntry entry = logs({{0}}, later(3), "one");
  entry.input = "folder/a";
  append(entry);
  append(much_later(60));
  loop_->report_input("folder/a", {.failure = "unreadable"});
  const auto removed = [&](const std::string& name) {
    const LiveView view = loop_->view();
    std::thread thread([this] { EXPECT_TRUE(loop_->run()); });
    std::optional<bool> found;
    const auto begun = std::chrono::steady_clock::now();
    while (!found && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
      const auto figures = view.figures();
      for (const InputHealth& input : figures ? figures->inputs : std::vector<InputHealth>{}) {
        if (input.name == name && input.records > 0) { found = input.removed; }
        if (input.name == name && input.removed) { EXPECT_EQ(input.report.failure, "") << "it is nobody's any more"; }
      }
    }
    loop_->stop();
    thread.join();
    return found.value_or(false);
  };
  loop_->follow_only({"folder/a"});
  EXPECT_FALSE(removed("folder/a"));
  start_again();
  loop_->follow_only({});
  EXPECT_TRUE(removed("folder/a"));
  start_again();
  EXPECT_FALSE(removed("logs")) << "who sends by HTTP is not in the configuration";
}

TEST_F(LiveLoopTest, DecidesEachRecordByTheListsOfItsPlace) {
  start({}, {});
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  ASSERT_TRUE(loop_->change({}, tor_list()));
  append(logs({{130, kTor}, {131, kTor, "kv-b"}}, later(132)));
  append(much_later(240));
  run();
  const auto found = alerts();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].alert.generated, later(130));
}

TEST_F(LiveLoopTest, JudgesNamedEstatesApartAndKeepsWhatTheyLearnedWhereTheyAreRenamedAround) {
  LiveSettings settings;
  settings.estates.push_back({"lab", {kOtherSubscription}});
  start(settings);
  append(logs({{0}, {1, kTor, "kv-lab", kOtherSubscription}, {1, kTor, "kv-pay", kSubscription}}, later(3)));
  run();
  EXPECT_TRUE(alerts().empty());
  // The estate is given up: what it held is decided.
  start_again();
  run();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].alert.subscription_id, kOtherSubscription);
  EXPECT_FALSE(alerts()[0].alert.open);
  start_again();
  append(much_later(60));
  run();
  EXPECT_EQ(alerts().size(), 2U);
}

TEST_F(LiveLoopTest, DismissesWhatARuleCovers) {
  SuppressionRule rule;
  rule.subscription_id = kSubscription;
  rule.name = "known exits";
  rule.alert_type = "KV_TORAccess";
  ASSERT_TRUE(store_->put_rule(rule, done_by("alice", "rule.put")));
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  run();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].status, AlertStatus::kDismissed);
  EXPECT_EQ(alerts()[0].dismissed_by_rule, "known exits");
  EXPECT_TRUE(store_->due("hook", now_, 10)->empty());
}

TEST_F(LiveLoopTest, ClosesAlertsInTheStoreWithoutAnotherRevision) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  run();
  ASSERT_TRUE(alerts()[0].alert.open);
  const std::uint64_t revision = alerts()[0].alert.revision;
  start_again();
  append(much_later(4 * 24 * 60));
  run();
  EXPECT_FALSE(alerts()[0].alert.open);
  EXPECT_EQ(alerts()[0].alert.revision, revision);
}

TEST_F(LiveLoopTest, RefusesTheStateOfAnotherRunInAStoreThatHasOne) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  run();
  const auto saved = store_->last_checkpoint();
  ASSERT_TRUE(saved && *saved);
  Checkpoint state;
  for (const char* section : {"order", "engine", "repeats"}) {
    state.sections[section] = (*saved)->sections.at(std::string("estate//") + section);
  }
  state_ = state;
  LiveLoop again(*store_, {}, {[this] { return now_; }, {}, {}});
  const auto refused = again.open(state_, {}, tor_list());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
}

TEST_F(LiveLoopTest, ReadsACheckpointThatDoesNotSayItsVersionAndRefusesANewerOne) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  run();
  loop_.reset();
  const auto save_as = [&](const std::string& format) {
    auto saved = store_->last_checkpoint();
    CheckpointCommit commit;
    commit.consumed_to = (*saved)->consumed_to;
    (*saved)->sections.erase("format");
    if (!format.empty()) { (*saved)->sections["format"] = format; }
    for (const auto& [name, bytes] : (*saved)->sections) { commit.sections[name] = section_of(bytes); }
    EXPECT_TRUE(store_->commit(commit));
  };
  const auto refusal = [&] {
    LiveLoop again(*store_, {}, {[this] { return now_; }, {}, {}});
    const auto opened = again.open({}, {}, tor_list());
    return opened ? std::string() : opened.error().message;
  };
  save_as("1000");
  EXPECT_NE(refusal().find("found '1000': a newer KeyVigil wrote it"), std::string::npos);
  save_as("seven");
  EXPECT_NE(refusal().find("found 'seven': it is damaged"), std::string::npos);
  save_as("");
  EXPECT_EQ(refusal(), "");
}

TEST_F(LiveLoopTest, AnswersQuestionsWhileItRuns) {
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  const LiveView view = loop_->view();
  std::thread thread([this] { EXPECT_TRUE(loop_->run()); });
  auto figures = view.figures();
  while (figures && figures->inputs.empty()) { figures = view.figures(); }
  loop_->stop();
  thread.join();
  ASSERT_TRUE(figures) << message_of(figures);
  EXPECT_EQ(figures->inputs.at(0).records, 3U);
  EXPECT_EQ(figures->held, 3U);
  EXPECT_TRUE(figures->problems.empty());
}

TEST_F(LiveLoopTest, AnAlertIsKeptLongBeforeTheNextCheckpoint) {
  checkpoint_seconds_ = 100'000;
  start();
  append(logs({{0}, {1, kTor}, {2}}, later(3)));
  append(much_later(60));
  const StoreFolder killed;
  run_until([&] {
    if (alerts().empty()) { return false; }
    EXPECT_EQ((*store_->last_checkpoint())->consumed_to, 0U);
    EXPECT_EQ(store_->due("hook", now_, 10)->size(), 1U);
    // As kill -9 leaves it.
    if (!std::filesystem::exists(killed.path())) {
      for (const char* end : {"", "-wal"}) { std::filesystem::copy(folder_.path() + end, killed.path() + end); }
    }
    return true;
  });
  const std::string expected = kept_alerts(*store_, now_);
  loop_.reset();
  store_ = *Store::open(killed.path());
  EXPECT_EQ((*store_->last_checkpoint())->consumed_to, 0U);
  ASSERT_EQ(alerts().size(), 1U) << "it was durable";
  start();
  run();
  EXPECT_GT((*store_->last_checkpoint())->consumed_to, 0U);
  EXPECT_EQ(kept_alerts(*store_, now_), expected) << "decided again, kept once";
}

TEST_F(LiveLoopTest, ShowsAnOpenAlertWithEvidenceThatNoRevisionHolds) {
  start();
  append(logs({{0}, {1, kTor}, {2, kTor}, {3, kTor}}, later(4)));
  append(much_later(60));
  std::vector<Alert> open;
  const LiveView view = loop_->view();
  run_until([&] {
    const std::vector<StoredAlert> stored = alerts();
    if (stored.empty() || stored[0].alert.revision < 2) { return false; }
    const auto asked = view.open_alerts({{later(1), stored[0].alert.id}, {later(1), "another"}});
    EXPECT_TRUE(asked) << message_of(asked);
    open = asked.value_or(std::vector<Alert>{});
    return true;
  });
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].suspicious_events, 3U);
  EXPECT_EQ(open[0].records.size(), 3U);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].alert.suspicious_events, 2U) << "of the last revision";
}

TEST_F(LiveLoopTest, WaitsForRoomForWhatWaitsInOrderAlsoAtTheStart) {
  waiting_room_ = {folder_.path("room"), 10};
  std::filesystem::create_directory(waiting_room_.folder);
  start();
  std::vector<Access> accesses;
  for (std::int64_t i = 0; i < 40; ++i) { accesses.push_back({1, i == 0 ? kTor : kOffice, fmt::format("kv-{}", i)}); }
  append(logs(accesses, later(3)));
  run();  // all of it waits: thirty on disk
  loop_.reset();

  std::filesystem::remove_all(waiting_room_.folder);
  LiveOptions options;
  options.stop_seconds = 60;
  options.waiting_room = waiting_room_;
  loop_.emplace(*store_, options, LiveReports{[this] { return now_; }, [](const std::string&) {}, {}});
  const auto refused = loop_->open({}, {}, tor_list());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kNoRoom);
  EXPECT_NE(loop_->obstacle().find("give --tmp a folder"), std::string::npos) << loop_->obstacle();
  EXPECT_FALSE(loop_->change({}, {})) << "nothing is journalled ahead of the start";
  std::filesystem::create_directory(waiting_room_.folder);
  ASSERT_TRUE(loop_->wait_for_room());
  ASSERT_EQ(message_of(loop_->open({}, {}, tor_list())), "");
  EXPECT_EQ(loop_->obstacle(), "");

  // Full again while it runs: what was taken is kept, no more is taken, and it goes on by itself.
  std::filesystem::remove_all(waiting_room_.folder);
  accesses.clear();
  for (std::int64_t i = 0; i < 40; ++i) { accesses.push_back({2, kOffice, fmt::format("kv-{}", i)}); }
  append(logs(accesses, later(3)));
  const LiveView view = loop_->view();
  bool refused_input = false;
  run_until([&] {
    if (!refused_input) {
      if (loop_->obstacle().empty()) { return false; }
      const JournalEntry more = logs({{2, kOffice, "kv-more"}}, later(3));
      const auto appended = loop_->append({&more, 1});
      EXPECT_FALSE(appended);
      const auto figures = view.figures();
      EXPECT_TRUE(figures) << message_of(figures);
      EXPECT_TRUE(figures && figures->problems.size() == 1 && figures->problems[0].kind == "store");
      refused_input = true;
      std::filesystem::create_directory(waiting_room_.folder);
    }
    return loop_->obstacle().empty();
  });
  append(much_later(60));
  start_again();
  run();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(loop_->view().figures().error().kind, ErrorKind::kLimit) << "it has ended";
}

}  // namespace
}  // namespace keyvigil
