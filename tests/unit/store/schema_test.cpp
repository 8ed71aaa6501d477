#include "store/schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "reference/made_alert.h"
#include "store/backup.h"
#include "store/page_checksums.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kPage = kPageBytes;

constexpr std::uint64_t kAlerts = 60;

// A store with something in every table, closed: everything is in the file. Some of its pages are free.
std::string filled_store(const StoreFolder& folder) {
  {
    auto store = folder.open();
    std::vector<RaisedRevision> revisions;
    for (std::uint64_t i = 0; i < kAlerts; ++i) { revisions.push_back({made_alert(i), false, "", {"siem"}}); }
    EXPECT_TRUE(store->add_revisions(revisions, {}));
    std::string section;
    for (int i = 0; i < 15'000; ++i) { section += std::to_string(i * 7919) + ","; }
    std::string body = "\x1f\x8b";
    for (int i = 0; i < 20'000; ++i) { body += std::to_string(i); }
    EXPECT_TRUE(store->append(std::vector{input(body), input(body)}));
    CheckpointCommit checkpoint;
    checkpoint.sections["engine"] = section_of(section);
    checkpoint.consumed_to = 1;
    EXPECT_TRUE(store->commit(checkpoint));
    EXPECT_TRUE(store->audit(done_by("alice", "test")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "-wal"));
  return bytes_of_file(folder.path());
}

std::string refusal(const StoreFolder& folder) {
  return message_of(Store::open(folder.path()));
}

void expect_says(const std::string& message, std::string_view words) {
  EXPECT_NE(message.find(words), std::string::npos) << "'" << message << "' does not say '" << words << "'";
}

TEST(Schema, MakesAStoreThatIsKnownByItsHead) {
  const StoreFolder folder;
  ASSERT_TRUE(folder.open());
  ASSERT_TRUE(check_head(folder.path(), store_form()));
  const std::string head = bytes_of_file(folder.path()).substr(0, 100);
  EXPECT_EQ(head.substr(68, 4), "KVV1");
  struct stat status {};
  ASSERT_EQ(stat(folder.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(Schema, MigratesStepByStep) {
  const StoreFolder folder;
  const std::array first{"CREATE TABLE a(x INTEGER); INSERT INTO a VALUES(1);"};
  const std::array both{first[0], "ALTER TABLE a ADD COLUMN y INTEGER DEFAULT 7; INSERT INTO a VALUES(2, 8);"};
  const std::array failing{both[0], both[1], "UPDATE a SET x = 100; CREATE TABLE a(again INTEGER);"};
  auto database = Database::open(folder.path(), DatabaseMode::kCreate);
  ASSERT_TRUE(database);
  ASSERT_TRUE(migrate(*database, first));
  EXPECT_EQ(database->number("PRAGMA user_version"), 1);
  ASSERT_TRUE(migrate(*database, both));
  ASSERT_TRUE(migrate(*database, both));
  EXPECT_EQ(database->number("PRAGMA user_version"), 2);
  EXPECT_EQ(database->number("SELECT sum(x * 10 + y) FROM a"), 17 + 28);
  EXPECT_FALSE(migrate(*database, failing));
  EXPECT_EQ(database->number("PRAGMA user_version"), 2);
  EXPECT_EQ(database->number("SELECT sum(x) FROM a"), 3);
}

TEST(Schema, RefusesANewerStoreAndLeavesItAlone) {
  const StoreFolder folder;
  filled_store(folder);
  {
    auto database = Database::open(folder.path(), DatabaseMode::kReadWrite);
    ASSERT_TRUE(database->script("PRAGMA user_version=1000"));
  }
  const std::string before = bytes_of_file(folder.path());
  expect_says(refusal(folder), "found 1000: a newer KeyVigil wrote it");
  EXPECT_TRUE(bytes_of_file(folder.path()) == before);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "-wal"));
}

TEST(Schema, RefusesANewerStoreWhoseVersionIsOnlyInTheLog) {
  const StoreFolder folder;
  filled_store(folder);
  auto database = Database::open(folder.path(), DatabaseMode::kReadWrite);
  ASSERT_TRUE(database->script("PRAGMA user_version=1000"));
  ASSERT_TRUE(check_head(folder.path(), store_form()));
  expect_says(refusal(folder), "found 1000: a newer KeyVigil wrote it");
}

TEST(Schema, RefusesRowsOfANewerFormat) {
  const StoreFolder folder;
  filled_store(folder);
  {
    auto database = Database::open(folder.path(), DatabaseMode::kReadWrite);
    ASSERT_TRUE(database->script("INSERT INTO suppression_rule VALUES('s', 'n', 1000, x'00')"));
  }
  const auto rules = folder.open()->all_rules();
  ASSERT_FALSE(rules);
  expect_says(rules.error().message, "expected suppression-rule of version 1");
  expect_says(rules.error().message, "found version 1000: a newer KeyVigil wrote it");
}

TEST(Schema, RefusesFilesOfOthersAndLeavesThemAlone) {
  const StoreFolder folder;
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE a(x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  const std::string before = bytes_of_file(folder.path());
  expect_says(refusal(folder), "is another program's SQLite file");
  EXPECT_TRUE(bytes_of_file(folder.path()) == before);

  write_file(folder.path(), std::string(5000, 'x'));
  expect_says(refusal(folder), "found a file of another kind");
  write_file(folder.path(), "");
  expect_says(refusal(folder), "found an empty file");
}

TEST(Schema, RefusesALogWithoutItsStore) {
  const StoreFolder folder;
  write_file(folder.path() + "-wal", "left behind");
  expect_says(refusal(folder), "found the log alone");
  EXPECT_EQ(bytes_of_file(folder.path() + "-wal"), "left behind");
}

TEST(Schema, RefusesEventsWithoutTheirStore) {
  const StoreFolder folder;
  write_file(folder.path() + ".events", "left behind");
  expect_says(refusal(folder), "found the events alone");
  EXPECT_EQ(bytes_of_file(folder.path() + ".events"), "left behind");
}

TEST(Schema, RefusesWhatItMayNotWrite) {
  const StoreFolder folder;
  filled_store(folder);
  ASSERT_EQ(chmod(folder.path().c_str(), 0444), 0);
  expect_says(refusal(folder), "found it read-only");
  ASSERT_EQ(chmod(folder.path().c_str(), 0644), 0);
  const std::string inside = folder.path("inner");
  ASSERT_EQ(mkdir(inside.c_str(), 0555), 0);
  expect_says(message_of(Store::open(inside + "/store")), "expected to write to the folder");
  expect_says(message_of(Store::open(folder.path("absent") + "/store")), "expected to find the folder");
}

TEST(Schema, LetsOneProcessServe) {
  const StoreFolder folder;
  auto store = folder.open();
  expect_says(refusal(folder), "found that another process does");
  store.reset();
  EXPECT_EQ(refusal(folder), "");
}

// Anywhere in any page, free pages too.
TEST(Schema, RefusesEveryDamagedPage) {
  const StoreFolder folder;
  const std::string good = filled_store(folder);
  ASSERT_EQ(good.size() % kPage, 0U);
  const std::size_t pages = good.size() / kPage;
  ASSERT_GT(pages, 60U);
  std::size_t refused = 0;
  for (std::size_t page = 0; page < pages; ++page) {
    const std::string_view content = std::string_view(good).substr(page * kPage, kPage);
    if (content.find_first_not_of('\0') == std::string_view::npos) { continue; }  // never written: nobody reads it
    for (const std::size_t at : {page == 0 ? std::size_t{101} : std::size_t{0}, kPage / 2 + page % 1000, kPage - 1}) {
      std::string bad = good;
      bad[page * kPage + at] = static_cast<char>(bad[page * kPage + at] ^ 0x40);
      write_file(folder.path(), bad);
      const std::string message = refusal(folder);
      SCOPED_TRACE(fmt::format("page {} byte {}", page + 1, at));
      expect_says(message, "nothing was changed");
      expect_says(message, "keyvigil backup --damaged");
      EXPECT_TRUE(bytes_of_file(folder.path()) == bad);
      ++refused;
    }
  }
  EXPECT_GT(refused, 3 * 60U);
  write_file(folder.path(), good);
  EXPECT_EQ(refusal(folder), "");
}

TEST(Schema, RefusesALastPageOfZerosOrNoise) {
  const StoreFolder folder;
  const std::string good = filled_store(folder);
  for (const char fill : {'\xff', '\x01', 'A'}) {
    std::string bad = good;
    std::fill(bad.end() - kPageBytes, bad.end(), fill);
    write_file(folder.path(), bad);
    expect_says(refusal(folder), fmt::format("page {} (of {} bytes each) is damaged", good.size() / kPage, kPage));
  }
}

// A page that is in use and was set to zero; or swapped with another good page.
TEST(Schema, RefusesZeroedAndMisplacedPages) {
  const StoreFolder folder;
  const std::string good = filled_store(folder);
  std::size_t tried = 0;
  for (std::size_t page = 1; page + 1 < good.size() / kPage; ++page) {
    std::string bad = good;
    std::swap_ranges(bad.begin() + static_cast<std::ptrdiff_t>(page * kPage),
                     bad.begin() + static_cast<std::ptrdiff_t>((page + 1) * kPage),
                     bad.begin() + static_cast<std::ptrdiff_t>((page + 1) * kPage));
    if (bad == good) { continue; }
    write_file(folder.path(), bad);
    expect_says(refusal(folder), "nothing was changed");
    ++tried;
  }
  EXPECT_GT(tried, 30U);
}

TEST(Schema, RefusesEveryCut) {
  const StoreFolder folder;
  const std::string good = filled_store(folder);
  for (std::size_t size = 0; size < good.size(); size += kPage / 2) {
    for (const std::size_t cut : {size, size + 1}) {
      write_file(folder.path(), good.substr(0, cut));
      SCOPED_TRACE(cut);
      expect_says(refusal(folder), "nothing was changed");
    }
  }
}

// What another program wrote has no checksums: refused, and saved by the copy that does not ask for them.
TEST(Schema, SavesWhatAnotherProgramWrote) {
  const StoreFolder folder;
  filled_store(folder);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(folder.path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "UPDATE alert SET status = 2 WHERE number = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  expect_says(refusal(folder), "damaged or was written by another program");
  EXPECT_FALSE(back_up_store(folder.path(), folder.path("copy")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("copy")));
  ASSERT_EQ(message_of(back_up_store(folder.path(), folder.path("copy"), {true})), "");
  const auto copy = Store::open(folder.path("copy"));
  ASSERT_TRUE(copy) << message_of(copy);
  EXPECT_EQ((*copy)->figures()->alerts, kAlerts);
  EXPECT_EQ((*(*copy)->alert(made_alert(0).id))->status, AlertStatus::kResolved);
}

}  // namespace
}  // namespace keyvigil
