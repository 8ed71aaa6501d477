#include "store/store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/snapshot.h"
#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr EventTime kNow = EventTime::from_milliseconds(1'795'000'000'000);

DeadLetterFilter letters_of(const std::string& output, std::size_t limit = 100) {
  DeadLetterFilter filter;
  filter.output = output;
  filter.limit = limit;
  return filter;
}

std::vector<RaisedRevision> with_alerts(std::uint64_t from, std::uint64_t to, std::vector<std::string> outputs = {}) {
  std::vector<RaisedRevision> revisions;
  for (std::uint64_t i = from; i < to; ++i) { revisions.push_back({made_alert(i), false, "", outputs}); }
  return revisions;
}

std::vector<std::string> ids_of(const std::vector<StoredAlert>& alerts) {
  std::vector<std::string> ids;
  for (const StoredAlert& stored : alerts) { ids.push_back(stored.alert.id); }
  return ids;
}

TEST(Store, GivesJournalEntriesBackAsTheyCame) {
  const StoreFolder folder;
  std::vector<JournalEntry> entries{input(std::string(10'000, 'a')), input("small"), input("\x1f\x8b not really gzip")};
  entries[1].kind = JournalKind::kTick;
  entries[1].item = std::string("with \0 inside", 13);
  entries[2].offset = 77;
  entries[2].backfill = true;
  entries[2].received_ticks = -5;
  {
    auto store = folder.open();
    EXPECT_EQ(store->append(entries), 3U);
    EXPECT_EQ(store->append({entries.data(), 1}), 4U);
  }
  auto store = folder.open();
  const auto read = store->read_journal(0, 1 << 20);
  ASSERT_TRUE(read) << message_of(read);
  ASSERT_EQ(read->size(), 4U);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const JournalEntry& entry = (*read)[i].entry;
    EXPECT_EQ((*read)[i].sequence, i + 1);
    EXPECT_EQ(entry.kind, entries[i].kind);
    EXPECT_EQ(entry.input, entries[i].input);
    EXPECT_EQ(entry.item, entries[i].item);
    EXPECT_EQ(entry.offset, entries[i].offset);
    EXPECT_EQ(entry.backfill, entries[i].backfill);
    EXPECT_EQ(entry.received_ticks, entries[i].received_ticks);
    EXPECT_EQ(entry.body, entries[i].body);
  }
  EXPECT_LT(store->figures()->journal_bytes, 2000U);
}

TEST(Store, ReadsTheJournalInPieces) {
  const StoreFolder folder;
  auto store = folder.open();
  const std::string body = std::string("\x1f\x8b") + std::string(998, 'x');  // kept as it is
  for (int i = 0; i < 10; ++i) { ASSERT_TRUE(store->append(std::vector{input(body)})); }
  std::uint64_t after = 0;
  std::vector<std::size_t> sizes;
  while (true) {
    const auto piece = store->read_journal(after, 2500);
    ASSERT_TRUE(piece);
    if (piece->empty()) { break; }
    sizes.push_back(piece->size());
    after = piece->back().sequence;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 2, 2, 2}));
  EXPECT_EQ(store->read_journal(9, 1)->size(), 1U);
}

TEST(Store, KeepsPositionsWithTheirEntries) {
  const StoreFolder folder;
  auto store = folder.open();
  const std::vector<InputPosition> first{{"folder/a", "one", 10, "m1"}, {"folder/a", "two", 20, "m2"}};
  const std::vector<InputPosition> second{{"folder/a", "one", 15, "m3"}};
  ASSERT_TRUE(store->append(std::vector{input("x", "folder/a")}, first));
  ASSERT_TRUE(store->append(std::vector{input("y", "folder/a")}, second));
  const auto positions = store->positions("folder/a");
  ASSERT_TRUE(positions);
  ASSERT_EQ(positions->size(), 2U);
  EXPECT_EQ((*positions)[0].offset, 15U);
  EXPECT_EQ((*positions)[0].mark, "m3");
  EXPECT_EQ((*positions)[1].offset, 20U);
  EXPECT_TRUE(store->positions("folder/b")->empty());
  ASSERT_TRUE(store->forget_positions("folder/a", std::vector<std::string>{"one"}));
  EXPECT_EQ(store->positions("folder/a")->size(), 1U);
}

TEST(Store, KnowsItsInputsAndForgetsOneWhole) {
  const StoreFolder folder;
  auto store = folder.open();
  EXPECT_TRUE(store->inputs_with_positions()->empty());
  std::vector<InputPosition> many;
  for (int i = 0; i < 12'000; ++i) { many.push_back({"folder/b", "item" + std::to_string(i), 1, "m"}); }
  many.push_back({"container/a", "x", 7, "first"});
  many.push_back({"folder/c", "", 0, ""});
  ASSERT_TRUE(store->append({}, many));
  EXPECT_EQ(*store->inputs_with_positions(), (std::vector<std::string>{"container/a", "folder/b", "folder/c"}));
  const auto place = store->position("container/a", "x");
  ASSERT_TRUE(place && *place);
  EXPECT_EQ((*place)->offset, 7U);
  EXPECT_EQ((*place)->mark, "first");
  EXPECT_FALSE(store->position("container/a", "y")->has_value());
  ASSERT_TRUE(store->forget_positions("folder/b"));
  EXPECT_EQ(*store->inputs_with_positions(), (std::vector<std::string>{"container/a", "folder/c"}));
  EXPECT_TRUE(store->positions("folder/b")->empty());
}

TEST(Store, TakesOtherLimitsWhileItIsOpen) {
  const StoreFolder folder;
  StoreOptions options;
  options.journal_limit_bytes = 5'000;
  auto store = folder.open(options);
  const std::string body = std::string("\x1f\x8b") + std::string(3998, 'x');
  ASSERT_TRUE(store->append(std::vector{input(body)}));
  ASSERT_FALSE(store->append(std::vector{input(body)}));
  options.journal_limit_bytes = 10'000;
  store->change_limits(options);
  EXPECT_TRUE(store->append(std::vector{input(body)}));
  // Audit lines of two days ago, with a retention of one day instead of a year.
  const EventTime long_ago{kNow.ticks - 2 * EventTime::kTicksPerDay};
  ASSERT_TRUE(store->audit({long_ago, "alice", "", "rule.put", "", "done"}));
  ASSERT_TRUE(store->remove_outdated(kNow));
  EXPECT_EQ(store->audit_lines(10)->size(), 1U);
  options.audit_retention_days = 1;
  store->change_limits(options);
  ASSERT_TRUE(store->remove_outdated(kNow));
  EXPECT_TRUE(store->audit_lines(10)->empty());
}

TEST(Store, RefusesInputBeyondTheLimitAndTakesItAgainLater) {
  const StoreFolder folder;
  StoreOptions options;
  options.journal_limit_bytes = 10'000;
  auto store = folder.open(options);
  const std::string body = std::string("\x1f\x8b") + std::string(3998, 'x');
  ASSERT_TRUE(store->append(std::vector{input(body)}));
  ASSERT_TRUE(store->append(std::vector{input(body)}));
  const auto refused = store->append(std::vector{input(body)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kLimit);
  JournalEntry tick = input("638000000000000000");
  tick.kind = JournalKind::kTick;
  EXPECT_TRUE(store->append(std::vector{tick}));
  CheckpointCommit checkpoint;
  checkpoint.consumed_to = 1;
  ASSERT_TRUE(store->commit(checkpoint));
  EXPECT_TRUE(store->append(std::vector{input(body)}));
  EXPECT_EQ(store->figures()->journal_entries, 3U);
}

TEST(Store, CheckpointReplacesTheOneBefore) {
  const StoreFolder folder;
  std::string large;
  for (int i = 0; i < 200'000; ++i) { large += std::to_string(i * 7919) + ","; }
  {
    auto store = folder.open();
    EXPECT_FALSE(store->last_checkpoint()->has_value());
    ASSERT_TRUE(store->append(std::vector{input("a"), input("b"), input("c")}));
    CheckpointCommit checkpoint;
    checkpoint.sections = {{"engine", section_of(large)}, {"empty", section_of("")}, {"gone", section_of("soon")}};
    checkpoint.consumed_to = 1;
    ASSERT_TRUE(store->commit(checkpoint));
    large.insert(500'000, "an insertion in the middle");
    checkpoint.sections = {{"engine", section_of(large)}, {"empty", section_of("")}};
    checkpoint.consumed_to = 2;
    ASSERT_TRUE(store->commit(checkpoint));
  }
  auto store = folder.open();
  const auto last = store->last_checkpoint();
  ASSERT_TRUE(last && last->has_value()) << message_of(last);
  EXPECT_EQ((*last)->consumed_to, 2U);
  EXPECT_EQ((*last)->sections.size(), 2U);
  EXPECT_TRUE((*last)->sections.at("engine") == large);
  EXPECT_EQ((*last)->sections.at("empty"), "");
  const auto rest = store->read_journal(0, 1000);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ((*rest)[0].sequence, 3U);
}

TEST(Store, NeverUsesASequenceTwice) {
  const StoreFolder folder;
  {
    auto store = folder.open();
    ASSERT_TRUE(store->append(std::vector{input("a"), input("b")}));
    CheckpointCommit checkpoint;
    checkpoint.consumed_to = 2;
    ASSERT_TRUE(store->commit(checkpoint));
  }
  EXPECT_EQ(folder.open()->append(std::vector{input("c")}), 3U);
}

TEST(Store, KeepsEveryRevisionOnceAndShowsTheNewest) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<RaisedRevision> revisions = with_alerts(1, 2, {"siem"});
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  EXPECT_EQ(store->figures()->outbox, 1U);
  revisions = {{made_alert(1, 2), false, "", {"siem"}}};
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  revisions = {{made_alert(1), false, "", {"siem"}}};
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  EXPECT_EQ(store->figures()->outbox, 2U);
  const auto stored = store->alert(made_alert(1).id);
  ASSERT_TRUE(stored && *stored) << message_of(stored);
  EXPECT_EQ((*stored)->alert, made_alert(1, 2));
  EXPECT_EQ((*stored)->processed, kNow);
  const auto history = store->history(made_alert(1).id);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ((*history)[0].note, "raised");
  EXPECT_EQ((*history)[1].revision, 2U);
  EXPECT_FALSE(store->alert("no such id")->has_value());
}

TEST(Store, KeepsStatusWithItsHistoryAndAudit) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<RaisedRevision> revisions = with_alerts(1, 2);
  revisions.push_back({made_alert(2), true, "quiet-scanner", {}});
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  EXPECT_EQ((*store->alert(made_alert(2).id))->status, AlertStatus::kDismissed);
  EXPECT_EQ((*store->alert(made_alert(2).id))->dismissed_by_rule, "quiet-scanner");
  EXPECT_TRUE((*store->alert(made_alert(2).id))->backfilled);
  EXPECT_EQ(store->history(made_alert(2).id)->size(), 2U);

  const AuditLine line = done_by("alice", "alert.resolve");
  EXPECT_EQ(store->set_status(made_alert(1).id, AlertStatus::kResolved, line), true);
  EXPECT_EQ(store->set_status(made_alert(1).id, AlertStatus::kResolved, line), true);
  EXPECT_EQ(store->set_status("nobody", AlertStatus::kResolved, line), false);
  EXPECT_EQ((*store->alert(made_alert(1).id))->status, AlertStatus::kResolved);
  const auto history = store->history(made_alert(1).id);
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ(history->back().by, "alice");
  EXPECT_EQ(history->back().status, AlertStatus::kResolved);
  EXPECT_EQ(store->audit_lines(10)->size(), 2U);

  revisions = {{made_alert(1, 2), false, "", {}}};
  ASSERT_TRUE(store->add_revisions(revisions, kNow));
  EXPECT_EQ((*store->alert(made_alert(1).id))->status, AlertStatus::kResolved);
}

TEST(Store, PagesNewestFirstAcrossRestarts) {
  const StoreFolder folder;
  auto store = folder.open();
  ASSERT_TRUE(store->add_revisions(with_alerts(0, 250), kNow));
  AlertFilter filter;
  filter.limit = 100;
  std::vector<std::string> seen;
  std::size_t pages = 0;
  do {
    const auto page = store->alerts(filter);
    ASSERT_TRUE(page) << message_of(page);
    for (const std::string& id : ids_of(page->alerts)) { seen.push_back(id); }
    filter.after = page->next;
    ++pages;
    store.reset();
    store = folder.open();
  } while (!filter.after.empty());
  EXPECT_EQ(pages, 3U);
  std::vector<std::string> expected;
  for (std::uint64_t i = 250; i-- > 0;) { expected.push_back(made_alert(i).id); }
  EXPECT_EQ(seen, expected);
}

TEST(Store, DeliversInOrderPerAlert) {
  const StoreFolder folder;
  auto store = folder.open();
  ASSERT_TRUE(store->add_revisions(with_alerts(1, 3, {"siem", "mail"}), kNow));
  std::vector<RaisedRevision> later = {{made_alert(1, 2), false, "", {"siem"}}};
  ASSERT_TRUE(store->add_revisions(later, kNow));
  auto due = store->due("siem", kNow, 10);
  ASSERT_TRUE(due) << message_of(due);
  ASSERT_EQ(due->size(), 2U);
  EXPECT_EQ((*due)[0].alert.alert.revision, 1U);

  const EventTime next{kNow.ticks + EventTime::kTicksPerMinute};
  ASSERT_TRUE(store->postpone((*due)[0].id, next, "refused"));
  EXPECT_EQ(store->due("siem", kNow, 10)->size(), 1U);
  later = {{made_alert(1, 3), false, "", {"siem"}}};
  ASSERT_TRUE(store->add_revisions(later, kNow));
  EXPECT_EQ(store->due("siem", kNow, 10)->size(), 1U);
  ASSERT_TRUE(store->delivered(std::vector<std::uint64_t>{(*due)[1].id}));
  due = store->due("siem", next, 10);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ((*due)[0].attempts, 1U);
  EXPECT_EQ((*due)[0].alert.alert.revision, 1U);

  ASSERT_TRUE(store->bury((*due)[0].id, next, "gave up"));
  due = store->due("siem", kNow, 10);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ((*due)[0].alert.alert, made_alert(1, 2));
  const auto letters = store->dead_letters({});
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ((*letters)[0].why, "gave up");
  EXPECT_EQ((*letters)[0].attempts, 2U);
  EXPECT_EQ((*letters)[0].alert_id, made_alert(1).id);
  EXPECT_EQ(store->revive(letters_of("siem"), done_by("alice", "output.revive")), 1U);
  EXPECT_EQ(store->figures()->dead_letters, 0U);
  EXPECT_EQ(store->due("mail", kNow, 10)->size(), 2U);
}

TEST(Store, WhatWaitsForAnOutputThatIsGoneBecomesDeadLetters) {
  const StoreFolder folder;
  auto store = folder.open();
  constexpr std::uint64_t kMany = 6'000;  // more than one piece
  ASSERT_TRUE(store->add_revisions(with_alerts(0, kMany, {"gone", "siem"}), kNow));
  ASSERT_TRUE(store->add_revisions(with_alerts(kMany, kMany + 1, {"mail"}), kNow));
  const std::vector<std::string> outputs = {"siem", "teams"};
  const auto buried = store->bury_orphans(outputs, kNow);
  ASSERT_TRUE(buried) << message_of(buried);
  ASSERT_EQ(buried->size(), 2U);
  EXPECT_EQ((*buried)[0].output, "gone");
  EXPECT_EQ((*buried)[0].revisions, kMany);
  EXPECT_EQ((*buried)[1].output, "mail");
  EXPECT_EQ((*buried)[1].revisions, 1U);
  EXPECT_EQ(store->figures()->outbox, kMany) << "those of siem wait on";
  EXPECT_EQ(store->figures()->dead_letters, kMany + 1);
  EXPECT_NE(store->dead_letters(letters_of("", 1))->front().why.find("configuration"), std::string::npos);
  const auto lines = store->audit_lines(10);
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[0].action, "outbox.orphaned");
  EXPECT_EQ((*lines)[0].target, "mail (1 revisions)");
  EXPECT_TRUE(store->bury_orphans(outputs, kNow)->empty()) << "nothing is left to do, nor to tell";
  EXPECT_EQ(store->audit_lines(10)->size(), 2U);
}

TEST(Store, DeadLettersAreFoundByOutputSubscriptionAndId) {
  const StoreFolder folder;
  auto store = folder.open();
  ASSERT_TRUE(store->add_revisions(with_alerts(1, 6, {"siem", "mail"}), kNow));
  for (const std::string output : {"siem", "mail"}) {
    const auto due = store->due(output, kNow, 10);
    for (const Delivery& delivery : *due) { ASSERT_TRUE(store->bury(delivery.id, kNow, output + " refused it")); }
  }
  const auto all = store->dead_letters({});
  ASSERT_EQ(all->size(), 10U);
  EXPECT_GT(all->front().id, all->back().id) << "newest first";
  const auto mail = store->dead_letters(letters_of("mail", 3));
  ASSERT_EQ(mail->size(), 3U);
  DeadLetterFilter before = letters_of("mail");
  before.before = mail->back().id;
  const auto further = store->dead_letters(before);
  ASSERT_EQ(further->size(), 2U);
  EXPECT_EQ(further->front().why, "mail refused it");
  DeadLetterFilter bound;
  bound.subscriptions.emplace();
  EXPECT_TRUE(store->dead_letters(bound)->empty());
  bound.subscriptions->insert("another");
  EXPECT_TRUE(store->dead_letters(bound)->empty());
  bound.subscriptions->insert(made_alert(1).subscription_id);
  EXPECT_EQ(store->dead_letters(bound)->size(), 2U) << "one alert, two outputs";
  DeadLetterFilter one;
  one.ids = {mail->at(1).id};
  const auto content = store->dead_letter(one);
  ASSERT_TRUE(content && *content) << message_of(content);
  EXPECT_EQ((*content)->letter.alert_id, mail->at(1).alert_id);
  EXPECT_EQ((*content)->alert.alert.id, mail->at(1).alert_id);
  one.ids = {4711};
  EXPECT_FALSE(store->dead_letter(one)->has_value());

  const auto audit = done_by("alice", "output.revive");
  DeadLetterFilter foreign = letters_of("mail");
  foreign.subscriptions = std::set<std::string>{"another"};
  EXPECT_EQ(store->revive(foreign, audit), 0U);
  EXPECT_EQ(store->audit_lines(10)->size(), 0U) << "nothing was done";
  DeadLetterFilter some = letters_of("mail");
  some.ids = {mail->at(0).id, mail->at(1).id, 4711};
  EXPECT_EQ(store->revive(some, audit), 2U);
  EXPECT_EQ(store->due("mail", kNow, 10)->size(), 2U);
  EXPECT_EQ(store->revive(letters_of("siem", 2), audit), 2U);
  const auto due = store->due("siem", kNow, 10);
  ASSERT_EQ(due->size(), 2U);
  EXPECT_EQ(due->front().alert.alert.id, made_alert(1).id) << "the oldest first";
  EXPECT_EQ(store->figures()->dead_letters, 6U);
  EXPECT_EQ(store->audit_lines(10)->size(), 2U);
}

TEST(Store, AnOutputThatIsPutBackWithinADayGoesOn) {
  const StoreFolder folder;
  auto store = folder.open();
  ASSERT_TRUE(store->add_revisions(with_alerts(1, 4, {"siem"}), kNow));
  std::vector<RaisedRevision> later = {{made_alert(1, 2), false, "", {"siem"}}};
  ASSERT_TRUE(store->add_revisions(later, kNow));
  const std::uint64_t refused = store->due("siem", kNow, 10)->at(2).id;
  ASSERT_TRUE(store->bury(refused, kNow, "400"));
  ASSERT_TRUE(store->bury_orphans({}, kNow));
  EXPECT_EQ(store->figures()->dead_letters, 4U);
  const std::vector<std::string> outputs = {"other", "siem"};
  const EventTime in_time{kNow.ticks + Store::kOrphansKeptTicks};
  EXPECT_EQ(store->take_back_orphans(std::vector<std::string>{"other"}, in_time), 0U);
  EXPECT_EQ(store->take_back_orphans(outputs, EventTime{in_time.ticks + 1}), 0U) << "too late";
  EXPECT_EQ(store->take_back_orphans(outputs, in_time), 3U);
  EXPECT_EQ(store->figures()->dead_letters, 1U) << "what the receiver refused stays so";
  const auto due = store->due("siem", kNow, 10);
  ASSERT_EQ(due->size(), 2U);
  EXPECT_EQ(due->front().alert.alert.revision, 1U) << "in order";
}

TEST(Store, KeepsRulesWithoutRegardToCase) {
  const StoreFolder folder;
  SuppressionRule rule;
  rule.subscription_id = "11111111-2222-4333-8444-000000000001";
  rule.name = "Quiet-Scanner";
  rule.alert_type = "KV_TORAccess";
  rule.reason = "Other";
  rule.comment = "ours";
  rule.expires = kNow;
  rule.last_modified = kNow;
  rule.all_of = {{"entities.ip.address", RuleCondition::Operator::kContains, {"203.0.113.7", "x"}}};
  {
    auto store = folder.open();
    ASSERT_TRUE(store->put_rule(rule, done_by("alice", "rule.put")));
    rule.name = "QUIET-scanner";
    rule.state = RuleState::kDisabled;
    ASSERT_TRUE(store->put_rule(rule, done_by("alice", "rule.put")));
  }
  auto store = folder.open();
  const auto rules = store->rules(rule.subscription_id);
  ASSERT_TRUE(rules) << message_of(rules);
  ASSERT_EQ(rules->size(), 1U);
  const SuppressionRule& kept = rules->front();
  EXPECT_EQ(kept.name, rule.name);
  EXPECT_EQ(kept.state, RuleState::kDisabled);
  EXPECT_EQ(kept.expires, rule.expires);
  ASSERT_EQ(kept.all_of.size(), 1U);
  EXPECT_EQ(kept.all_of[0].field, "entities.ip.address");
  EXPECT_EQ(kept.all_of[0].op, RuleCondition::Operator::kContains);
  EXPECT_EQ(kept.all_of[0].values, rule.all_of[0].values);
  EXPECT_TRUE(store->rules("another")->empty());
  EXPECT_EQ(store->all_rules()->size(), 1U);
  EXPECT_EQ(store->delete_rule("another", "quiet-scanner", done_by("bob", "rule.delete")), false);
  EXPECT_EQ(store->delete_rule(rule.subscription_id, "quiet-SCANNER", done_by("bob", "rule.delete")), true);
  EXPECT_TRUE(store->all_rules()->empty());
  EXPECT_EQ(store->audit_lines(10)->size(), 3U);
}

TEST(Store, ASectionThatFailsLeavesTheCheckpointBefore) {
  const StoreFolder folder;
  auto store = folder.open();
  CheckpointCommit checkpoint;
  checkpoint.sections = {{"engine", section_of("first")}};
  checkpoint.consumed_to = 1;
  ASSERT_TRUE(store->commit(checkpoint));
  checkpoint.consumed_to = 2;
  checkpoint.sections["engine"] = [](SnapshotWriter& writer) -> Result<void> {
    writer.write_bytes(std::string(3 * SnapshotWriter::kPieceBytes, 'x'));
    return fail(ErrorKind::kInputOutput, "unreadable");
  };
  EXPECT_EQ(message_of(store->commit(checkpoint)), "unreadable");
  const auto last = store->last_checkpoint();
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->consumed_to, 1U);
  EXPECT_EQ((*last)->sections.at("engine"), "first");
}

// Counts how often any was written.
struct CountedItem {
  static inline std::size_t written = 0;
  std::string text;
  auto fields() {
    ++written;
    return std::tie(text);
  }
};

class TwoTables {
 public:
  TwoTables() {
    for (int i = 0; i < 1000; ++i) { first.emplace_back().text = second.emplace_back().text = std::string(200, 'a'); }
  }
  [[nodiscard]] CheckpointCommit commit() const {
    CheckpointCommit checkpoint;
    for (const char* name : {"engine", "other"}) {
      checkpoint.sections[name] = [this](SnapshotWriter& writer) -> Result<void> {
        writer.write(std::string("before"));
        writer.write_nested([this](SnapshotWriter& nested) {
          nested.write(first);
          nested.write(second);
          nested.write(std::string("after"));
        });
        return {};
      };
    }
    return checkpoint;
  }
  [[nodiscard]] std::string bytes() const {
    return snapshot_bytes([this](SnapshotWriter& writer) { (void)commit().sections.at("engine")(writer); });
  }

  StampedVector<CountedItem, 16> first;
  StampedVector<CountedItem, 16> second;
};

// How many items a commit writes; what is stored is what is saved whole.
std::size_t items_written(Store& store, const TwoTables& tables) {
  CountedItem::written = 0;
  EXPECT_TRUE(store.commit(tables.commit()));
  const std::size_t written = CountedItem::written;
  const auto last = store.last_checkpoint();
  EXPECT_TRUE((*last)->sections.at("engine") == tables.bytes());
  EXPECT_TRUE((*last)->sections.at("other") == tables.bytes());
  return written;
}

TEST(Store, BlocksThatAreAsTheyWereAreNotWrittenAgain) {
  const StoreFolder folder;
  auto store = folder.open();
  TwoTables tables;
  EXPECT_EQ(items_written(*store, tables), 8000U) << "two tables in two sections, each counted first";
  EXPECT_EQ(items_written(*store, tables), 0U);
  tables.second[500].text = "another, and shorter";
  EXPECT_EQ(items_written(*store, tables), 64U);
  for (int i = 0; i < 24; ++i) { tables.first.emplace_back().text = "grown"; }
  EXPECT_EQ(items_written(*store, tables), 4 * 32U) << "two blocks; those of the table behind stay where they are";
  tables.first[0].text = "not stored";
  CheckpointCommit failing = tables.commit();
  failing.sections["zzz"] = [](SnapshotWriter&) -> Result<void> { return fail(ErrorKind::kInputOutput, "no"); };
  EXPECT_FALSE(store->commit(failing));
  EXPECT_EQ(items_written(*store, tables), 64U) << "what failed taught nothing";
  store.reset();
  store = folder.open();
  EXPECT_EQ(items_written(*store, tables), 4 * 2024U) << "nobody remembers what was written before a start";
  const std::uint64_t file_bytes = store->figures()->file_bytes;
  for (int i = 0; i < 200; ++i) {
    tables.second[static_cast<std::size_t>(i)].text = std::string(300, static_cast<char>('a' + i % 26));
    EXPECT_EQ(items_written(*store, tables), 64U);
  }
  store.reset();  // which empties the log into the file
  EXPECT_LT(folder.open()->figures()->file_bytes, 2 * file_bytes) << "chunks of earlier checkpoints are removed";
}

TEST(Store, OthersAppendAndAskBetweenThePiecesOfACheckpoint) {
  const StoreFolder folder;
  auto store = folder.open();
  CheckpointCommit checkpoint;
  std::string large;
  for (std::uint64_t i = 0; i < 500'000; ++i) { large += std::to_string(i * 7919) + ","; }
  checkpoint.sections["engine"] = section_of(large);
  checkpoint.sections["other"] = [](SnapshotWriter& writer) -> Result<void> {
    for (std::uint64_t i = 0; i < 500'000; ++i) { writer.write_bytes(std::to_string(i * 7919) + ","); }
    return {};
  };
  std::uint64_t appended = 0;
  checkpoint.between_pieces = [&] {
    ASSERT_TRUE(store->append(std::vector{input("x")}));
    EXPECT_EQ(store->figures()->journal_entries, ++appended);
  };
  ASSERT_TRUE(store->commit(checkpoint));
  EXPECT_GE(appended, 3U);
  const auto last = store->last_checkpoint();
  ASSERT_TRUE(last && *last);
  EXPECT_TRUE((*last)->sections.at("engine") == large);
  EXPECT_TRUE((*last)->sections.at("other") == large) << "in pieces or as a whole";
}

TEST(Store, WhatIsTakenAwayOrReplacedTakesNothingMore) {
  for (const char* what : {"", "-wal"}) {
    for (const bool replaced : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", what, replaced));
      const StoreFolder folder;
      auto store = folder.open();
      ASSERT_TRUE(store->append(std::vector{input("kept")}));
      ASSERT_TRUE(store->check_place());
      const std::string path = folder.path() + what;
      if (replaced) {
        write_file(path + ".other", bytes_of_file(path));
        std::filesystem::rename(path + ".other", path);
      } else {
        std::filesystem::remove(path);
      }
      const auto refused = store->append(std::vector{input("lost")});
      ASSERT_FALSE(refused);
      EXPECT_NE(refused.error().message.find("removed or replaced"), std::string::npos) << refused.error().message;
      EXPECT_FALSE(store->add_revisions(with_alerts(1, 2), kNow));
      EXPECT_FALSE(store->commit({}));
      EXPECT_FALSE(store->check_place());
    }
  }
}

TEST(Store, GivesRoomBackThatIsNotWantedAgain) {
  const StoreFolder folder;
  StoreOptions options;
  options.alert_retention_days = 30;
  std::uint64_t largest = 0;
  {
    auto store = folder.open(options);
    std::vector<RaisedRevision> revisions = with_alerts(0, 4000);
    for (RaisedRevision& raised : revisions) { raised.alert.open = false; }
    ASSERT_TRUE(store->add_revisions(revisions, kNow));
    ASSERT_TRUE(store->remove_outdated(kNow));
    EXPECT_EQ(store->figures()->alerts, 4000U);
    ASSERT_TRUE(store->commit({}));
  }
  largest = std::filesystem::file_size(folder.path());
  {
    auto store = folder.open(options);
    ASSERT_TRUE(store->remove_outdated(EventTime{kNow.ticks + 40 * EventTime::kTicksPerDay}));
    EXPECT_EQ(store->figures()->alerts, 0U);
  }
  EXPECT_LT(std::filesystem::file_size(folder.path()), largest / 3);
  EXPECT_EQ(message_of(Store::open(folder.path())), "") << "what is left is whole";
}

}  // namespace
}  // namespace keyvigil
