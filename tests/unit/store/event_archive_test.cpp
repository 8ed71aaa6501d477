#include "store/event_archive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "reference/event_builder.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

const EventTime kBegin = parse_iso_time("2026-09-01T00:00:00Z").value();

EventTime second(std::int64_t seconds) {
  return {kBegin.ticks + seconds * EventTime::kTicksPerSecond};
}

AccessEvent made_event(std::uint64_t number, EventTime time, std::uint64_t caller, std::uint64_t vault) {
  return EventBuilder()
      .at(time)
      .vault(fmt::format("kv-{}", vault))
      .user(fmt::format("person{}", caller))
      .object(fmt::format("secrets/s{}", number))
      .set(TextField::kCorrelationId, fmt::format("00000000-0000-4000-8000-{:012}", number))
      .build();
}

// Mostly in order; many at the same instant, some late.
std::vector<AccessEvent> made_events(std::uint64_t count, std::mt19937_64& random) {
  std::vector<AccessEvent> events;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::int64_t at = static_cast<std::int64_t>(i / 8);
    if (random() % 50 == 0) { at -= static_cast<std::int64_t>(random() % 2000); }
    events.push_back(made_event(i, second(at), random() % 40 * (random() % 3), random() % 25));
  }
  return events;
}

std::vector<EventBlock> blocks_of(std::span<const AccessEvent> events) {
  EventBlocks blocks;
  for (const AccessEvent& event : events) { blocks.add(event); }
  return blocks.take();
}

std::vector<std::string> names_of(const std::vector<AccessEvent>& events) {
  std::vector<std::string> names;
  for (const AccessEvent& event : events) { names.emplace_back(event.correlation_id()); }
  return names;
}

std::vector<std::string> all_pages(const Store& store, EventQuery query) {
  std::vector<std::string> names;
  do {
    const auto page = store.events(query);
    EXPECT_TRUE(page) << message_of(page);
    if (!page) { break; }
    EXPECT_LE(page->events.size(), query.limit);
    for (const std::string& name : names_of(page->events)) { names.push_back(name); }
    query.after = page->next;
  } while (!query.after.empty());
  return names;
}

EventQuery by_caller(const AccessEvent& event) {
  EventQuery query;
  query.caller_key = event.caller_key();
  return query;
}

TEST(EventArchive, ActiveHoursAreThoseOfANaiveTwin) {
  const StoreFolder folder;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::vector<AccessEvent> events;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    // Five days; some callers are there all the time, some for some hours.
    const auto at = static_cast<std::int64_t>(i * 22);
    events.push_back(made_event(i, second(at), random() % 8 == 0 ? random() % 200 : i / 3000, random() % 25));
  }
  auto store = folder.open();
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t size = std::min<std::size_t>(events.size() - at, 1 + random() % 900);
    ASSERT_TRUE(store->keep_events(blocks_of(std::span(events).subspan(at, size))));
    at += size;
  }
  for (int round = 0; round < 30; ++round) {
    const AccessEvent& some = events[random() % events.size()];
    EventQuery who;
    (round % 3 == 0 ? who.vault_id : who.caller_key) = round % 3 == 0 ? some.vault_id() : some.caller_key();
    const auto counts = [&](const AccessEvent& event) { return round % 2 == 0 || event.vault_id() != some.vault_id(); };
    std::set<std::int64_t> expected;
    for (const AccessEvent& event : events) {
      const bool is_its =
          who.caller_key.empty() ? event.vault_id() == who.vault_id : event.caller_key() == who.caller_key;
      if (is_its && counts(event)) { expected.insert(event.time.hour()); }
    }
    const auto found = store->active_hours(who, counts);
    ASSERT_TRUE(found) << message_of(found);
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->hours, expected);
    EXPECT_EQ((*found)->from, events.front().time);
    EXPECT_EQ((*found)->until, events.back().time);
  }
}

TEST(EventArchive, ActiveHoursSayHowFarBackWasLooked) {
  const StoreFolder folder;
  {
    auto store = folder.open();
    EventQuery who;
    who.caller_key = "nobody";
    EXPECT_FALSE(store->active_hours(who, [](const AccessEvent&) { return true; })->has_value());
    for (std::uint64_t i = 0; i < 3; ++i) {
      const std::vector events = {made_event(i, second(static_cast<std::int64_t>(i) * 7200), 1, 1)};
      ASSERT_TRUE(store->keep_events(blocks_of(events)));
    }
    ASSERT_TRUE(store->commit({}));
  }
  EventArchive archive;
  ASSERT_TRUE(archive.open(folder.path() + ".events", {}, 1));
  const EventQuery who = by_caller(made_event(0, second(0), 1, 1));
  const auto all = [](const AccessEvent&) { return true; };
  const auto whole = archive.active_hours(who, all);
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->hours.size(), 3U);
  EXPECT_EQ((*whole)->from, second(0));
  const auto bytes = archive.figures()->bytes;
  const auto newest = archive.active_hours(who, all, bytes - 1);
  ASSERT_TRUE(newest && *newest);
  EXPECT_EQ((*newest)->hours, (std::set{second(7200).hour(), second(14'400).hour()}));
  EXPECT_GT((*newest)->from, second(0));
  EXPECT_LE((*newest)->from, second(7200));
}

TEST(EventArchive, TimelinesAreThoseOfANaiveTwin) {
  const StoreFolder folder;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::vector<AccessEvent> events = made_events(30'000, random);
  {
    auto store = folder.open();
    for (std::size_t at = 0; at < events.size();) {
      const std::size_t size = std::min<std::size_t>(events.size() - at, 1 + random() % 9000);
      ASSERT_TRUE(store->keep_events(blocks_of(std::span(events).subspan(at, size))));
      if (random() % 2 == 0) { ASSERT_TRUE(store->commit({})); }
      at += size;
    }
    ASSERT_TRUE(store->commit({}));
    EXPECT_EQ(store->figures()->events.events, events.size());
  }
  auto store = folder.open();
  std::sort(events.begin(), events.end(), [](const AccessEvent& left, const AccessEvent& right) {
    return left.time != right.time ? left.time > right.time : CanonicalOrder{}(right, left);
  });
  std::size_t found = 0;
  for (int round = 0; round < 60; ++round) {
    const AccessEvent& some = events[random() % events.size()];
    EventQuery query;
    if (random() % 3 != 0) { query.caller_key = some.caller_key(); }
    if (random() % 2 == 0 || query.caller_key.empty()) { query.vault_id = some.vault_id(); }
    if (random() % 2 == 0) { query.from = events[random() % events.size()].time; }
    if (random() % 2 == 0) { query.until = events[random() % events.size()].time; }
    query.limit = 50 + random() % 950;
    std::vector<AccessEvent> expected;
    for (const AccessEvent& event : events) {
      if ((query.caller_key.empty() || query.caller_key == event.caller_key()) &&
          (query.vault_id.empty() || query.vault_id == event.vault_id()) &&
          (!query.from || event.time >= *query.from) && (!query.until || event.time < *query.until)) {
        expected.push_back(event);
      }
    }
    EXPECT_EQ(all_pages(*store, query), names_of(expected)) << "round " << round;
    found += expected.size();
  }
  EXPECT_GT(found, 1000U);
}

TEST(EventArchive, GivesWholeEventsBack) {
  const StoreFolder folder;
  auto store = folder.open();
  const AccessEvent event = made_event(7, second(1), 3, 4);
  ASSERT_TRUE(store->keep_events(blocks_of(std::span(&event, 1))));
  const auto page = store->events(by_caller(event));
  ASSERT_TRUE(page) << message_of(page);
  ASSERT_EQ(page->events.size(), 1U);
  EXPECT_TRUE(same_canonical_event(page->events[0], event));
  EXPECT_TRUE(page->next.empty());
}

TEST(EventArchive, PagesThroughManyEventsOfOneInstant) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<AccessEvent> events;
  for (std::uint64_t i = 0; i < 5000; ++i) { events.push_back(made_event(i, second(5), 1, 1)); }
  const std::vector<EventBlock> blocks = blocks_of(events);
  ASSERT_EQ(blocks.size(), 2U);
  ASSERT_TRUE(store->keep_events(blocks));
  EventQuery query = by_caller(events[0]);
  query.limit = 97;
  std::vector<std::string> names = all_pages(*store, query);
  EXPECT_EQ(names.size(), 5000U);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(EventArchive, RefusesTokensThatItDidNotGiveAndQueriesForEverybody) {
  const StoreFolder folder;
  auto store = folder.open();
  EventQuery query;
  EXPECT_EQ(store->events(query).error().kind, ErrorKind::kUsage);
  query.vault_id = "x";
  for (const char* token : {"x", "0000000000000000ffffffff", "00000000000000000000000g", "-00000000000000000000000"}) {
    query.after = token;
    const auto page = store->events(query);
    ASSERT_FALSE(page) << token;
    EXPECT_EQ(page.error().kind, ErrorKind::kUsage);
  }
}

TEST(EventArchive, WhatIsTooOldOrTooMuchGoes) {
  const StoreFolder folder;
  StoreOptions options;
  options.events.retention_days = 7;
  auto store = folder.open(options);
  const AccessEvent old = made_event(1, second(0), 1, 1);
  const AccessEvent young = made_event(2, second(8 * 86'400), 1, 1);
  ASSERT_TRUE(store->keep_events(blocks_of(std::span(&old, 1))));
  ASSERT_TRUE(store->keep_events(blocks_of(std::span(&young, 1))));
  ASSERT_TRUE(store->commit({}));
  EXPECT_EQ(all_pages(*store, by_caller(old)), names_of({young}));
  store.reset();

  std::mt19937_64 random(5);
  const std::vector<AccessEvent> many = made_events(30'000, random);
  options.events.bytes = 400'000;
  store = folder.open(options);
  for (std::size_t at = 0; at < many.size(); at += 6000) {
    std::vector<EventBlock> blocks = blocks_of(std::span(many).subspan(at, 6000));
    for (EventBlock& block : blocks) {
      block.first.ticks += 9 * EventTime::kTicksPerDay;
      block.last.ticks += 9 * EventTime::kTicksPerDay;
    }
    ASSERT_TRUE(store->keep_events(blocks));
    EXPECT_LE(store->figures()->events.bytes, 400'000U);
  }
  EXPECT_GT(store->figures()->events.events, 4000U);
  EXPECT_LT(store->figures()->events.events, 30'000U);
  ASSERT_TRUE(store->commit({}));
  store.reset();
  options.events.retention_days = 0;
  store = folder.open(options);
  EXPECT_GT(store->figures()->events.events, 4000U) << "opening removes nothing";
  ASSERT_TRUE(store->remove_outdated(second(0)));
  EXPECT_EQ(store->figures()->events.events, 0U);
}

TEST(EventArchive, WhatCouldNotBeKeptComesAgainInItsPlace) {
  const StoreFolder folder;
  auto store = folder.open();
  EventBlocks blocks;
  blocks.add(made_event(1, second(1), 1, 1));
  auto failed = blocks.take();
  EXPECT_EQ(blocks.packed_bytes(), 0U);
  blocks.put_back(std::move(failed));
  EXPECT_GT(blocks.packed_bytes(), 0U);
  blocks.add(made_event(2, second(2), 1, 1));
  const std::vector<EventBlock> again = blocks.take();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_LT(again[0].first, again[1].first);
  ASSERT_TRUE(store->keep_events(again));
  EXPECT_EQ(all_pages(*store, by_caller(made_event(1, second(1), 1, 1))).size(), 2U);
  EXPECT_TRUE(blocks.take().empty());
}

TEST(EventArchive, KeepsNothingWhereNothingIsWanted) {
  const StoreFolder folder;
  StoreOptions options;
  options.events.retention_days = 0;
  auto store = folder.open(options);
  const AccessEvent event = made_event(1, second(0), 1, 1);
  ASSERT_TRUE(store->keep_events(blocks_of(std::span(&event, 1))));
  EXPECT_EQ(store->figures()->events.events, 0U);
}

// Events are kept ahead of their checkpoint, in as many pieces as it takes. Those of a checkpoint that never came to be
// are taken back.
TEST(EventArchive, FollowsTheCheckpoint) {
  const StoreFolder folder;
  const AccessEvent first = made_event(1, second(1), 1, 1);
  const AccessEvent second_event = made_event(2, second(2), 1, 1);
  const auto more = blocks_of(std::span(&second_event, 1));
  auto store = folder.open();
  ASSERT_TRUE(store->keep_events(blocks_of(std::span(&first, 1))));
  ASSERT_TRUE(store->commit({}));
  ASSERT_TRUE(store->keep_events(more));
  ASSERT_TRUE(store->keep_events(more));
  EXPECT_EQ(store->figures()->events.events, 3U);
  store.reset();
  store = folder.open();
  EXPECT_EQ(all_pages(*store, by_caller(first)), names_of({first}));
  ASSERT_TRUE(store->keep_events(more));
  ASSERT_TRUE(store->commit({}));
  store.reset();
  store = folder.open();
  EXPECT_EQ(all_pages(*store, by_caller(first)), names_of({second_event, first}));
}

TEST(EventArchive, ADamagedFileIsRefusedOrFailsWhereItIsReadAndMayBeMovedAway) {
  const StoreFolder folder;
  std::mt19937_64 random(5);
  const std::vector<AccessEvent> events = made_events(9000, random);
  {
    auto store = folder.open();
    ASSERT_TRUE(store->keep_events(blocks_of(events)));
    ASSERT_TRUE(store->commit({}));
  }
  const std::string path = folder.path() + ".events";
  const std::string good = bytes_of_file(path);
  std::size_t noticed = 0;
  for (std::size_t page = 0; page < good.size() / 8192; ++page) {
    std::string bad = good;
    bad[page * 8192 + 4000] = static_cast<char>(bad[page * 8192 + 4000] ^ 8);
    write_file(path, bad);
    std::string message;
    if (auto store = Store::open(folder.path()); !store) {
      message = store.error().message;
    } else {
      EventQuery query = by_caller(events[0]);
      query.limit = 1000;
      for (std::size_t i = 0; i < 20 && message.empty(); ++i) {
        const auto got = (*store)->events(query);
        message = message_of(got);
        if (!got || got->next.empty()) { break; }
        query.after = got->next;
      }
    }
    if (message.empty()) { continue; }
    EXPECT_NE(message.find("move it away"), std::string::npos) << message;
    ++noticed;
  }
  EXPECT_GT(noticed, good.size() / 8192 / 2);
  std::filesystem::rename(path, folder.path("damaged"));
  EXPECT_EQ(folder.open()->figures()->events.events, 0U);
}

// Stores hold these bytes. Where this fails, give the new bytes a new kEventFormat in event_archive.cpp.
TEST(EventArchive, EventsAreStoredAsEver) {
  std::string bytes;
  append_event(bytes, made_event(7, second(1), 3, 4));
  EXPECT_EQ(to_hex(hash128(bytes)), "9d0700318ff8fc82af7e9e6027329149");
}

}  // namespace
}  // namespace keyvigil
