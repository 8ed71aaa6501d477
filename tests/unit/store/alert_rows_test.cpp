#include "store/alert_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/snapshot.h"
#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr std::uint64_t kAlerts = 700;

// Ties in time are frequent; some are simulated, dismissed or resolved.
Alert tied_alert(std::uint64_t number) {
  Alert alert = made_alert(number);
  alert.generated.ticks -= alert.generated.ticks % (8 * EventTime::kTicksPerMinute);
  alert.resource_group = fmt::format("RG-{}", number % 7);
  return alert;
}

std::unique_ptr<Store> filled(const StoreFolder& folder, std::vector<StoredAlert>& twin) {
  auto store = folder.open();
  std::vector<RaisedRevision> revisions;
  std::vector<Alert> simulated;
  for (std::uint64_t i = 0; i < kAlerts; ++i) {
    StoredAlert stored;
    stored.alert = tied_alert(i);
    stored.simulated = i % 11 == 0;
    if (stored.simulated) {
      simulated.push_back(stored.alert);
    } else {
      stored.dismissed_by_rule = i % 13 == 0 ? "rule" : "";
      stored.status = i % 13 == 0 ? AlertStatus::kDismissed : AlertStatus::kActive;
      revisions.push_back({stored.alert, false, stored.dismissed_by_rule, {}});
    }
    twin.push_back(stored);
  }
  EXPECT_TRUE(store->add_revisions(revisions, {}));
  EXPECT_TRUE(store->add_simulated(simulated, {}, done_by("alice", "simulate")));
  for (std::uint64_t i = 0; i < kAlerts; i += 17) {
    twin[i].status = AlertStatus::kResolved;
    EXPECT_EQ(store->set_status(twin[i].alert.id, AlertStatus::kResolved, done_by("alice", "alert.resolve")), true);
  }
  return store;
}

template <typename T>
bool is_one_of(const std::vector<T>& wanted, T value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool matches(const AlertFilter& filter, const StoredAlert& stored) {
  const Alert& alert = stored.alert;
  std::string group = alert.resource_group;
  std::replace(group.begin(), group.end(), 'R', 'r');
  std::replace(group.begin(), group.end(), 'G', 'g');
  return (!filter.subscriptions || filter.subscriptions->contains(alert.subscription_id)) &&
         (filter.resource_group.empty() || filter.resource_group == group) && is_one_of(filter.types, alert.type) &&
         is_one_of(filter.severities, severity_of(alert)) && is_one_of(filter.statuses, stored.status) &&
         (!filter.from || alert.generated >= *filter.from) && (!filter.until || alert.generated < *filter.until) &&
         (filter.caller_key.empty() || filter.caller_key == alert.caller.key) &&
         (filter.vault_id.empty() || filter.vault_id == alert.vault_id) &&
         (!filter.simulated || *filter.simulated == stored.simulated) &&
         (filter.text.empty() || alert.caller.user_name == filter.text + "@contoso.com");
}

AlertFilter random_filter(std::mt19937_64& random) {
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  AlertFilter filter;
  const Alert some = tied_alert(random() % kAlerts);
  if (one_in(3)) {
    filter.subscriptions.emplace();
    for (std::uint64_t i = 0; i < 7; ++i) {
      if (one_in(3)) { filter.subscriptions->insert(made_alert(i).subscription_id); }
    }
    if (one_in(4)) {
      for (int i = 0; i < 80; ++i) { filter.subscriptions->insert(fmt::format("another {}", i)); }
    }
  }
  if (one_in(4)) { filter.resource_group = fmt::format("rg-{}", random() % 8); }
  for (std::uint64_t i = 0; one_in(2) && i < random() % 4; ++i) {
    filter.types.push_back(static_cast<AlertType>(random() % kAlertTypeCount));
  }
  if (one_in(4)) { filter.severities = {Severity::kMedium}; }
  if (one_in(6)) { filter.severities = {Severity::kMedium, Severity::kHigh}; }
  if (one_in(3)) { filter.statuses.push_back(static_cast<AlertStatus>(random() % 4)); }
  if (one_in(6)) { filter.statuses.push_back(AlertStatus::kActive); }
  if (one_in(4)) { filter.from = some.generated; }
  if (one_in(4)) { filter.until = tied_alert(random() % kAlerts).generated; }
  if (one_in(5)) { filter.caller_key = some.caller.key; }
  if (one_in(5)) { filter.vault_id = some.vault_id; }
  if (one_in(4)) { filter.simulated = one_in(2); }
  if (one_in(6)) { filter.text = fmt::format("person{}", random() % 320); }
  filter.limit = 1 + random() % 40;
  return filter;
}

TEST(AlertRows, PagesAreThoseOfANaiveTwin) {
  const StoreFolder folder;
  std::vector<StoredAlert> twin;
  const auto store = filled(folder, twin);
  std::sort(twin.begin(), twin.end(), [](const StoredAlert& left, const StoredAlert& right) {
    return std::tie(left.alert.generated, left.alert.id) > std::tie(right.alert.generated, right.alert.id);
  });
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::size_t found = 0;
  for (int round = 0; round < 300; ++round) {
    AlertFilter filter = random_filter(random);
    std::vector<std::string> expected;
    std::map<AlertType, std::uint64_t> counts;
    for (const StoredAlert& stored : twin) {
      if (!matches(filter, stored)) { continue; }
      expected.push_back(stored.alert.id);
      if (!stored.simulated) { ++counts[stored.alert.type]; }
    }
    EXPECT_EQ(store->count_by_type(filter), counts);
    std::vector<std::string> got;
    do {
      const auto page = store->alerts(filter);
      ASSERT_TRUE(page) << message_of(page);
      ASSERT_LE(page->alerts.size(), filter.limit);
      for (const StoredAlert& stored : page->alerts) { got.push_back(stored.alert.id); }
      filter.after = page->next;
    } while (!filter.after.empty());
    EXPECT_EQ(got, expected) << "round " << round;
    found += got.size();
  }
  EXPECT_GT(found, 1000U);
}

TEST(AlertRows, RefusesPageTokensThatItDidNotGive) {
  const StoreFolder folder;
  auto store = folder.open();
  for (const char* token :
       {"x", "00", "zz000000000000000", "000000000000000g", "0000000000000001a", "' OR 1=1 --", "-000000000000001"}) {
    AlertFilter filter;
    filter.after = token;
    const auto page = store->alerts(filter);
    ASSERT_FALSE(page) << token;
    EXPECT_EQ(page.error().kind, ErrorKind::kUsage);
  }
}

TEST(AlertRows, FindsWordsOfEveryKind) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<RaisedRevision> revisions;
  for (std::uint64_t i = 0; i < 20; ++i) { revisions.push_back({made_alert(i), false, "", {}}); }
  ASSERT_TRUE(store->add_revisions(revisions, {}));
  const auto count = [&](const std::string& words) {
    AlertFilter filter;
    filter.text = words;
    const auto page = store->alerts(filter);
    EXPECT_TRUE(page) << words << ": " << message_of(page);
    return page ? page->alerts.size() : 12345U;
  };
  EXPECT_EQ(count("person7@contoso.com"), 1U);
  EXPECT_EQ(count("PERSON7"), 1U);
  EXPECT_EQ(count("203.0.113.7"), 1U);
  EXPECT_EQ(count("kv-7"), 1U);
  EXPECT_EQ(count("secrets/s7-1"), 1U);
  EXPECT_EQ(count(made_alert(7).caller.key), 1U);
  EXPECT_EQ(count(made_alert(7).id), 1U);
  EXPECT_EQ(count("person1*"), 11U);
  EXPECT_EQ(count("person7 203.0.113.7"), 1U);
  EXPECT_EQ(count("person7 203.0.113.8"), 0U);
  EXPECT_EQ(count("KV_TORAccess"), 2U);
  EXPECT_EQ(count("   "), 0U);
}

TEST(AlertRows, NoTextIsAnExpression) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<RaisedRevision> revisions;
  revisions.push_back({made_alert(1), false, "", {}});
  ASSERT_TRUE(store->add_revisions(revisions, {}));
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::vector<std::string> texts{"\"", "\"\"",  "a OR b", "NOT a", "words:a", "a*b",      "NEAR(a b)", "^a",    "{a b}",
                                 "-a", "a AND", "(((",    "*",     "'; DROP", "\xff\xfe", "a\"b\"\"c", "+ + +", "!!!"};
  texts.emplace_back("nul \0 inside", 12);
  texts.emplace_back(100'000, '"');
  const std::string alphabet = "ab\"*()^:-+{}.' \t\0ORNDT\xc3\xa9";
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (std::uint64_t n = random() % 12; n > 0; --n) { text += alphabet[random() % alphabet.size()]; }
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    AlertFilter filter;
    filter.text = text;
    const auto page = store->alerts(filter);
    EXPECT_TRUE(page) << testing::PrintToString(text) << ": " << message_of(page);
  }
  EXPECT_EQ(full_text_expression("a \"OR\" b*"), "\"a\" \"\"\"OR\"\"\" \"b\" *");
}

TEST(AlertRows, ANewRevisionReplacesTheWords) {
  const StoreFolder folder;
  auto store = folder.open();
  std::vector<RaisedRevision> revisions;
  revisions.push_back({made_alert(1), false, "", {}});
  ASSERT_TRUE(store->add_revisions(revisions, {}));
  Alert revised = made_alert(1, 2);
  revised.addresses.items.emplace_back("198.51.100.77");
  revisions = {{revised, false, "", {}}};
  ASSERT_TRUE(store->add_revisions(revisions, {}));
  AlertFilter filter;
  filter.text = "198.51.100.77 person1";
  EXPECT_EQ(store->alerts(filter)->alerts.size(), 1U);
}

TEST(AlertRows, ClosedAlertsGoAfterTheirRetentionUnlessTheyWaitForDelivery) {
  const StoreFolder folder;
  StoreOptions options;
  options.alert_retention_days = 30;
  auto store = folder.open(options);
  const EventTime day0 = EventTime::from_milliseconds(1'790'000'000'000);
  std::vector<RaisedRevision> revisions;
  for (std::uint64_t i = 0; i < 4; ++i) { revisions.push_back({made_alert(i), false, "", {}}); }
  revisions[1].alert.open = false;
  revisions[2].alert.open = false;
  revisions[2].outputs = {"siem"};
  ASSERT_TRUE(store->add_revisions(revisions, day0));
  ASSERT_TRUE(store->remove_outdated(EventTime{day0.ticks + 29 * EventTime::kTicksPerDay}));
  EXPECT_EQ(store->figures()->alerts, 4U);
  const EventTime day31{day0.ticks + 31 * EventTime::kTicksPerDay};
  ASSERT_TRUE(store->remove_outdated(day31));
  EXPECT_FALSE(store->alert(made_alert(1).id)->has_value());
  EXPECT_TRUE(store->history(made_alert(1).id)->empty());
  EXPECT_EQ(store->figures()->alerts, 3U);
  ASSERT_TRUE(store->delivered(std::vector<std::uint64_t>{store->due("siem", day31, 1)->front().id}));
  ASSERT_TRUE(store->remove_outdated(day31));
  EXPECT_EQ(store->figures()->alerts, 2U);
  AlertFilter filter;
  filter.text = "person1";
  EXPECT_TRUE(store->alerts(filter)->alerts.empty());
}

// Stores hold these bytes. Where this fails, give the new bytes a new kAlertFormat in alert_rows.cpp, and keep a way to
// read the old ones.
TEST(AlertRows, AlertsAreStoredAsEver) {
  SnapshotWriter writer;
  writer.write(made_alert(7, 3));
  EXPECT_EQ(to_hex(hash128(writer.bytes())), "28ae56695aa1a6bc975f00bb42209ed5");
}

}  // namespace
}  // namespace keyvigil
