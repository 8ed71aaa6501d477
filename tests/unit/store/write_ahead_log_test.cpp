#include "store/write_ahead_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "store/backup.h"
#include "store/page_checksums.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kHeadBytes = 32;
constexpr std::size_t kFrameBytes = 24 + kPageBytes;
constexpr std::uint64_t kEntries = 40;

// Does not shrink when it is packed.
std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes = "\x1f\x8b";
  while (bytes.size() < size) { bytes.push_back(static_cast<char>(random())); }
  return bytes;
}

// What a service that was killed leaves behind: a store and a log of kEntries commits.
class KilledStore {
 public:
  KilledStore() {
    auto store = folder_.open();
    for (std::uint64_t i = 0; i < kEntries; ++i) { EXPECT_TRUE(store->append(std::vector{input(noise(30'000, i))})); }
    std::filesystem::copy(folder_.path(), killed_.path());
    log_ = bytes_of_file(folder_.path() + "-wal");
    write_log(log_);
  }
  void write_log(const std::string& bytes) const { write_file(killed_.path() + "-wal", bytes); }
  [[nodiscard]] const std::string& log() const { return log_; }
  [[nodiscard]] std::uint64_t frames() const { return (log_.size() - kHeadBytes) / kFrameBytes; }
  [[nodiscard]] std::string path() const { return killed_.path(); }

 private:
  StoreFolder folder_;
  StoreFolder killed_;
  std::string log_;
};

TEST(WriteAheadLog, OfAKilledServiceIsWhole) {
  const KilledStore killed;
  const auto log = read_write_ahead_log(killed.path());
  ASSERT_TRUE(log) << message_of(log);
  EXPECT_EQ(log->frames, killed.frames());
  EXPECT_FALSE(log->is_damaged());
  EXPECT_FALSE(log->pages.empty());
  const auto store = Store::open(killed.path());
  ASSERT_TRUE(store) << message_of(store);
  EXPECT_EQ((*store)->figures()->journal_entries, kEntries);
}

TEST(WriteAheadLog, NoneIsNone) {
  const StoreFolder folder;
  const auto log = read_write_ahead_log(folder.path());
  ASSERT_TRUE(log);
  EXPECT_EQ(log->frames, 0U);
  EXPECT_FALSE(log->is_damaged());
}

// SQLite starts with each of these, and knows nothing of what was acknowledged behind them.
TEST(WriteAheadLog, AnyChangedByteBeforeTheLastCommitIsDamage) {
  const KilledStore killed;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  // A commit is some frames; the last one may look like an end.
  const std::size_t within = killed.log().size() - 16 * kFrameBytes;
  std::vector<std::size_t> places = {0, 5, 9, 13, 17, 21, 25, 31};  // each field of the head
  for (std::size_t field = 0; field < 24; field += 3) { places.push_back(kHeadBytes + 5 * kFrameBytes + field); }
  for (int i = 0; i < 60; ++i) { places.push_back(random() % within); }
  for (const std::size_t place : places) {
    std::string bytes = killed.log();
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << (random() % 8)));
    killed.write_log(bytes);
    const auto store = Store::open(killed.path());
    ASSERT_FALSE(store) << place;
    EXPECT_NE(message_of(store).find("write-ahead log"), std::string::npos) << message_of(store);
    EXPECT_NE(message_of(store).find("keyvigil backup --damaged"), std::string::npos) << message_of(store);
    EXPECT_EQ(bytes_of_file(killed.path() + "-wal"), bytes) << "it is left as it is";
  }
}

TEST(WriteAheadLog, GarbageInItsPlaceIsDamage) {
  const KilledStore killed;
  std::mt19937_64 random(1);
  std::string bytes(killed.log().size(), '\0');
  for (char& c : bytes) { c = static_cast<char>(random()); }
  killed.write_log(bytes);
  EXPECT_NE(message_of(Store::open(killed.path())).find("the head of its write-ahead log is damaged"),
            std::string::npos);
}

// However a crash cuts it: the commits before are there, and it is no damage.
TEST(WriteAheadLog, ATornEndIsAnEnd) {
  const KilledStore killed;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 40; ++i) {
    const std::size_t cut = random() % (killed.log().size() + 1);
    std::string bytes = killed.log().substr(0, cut);
    if (i % 2 == 0) { bytes.append(random() % (3 * kFrameBytes), '\0'); }
    killed.write_log(bytes);
    const auto log = read_write_ahead_log(killed.path());
    ASSERT_TRUE(log);
    const bool has_head = cut >= kHeadBytes;
    if (has_head) { EXPECT_FALSE(log->is_damaged()) << cut; }
    EXPECT_LE(log->frames, killed.frames());
  }
}

// What a transaction that was undone left behind the end looks whole, but was never committed.
TEST(WriteAheadLog, FramesThatWereNeverCommittedAreNoLoss) {
  const KilledStore killed;
  std::string bytes = killed.log();
  std::vector<std::uint64_t> commits;
  for (std::uint64_t frame = 0; frame < killed.frames(); ++frame) {
    if (bytes.substr(kHeadBytes + frame * kFrameBytes + 4, 4) != std::string(4, '\0')) { commits.push_back(frame); }
  }
  ASSERT_GT(commits.size(), 10U);
  const std::uint64_t before_last = commits[commits.size() - 2];
  ASSERT_GT(commits.back(), before_last + 3) << "frames stand between the two";
  bytes.resize(kHeadBytes + commits.back() * kFrameBytes);
  char& changed = bytes[kHeadBytes + (before_last + 1) * kFrameBytes + 1000];
  changed = static_cast<char>(changed ^ 1);
  killed.write_log(bytes);
  const auto log = read_write_ahead_log(killed.path());
  ASSERT_TRUE(log);
  EXPECT_FALSE(log->is_damaged());
  EXPECT_EQ(log->frames, before_last + 1);
}

TEST(WriteAheadLog, WhatCanBeReadOfADamagedOneIsSaved) {
  const KilledStore killed;
  std::string bytes = killed.log();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  killed.write_log(bytes);
  ASSERT_FALSE(Store::open(killed.path()));
  BackupOptions options;
  options.damaged = true;
  const StoreFolder folder;
  ASSERT_EQ(message_of(back_up_store(killed.path(), folder.path("saved"), options)), "");
  const auto saved = Store::open(folder.path("saved"));
  ASSERT_TRUE(saved) << message_of(saved);
  EXPECT_GT((*saved)->figures()->journal_entries, 5U);
  EXPECT_LT((*saved)->figures()->journal_entries, kEntries);
}

}  // namespace
}  // namespace keyvigil
