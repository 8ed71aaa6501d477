#include "app/ingest_door.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr const char* kOurs = "cccccccc-0000-4000-8000-000000000003";
constexpr const char* kTheirs = "cccccccc-0000-4000-8000-00000000000f";
const EventTime kNow = parse_iso_time("2026-05-05T09:00:00Z").value();

std::string record(const std::string& subscription = kOurs) {
  return fmt::format(
      R"({{"time":"2026-05-05T08:00:00Z","category":"AuditEvent","operationName":"SecretGet","resultType":"Success",)"
      R"("callerIpAddress":"192.0.2.10","identity":{{"claim":{{"appid":"bbbbbbbb-0000-4000-8000-000000000002"}}}},)"
      R"("properties":{{"id":"https://kv-a.vault.azure.net/secrets/db","httpStatusCode":200}},)"
      R"("resourceId":"/SUBSCRIPTIONS/{}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-A"}})"
      "\n",
      subscription);
}

class IngestDoorTest : public testing::Test {
 protected:
  IngestDoorTest() {
    LiveReports reports;
    reports.now = [] { return kNow; };
    reports.warn = [](const std::string& text) { ADD_FAILURE() << text; };
    loop_.emplace(*store_, LiveOptions{}, reports);
    const auto opened = loop_->open({}, {}, {});
    EXPECT_TRUE(opened) << message_of(opened);
    before_ = store_->figures()->journal_entries;
  }
  IngestAnswer take(std::string_view body, const std::string& input = "logs") {
    return door().take(input, body, principal_);
  }
  IngestDoor& door() {
    if (!door_) {
      door_.emplace(*loop_, limits_, [] { return kNow; });
    }
    return *door_;
  }
  std::uint64_t journalled() { return store_->figures()->journal_entries - before_; }

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

// Names of inputs are chosen by senders: they may not fill the memory.
TEST_F(IngestDoorTest, KnowsABoundedNumberOfInputs) {
  limits_.inputs = 2;
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "ingest/a/c").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), "ingest/a/d").outcome, Outcome::kMalformed);
  EXPECT_EQ(take(record(), "ingest/a/b").outcome, Outcome::kStored);
  EXPECT_EQ(take(record(), std::string(1000, 'x')).outcome, Outcome::kMalformed);
  EXPECT_EQ(journalled(), 3U);
}

}  // namespace
}  // namespace keyvigil
