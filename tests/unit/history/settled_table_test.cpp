#include "history/settled_table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

namespace keyvigil {
namespace {

std::string saved(const SettledTable& table) {
  SnapshotWriter writer;
  table.save(writer);
  return writer.bytes();
}

TEST(SettledTable, FindsWhatItAdmittedAndNothingElse) {
  SettledTable table(8);
  const SettledTable::Admission first = table.admit("alice", 10);
  EXPECT_TRUE(first.added);
  EXPECT_FALSE(first.evicted.has_value());
  EXPECT_EQ(table.find("alice"), first.slot);
  EXPECT_EQ(table.find("bob"), std::nullopt);
  EXPECT_FALSE(table.admit("alice", 10).added);
  EXPECT_EQ(table.days_seen(first.slot), 1U);
}

TEST(SettledTable, AHintHoldsUntilTheKeyHasGone) {
  SettledTable table(4);
  for (const std::int64_t day : {-9, -8, -7}) {
    for (const char* settled : {"dave", "erin"}) { table.admit(settled, day); }
  }
  SlotHint hint;
  const TableKey alice("alice", hash64("alice"), &hint);
  EXPECT_EQ(table.find(alice), std::nullopt);
  const std::uint32_t slot = table.admit(alice, 1).slot;
  EXPECT_EQ(hint.slot, slot);
  EXPECT_EQ(table.find(alice), slot);
  table.admit("bob", 2);
  EXPECT_EQ(table.admit("carol", 3).slot, slot) << "alice was the most idle";
  EXPECT_EQ(table.find(alice), std::nullopt) << "the slot is another's now";
  table.remove(slot);
  EXPECT_EQ(table.find(alice), std::nullopt);
  const std::uint32_t again = table.admit(alice, 4).slot;
  EXPECT_EQ(table.find(alice), again);
  EXPECT_EQ(table.key(again), "alice");
}

TEST(SettledTable, FreshKeysEvictOnlyEachOtherTheMostIdleFirst) {
  SettledTable table(4);
  for (const std::int64_t day : {1, 2, 3}) {
    for (const char* settled : {"settled", "too"}) { table.admit(settled, day); }
  }
  const auto old_slot = table.admit("old", 4).slot;
  table.admit("young", 5);
  const SettledTable::Admission third = table.admit("third", 6);
  EXPECT_EQ(third.evicted, old_slot);
  EXPECT_EQ(table.find("old"), std::nullopt);
  EXPECT_TRUE(table.find("young").has_value());
  EXPECT_TRUE(table.find("settled").has_value());
  EXPECT_EQ(table.evictions(), 1U);
}

TEST(SettledTable, AFloodOfFreshKeysDoesNotPushOutASlowAttacker) {
  SettledTable table(400);
  for (const std::int64_t day : {1, 4, 9}) {
    table.admit("slow attacker", day);
    for (int i = 0; i < 90; ++i) { table.admit("crowd " + std::to_string(day) + ' ' + std::to_string(i), day); }
  }
  for (int i = 0; i < 100'000; ++i) { table.admit("flood " + std::to_string(i), 10); }
  EXPECT_TRUE(table.find("slow attacker").has_value());
  EXPECT_EQ(table.fresh(), 399U);
  EXPECT_EQ(table.size(), 400U);
}

TEST(SettledTable, ANewEstateIsKnownWholeWhileThereIsRoom) {
  SettledTable table(400);
  for (const std::int64_t day : {1, 2, 3, 4}) {
    for (int i = 0; i < 300; ++i) { table.admit("caller " + std::to_string(i), day); }
  }
  EXPECT_EQ(table.evictions(), 0U);
  EXPECT_EQ(table.size() - table.fresh(), 300U) << "all of them have settled, which is as many as may";
  for (int i = 0; i < 500; ++i) { table.admit("flood " + std::to_string(i), 5); }
  EXPECT_EQ(table.fresh(), 100U);
  for (int i = 0; i < 300; ++i) { EXPECT_TRUE(table.find("caller " + std::to_string(i)).has_value()) << i; }
}

TEST(SettledTable, OneMoreSettledKeyEvictsTheSettledOneIdleLongest) {
  SettledTable table(4);  // three settled keys at most
  for (int key = 0; key < 4; ++key) {
    for (std::int64_t day = 0; day < 3; ++day) { table.admit("key " + std::to_string(key), key * 10 + day); }
  }
  EXPECT_EQ(table.find("key 0"), std::nullopt);
  for (int key = 1; key < 4; ++key) { EXPECT_TRUE(table.find("key " + std::to_string(key)).has_value()) << key; }
}

TEST(SettledTable, DaysThatRunBackwardsCountOnce) {
  SettledTable table(8);
  const auto slot = table.admit("alice", 20).slot;
  for (const std::int64_t day : {19, 3, 20, 12}) { table.admit("alice", day); }
  EXPECT_EQ(table.days_seen(slot), 1U);
  EXPECT_EQ(table.first_day(slot), 3);
}

TEST(SettledTable, EveryCutOfASavedTableIsRefused) {
  SettledTable table(8);
  for (std::int64_t day = 0; day < 4; ++day) { table.admit("alice", day); }
  table.admit("bob", 4);
  const std::string bytes = saved(table);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    SnapshotReader reader(std::string_view(bytes).substr(0, size));
    SettledTable other(8);
    EXPECT_FALSE(other.load(reader)) << size;
    EXPECT_EQ(other.size(), 0U);
  }
}

// Scans everything for the key to evict.
class NaiveTable {
 public:
  explicit NaiveTable(std::size_t limit) : limit_(limit) {}

  void admit(const std::string& key, std::int64_t day) {
    const auto found = keys_.find(key);
    if (found == keys_.end()) {
      make_room(false);
      keys_[key] = Seen{day, 1};
    } else if (day > found->second.last_day) {
      Seen seen = found->second;
      keys_.erase(found);
      const bool settles = seen.days == SettledTable::kSettledDays - 1;
      seen.last_day = day;
      ++seen.days;
      if (settles) { make_room(true); }
      keys_[key] = seen;
    }
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& [key, seen] : keys_) { names.push_back(key); }
    return names;
  }

 private:
  struct Seen {
    std::int64_t last_day = 0;
    std::uint32_t days = 0;
  };
  void make_room(bool settled) {
    std::vector<std::tuple<std::int64_t, std::uint64_t, std::string>> candidates;
    for (const auto& [key, seen] : keys_) {
      if ((seen.days >= SettledTable::kSettledDays) == settled) {
        candidates.emplace_back(seen.last_day, hash64(key), key);
      }
    }
    const std::size_t settled_keys = keys_.size() - (settled ? 0 : candidates.size());
    const std::size_t room = settled ? limit_ - limit_ / 4 : limit_ - settled_keys;
    if (candidates.size() >= room) { keys_.erase(std::get<2>(*std::ranges::min_element(candidates))); }
  }

  std::size_t limit_;
  std::map<std::string, Seen> keys_;
};

RC_GTEST_PROP(SettledTable, HoldsWhatAnObviousTableHoldsAndSurvivesSaving, ()) {
  const auto limit = *rc::gen::inRange<std::size_t>(4, 20);
  SettledTable table(limit);
  NaiveTable naive(limit);
  std::int64_t day = 0;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 40), rc::gen::inRange(-1, 3)));
  for (const auto& [key, ahead] : steps) {
    day += ahead;
    const std::string name = "caller " + std::to_string(key);
    table.admit(name, day);
    naive.admit(name, day);
    for (const std::string& kept : naive.keys()) { RC_ASSERT(table.find(kept).has_value()); }
    RC_ASSERT(table.size() == naive.keys().size());
  }
  const std::string bytes = saved(table);
  SettledTable loaded(limit);
  SnapshotReader reader(bytes);
  RC_ASSERT(loaded.load(reader));
  RC_ASSERT(saved(loaded) == bytes);
  for (int key = 0; key < 10; ++key) {
    table.admit("later " + std::to_string(key), day + key);
    loaded.admit("later " + std::to_string(key), day + key);
  }
  RC_ASSERT(saved(loaded) == saved(table));
}

}  // namespace
}  // namespace keyvigil
