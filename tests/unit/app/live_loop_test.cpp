#include "app/live_loop.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
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

}  // namespace
}  // namespace keyvigil
