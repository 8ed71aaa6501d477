#include "serve/ingest_door.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr const char* kOurs = "cccccccc-0000-4000-8000-000000000003";
constexpr const char* kTheirs = "cccccccc-0000-4000-8000-00000000000f";
const EventTime kNow = parse_iso_time("2026-05-05T09:00:00Z").value();

std::string record(const std::string& subscription = kOurs, const std::string& time = "2026-05-05T08:00:00Z") {
  return fmt::format(
      R"({{"time":"{}","category":"AuditEvent","operationName":"SecretGet","resultType":"Success",)"
      R"("callerIpAddress":"192.0.2.10","identity":{{"claim":{{"appid":"bbbbbbbb-0000-4000-8000-000000000002"}}}},)"
      R"("properties":{{"id":"https://kv-a.vault.azure.net/secrets/db","httpStatusCode":200}},)"
      R"("resourceId":"/SUBSCRIPTIONS/{}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-A"}})"
      "\n",
      time, subscription);
}

class IngestDoorTest : public testing::Test {
 protected:
  IngestDoorTest() {
    open_loop();
    before_ = store_->figures()->journal_entries;
  }
  IngestAnswer take(std::string_view body, const std::string& input = "logs") {
    return door().take(input, body, principal_);
  }
  IngestDoor& door() {
    if (!door_) {
      door_.emplace(*loop_, clock_doubt_, limits_, [this] { return now_; });
    }
    return *door_;
  }
  std::uint64_t journalled() { return store_->figures()->journal_entries - before_; }

  // As after a restart: what is journalled is decided, and the door is another one.
  void start_again() {
    loop_->stop();
    EXPECT_TRUE(loop_->run());
    door_.reset();
    loop_.reset();
    open_loop();
  }
  void open_loop() {
    LiveReports reports;
    reports.now = [this] { return now_; };
    reports.warn = [](const std::string& text) { ADD_FAILURE() << text; };
    loop_.emplace(*store_, LiveOptions{}, reports);
    const auto opened = loop_->open({}, {}, {});
    EXPECT_TRUE(opened) << message_of(opened);
  }

  EventTime now_ = kNow;
  ClockDoubt clock_doubt_;
  StoreFolder folder_;
  std::unique_ptr<Store> store_ = folder_.open();
  std::optional<LiveLoop> loop_;
  std::optional<IngestDoor> door_;
  IngestLimits limits_;
  Principal principal_{"sender", {Role::kIngest}, std::nullopt};
  std::uint64_t before_ = 0;
  using Outcome = IngestAnswer::Outcome;
};

TEST_F(IngestDoorTest, JournalsABodyAsItCame) {
  const std::string body = record() + record() + "no record\n";
  const IngestAnswer answer = take(body);
  EXPECT_EQ(answer.outcome, Outcome::kStored) << answer.message;
  EXPECT_EQ(answer.records, 3U);
  const auto entries = store_->read_journal(0, std::size_t{1} << 20);
  ASSERT_TRUE(entries) << message_of(entries);
  ASSERT_FALSE(entries->empty());
  const JournalEntry& entry = entries->back().entry;
  EXPECT_EQ(entry.body, body);
  EXPECT_EQ(entry.input, "logs");
  EXPECT_EQ(entry.received_ticks, kNow.ticks);
  EXPECT_EQ(journalled(), 1U);
  EXPECT_EQ(loop_->waiting_bytes(), body.size());
}

TEST_F(IngestDoorTest, RefusesWhatNoLaterStepCouldRead) {
  for (const std::string& body : {std::string(), std::string("hello"), std::string("{\"a\":1}\n"),
                                  std::string("\x1f\x8b\x08\x00 no gzip"), std::string("<xml/>")}) {
    const IngestAnswer answer = take(body);
    EXPECT_EQ(answer.outcome, Outcome::kMalformed) << body;
    EXPECT_FALSE(answer.message.empty()) << body;
  }
  EXPECT_EQ(journalled(), 0U);
}

TEST_F(IngestDoorTest, RefusesAWholeBodyForOneRecordOfAnotherSubscription) {
  principal_.subscriptions = {kOurs};
  EXPECT_EQ(take(record()).outcome, Outcome::kStored);
  // Also where it is far behind the first ones.
  std::string body;
  for (int i = 0; i < 5000; ++i) { body += record(); }
  body += record(kTheirs);
  const IngestAnswer answer = take(body);
  EXPECT_EQ(answer.outcome, Outcome::kForeign);
  EXPECT_NE(answer.message.find(kTheirs), std::string::npos) << answer.message;
  EXPECT_EQ(journalled(), 1U);
}

TEST_F(IngestDoorTest, RefusesABodyThatUnfoldsBeyondItsLimit) {
  limits_.plain_bytes = 1000;
  EXPECT_EQ(take(record()).outcome, Outcome::kStored);
  std::string body;
  for (int i = 0; i < 10'000; ++i) { body += record(); }
  EXPECT_EQ(take(body).outcome, Outcome::kTooLarge);
  EXPECT_EQ(journalled(), 1U);
}

TEST_F(IngestDoorTest, SaysWhenToComeAgainWhileTooMuchWaits) {
  limits_.waiting_bytes = 100;
  EXPECT_EQ(take(record()).outcome, Outcome::kStored);
  const IngestAnswer answer = take(record());
  EXPECT_EQ(answer.outcome, Outcome::kBusy);
  EXPECT_GT(answer.retry_after_seconds, 0);
  EXPECT_EQ(journalled(), 1U);
  loop_->stop();
  ASSERT_TRUE(loop_->run());
  EXPECT_EQ(take(record()).outcome, Outcome::kStored) << "what waited was decided";
}

TEST_F(IngestDoorTest, JudgesRecordByRecordHoweverManyBadOnesStandFirst) {
  std::string body;
  for (int i = 0; i < 500; ++i) { body += "{\"a\":1}\n"; }
  for (int i = 0; i < 100; ++i) { body += record(); }
  const IngestAnswer answer = take(body);
  EXPECT_EQ(answer.outcome, Outcome::kStored) << answer.message;
  EXPECT_EQ(answer.records, 600U);
  EXPECT_EQ(answer.refused, 500U);
  EXPECT_EQ(answer.refused_by_cause.size(), 1U);
  EXPECT_FALSE(answer.first_refusal.empty());
  EXPECT_EQ(take(body.substr(0, 500 * 8)).outcome, Outcome::kMalformed) << "nothing but bad ones";
  EXPECT_EQ(journalled(), 1U);
}

TEST_F(IngestDoorTest, RefusesAnArrayThatWasCutWhereverAndTakesNothingOfIt) {
  std::string one = record();
  one.pop_back();
  for (const char* begin : {"[", "{\"records\":["}) {
    const std::string whole = begin + one + "," + one + "," + one + (*begin == '[' ? "]" : "]}");
    EXPECT_EQ(take(whole).outcome, Outcome::kStored);
    for (std::size_t size = std::string(begin).size() + 1; size < whole.size() - 1; size += 7) {
      const IngestAnswer answer = take(whole.substr(0, size));
      ASSERT_EQ(answer.outcome, Outcome::kMalformed) << whole.substr(0, size);
      ASSERT_NE(answer.message.find("cut"), std::string::npos) << answer.message;
    }
  }
  EXPECT_EQ(journalled(), 2U);
  // A last line that was cut is one bad record, as everywhere.
  const IngestAnswer answer = take(record() + record().substr(0, 100));
  EXPECT_EQ(answer.outcome, Outcome::kStored);
  EXPECT_EQ(answer.refused, 1U);
}

TEST_F(IngestDoorTest, TakesNothingThatSaysThatTheClockIsSlow) {
  const std::string ahead = record(kOurs, "2026-05-05T10:00:00Z") + record(kOurs, "2026-05-05T10:00:01Z");
  const IngestAnswer answer = take(ahead);
  EXPECT_EQ(answer.outcome, Outcome::kFailed);
  EXPECT_GT(answer.retry_after_seconds, 0);
  EXPECT_NE(answer.message.find("clock"), std::string::npos) << answer.message;
  EXPECT_EQ(journalled(), 0U);
  EXPECT_EQ(clock_doubt_.held(now_).pieces, 1U);
  EXPECT_EQ(take(record()).outcome, Outcome::kStored) << "others go on";
  now_ = parse_iso_time("2026-05-05T10:00:05Z").value();
  EXPECT_EQ(take(ahead).outcome, Outcome::kStored);
  EXPECT_EQ(clock_doubt_.held(now_).pieces, 0U);
  // A stray stops nobody: the loop refuses it, and the answer says so.
  const IngestAnswer strayed = take(record(kOurs, "2099-01-01T00:00:00Z") + record() + record());
  EXPECT_EQ(strayed.outcome, Outcome::kStored);
  EXPECT_EQ(strayed.records, 3U);
  EXPECT_EQ(strayed.refused, 1U);
  EXPECT_EQ(strayed.refused_by_cause.at("future"), 1U);
  EXPECT_NE(strayed.first_refusal.find("found 2099-01-01"), std::string::npos) << strayed.first_refusal;
  EXPECT_EQ(journalled(), 3U);
}

// Names of inputs are chosen by senders: they may not fill the memory, nor shut the door for others.
TEST_F(IngestDoorTest, KnowsABoundedNumberOfInputsOfEachSender) {
  limits_.inputs_of_sender = 2;
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "ingest/a/c").outcome, Outcome::kStored);
  const IngestAnswer refused = take(record(), "ingest/a/d");
  EXPECT_EQ(refused.outcome, Outcome::kBusy);
  EXPECT_GT(refused.retry_after_seconds, 0);
  EXPECT_EQ(take("rubbish", "ingest/a/e").outcome, Outcome::kMalformed) << "what is not taken takes no place";
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "logs").outcome, Outcome::kStored);
  principal_.name = "another";
  EXPECT_EQ(take(record(), "ingest/a/d").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored) << "known already";
  EXPECT_EQ(take(record(), "ingest/" + std::string(1000, 'x')).outcome, Outcome::kBusy);
  EXPECT_EQ(journalled(), 6U);
}

TEST_F(IngestDoorTest, NeverShutsLogsHoweverManyInputsThereAre) {
  limits_.inputs = 3;
  for (int i = 0; i < 10; ++i) {
    principal_.name = fmt::format("sender {}", i);
    EXPECT_EQ(take(record(), fmt::format("ingest/a/{}", i)).outcome, i < 3 ? Outcome::kStored : Outcome::kBusy);
    EXPECT_EQ(take(record(), "logs").outcome, Outcome::kStored);
  }
}

TEST_F(IngestDoorTest, ForgetsWhatAnEarlierRunLeftBeforeItRefusesAnybody) {
  limits_.inputs = 3;
  for (int i = 0; i < 3; ++i) {
    now_.ticks += EventTime::kTicksPerSecond;
    EXPECT_EQ(take(record(), fmt::format("ingest/a/{}", i)).outcome, Outcome::kStored);
  }
  start_again();
  EXPECT_EQ(loop_->inputs_by_http().size(), 3U);
  EXPECT_EQ(take(record(), "ingest/a/0").outcome, Outcome::kStored) << "in use again";
  EXPECT_EQ(take(record(), "ingest/b/0").outcome, Outcome::kStored);
  start_again();
  std::vector<std::string> names;
  for (const auto& [name, last] : loop_->inputs_by_http()) { names.push_back(name); }
  EXPECT_EQ(names, (std::vector<std::string>{"ingest/a/0", "ingest/a/2", "ingest/b/0"}));
}

TEST_F(IngestDoorTest, ForgetsWhatIsUnusedOrIsToBeForgotten) {
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "ingest/a/c").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "logs").outcome, Outcome::kStored);
  EXPECT_TRUE(door().forget("ingest/a/b").value());
  EXPECT_FALSE(door().forget("ingest/a/b").value());
  EXPECT_FALSE(door().forget("logs").value());
  start_again();
  EXPECT_EQ(loop_->inputs_by_http().size(), 2U);
  door().forget_unused();
  now_.ticks += IngestDoor::kForgottenDays * EventTime::kTicksPerDay;
  door().forget_unused();
  start_again();
  EXPECT_EQ(loop_->inputs_by_http().size(), 1U) << "logs";
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored) << "it may come again";
}

}  // namespace
}  // namespace keyvigil
