// A disk that is full: what does not fit is refused whole, and the store goes on where there is room again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

// A file system of 6 MB of its own. Needs root.
class SmallDisk {
 public:
  SmallDisk() : path_(folder_.path("disk")) {
    ::mkdir(path_.c_str(), 0700);
    mounted_ = ::mount("keyvigil-test", path_.c_str(), "tmpfs", 0, "size=6m") == 0;
    if (!mounted_) { why_ = std::strerror(errno); }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) { ::umount2(path_.c_str(), MNT_DETACH); }
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] bool remount(unsigned long flags) const {
    return ::mount("keyvigil-test", path_.c_str(), "tmpfs", MS_REMOUNT | flags, "size=6m") == 0;
  }

 private:
  StoreFolder folder_;
  std::string path_;
  bool mounted_ = false;
  std::string why_;
};

// Does not shrink when it is packed.
std::string noise(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes = "\x1f\x8b";
  while (bytes.size() < size) { bytes.push_back(static_cast<char>(random())); }
  return bytes;
}

TEST(DiskFull, RefusesWholeAndGoesOnWhenThereIsRoom) {
  const SmallDisk disk;
  if (!disk.mounted()) { GTEST_SKIP() << "needs to mount a small file system: " << disk.why(); }
  auto opened = Store::open(disk.path("store"));
  ASSERT_TRUE(opened) << message_of(opened);
  const auto store = *std::move(opened);
  const std::string ballast = disk.path("ballast");
  write_file(ballast, std::string(2'000'000, 'x'));
  std::vector<std::string> acknowledged;
  Result<std::uint64_t> appended;
  for (std::uint64_t i = 0; appended && i < 200; ++i) {
    const std::string body = noise(100'000, i);
    appended = store->append(std::vector{input(body), input(body + "second")});
    if (appended) { acknowledged.push_back(body); }
  }
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().kind, ErrorKind::kNoRoom);
  EXPECT_NE(appended.error().message.find("found the disk full; free some space"), std::string::npos)
      << appended.error().message;
  EXPECT_GT(acknowledged.size(), 3U);
  const auto check = [&](const Store& checked) {
    const auto journal = checked.read_journal(0, 1U << 30);
    ASSERT_TRUE(journal) << message_of(journal);
    ASSERT_EQ(journal->size(), 2 * acknowledged.size());
    for (std::size_t i = 0; i < journal->size(); ++i) {
      ASSERT_TRUE((*journal)[i].entry.body == acknowledged[i / 2] + (i % 2 == 0 ? "" : "second"));
    }
    EXPECT_EQ(checked.figures()->journal_entries, journal->size());
  };
  check(*store);
  CheckpointCommit checkpoint;
  checkpoint.sections["engine"] = section_of(noise(3'000'000, 1));
  const auto refused = store->commit(checkpoint);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kNoRoom);
  EXPECT_FALSE(store->last_checkpoint()->has_value());
  EXPECT_EQ(store->figures()->alerts, 0U);

  std::filesystem::remove(ballast);
  const std::string later = noise(50'000, 77);
  ASSERT_TRUE(store->append(std::vector{input(later), input(later + "second")}));
  acknowledged.push_back(later);
  check(*store);
  checkpoint.sections["engine"] = section_of(noise(10'000, 1));
  ASSERT_EQ(message_of(store->commit(checkpoint)), "");
  EXPECT_TRUE((*store->last_checkpoint())->sections["engine"] == noise(10'000, 1));
}

TEST(DiskFull, ANewStoreThatDoesNotFitLeavesNothingBehind) {
  const SmallDisk disk;
  if (!disk.mounted()) { GTEST_SKIP() << "needs to mount a small file system: " << disk.why(); }
  write_file(disk.path("ballast"), std::string(6'200'000, 'x'));
  EXPECT_NE(message_of(Store::open(disk.path("store"))).find("found the disk full"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(disk.path("store")));
  std::filesystem::remove(disk.path("ballast"));
  EXPECT_EQ(message_of(Store::open(disk.path("store"))), "");
}

TEST(DiskFull, AReadOnlyFileSystemIsRefused) {
  const SmallDisk disk;
  if (!disk.mounted()) { GTEST_SKIP() << "needs to mount a small file system: " << disk.why(); }
  ASSERT_EQ(message_of(Store::open(disk.path("store"))), "");
  ASSERT_TRUE(disk.remount(MS_RDONLY));
  EXPECT_NE(message_of(Store::open(disk.path("store"))).find("found it read-only"), std::string::npos);
  EXPECT_NE(message_of(Store::open(disk.path("another"))).find("found it read-only"), std::string::npos);
  ASSERT_TRUE(disk.remount(0));
  EXPECT_EQ(message_of(Store::open(disk.path("store"))), "");
}

}  // namespace
}  // namespace keyvigil
