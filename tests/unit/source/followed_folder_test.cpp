#include "source/followed_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "folder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kMost = 1000;

FollowedItem only_item(const FollowAccess& access) {
  auto list = access.list();
  EXPECT_TRUE(list.has_value());
  EXPECT_EQ(list->items.size(), 1U);
  return list->items.at(0);
}

TEST(FollowedFolder, ReadsAPartOfAFile) {
  const Folder folder;
  folder.write("a.json", "0123456789");
  const FollowAccess access = follow_folder(folder.path());
  const FollowedItem item = only_item(access);
  EXPECT_EQ(item.size_bytes, 10U);
  EXPECT_EQ(access.read(item, 3, 4).value(), "3456");
  EXPECT_EQ(access.read(item, 8, kMost).value(), "89");
}

TEST(FollowedFolder, TellsWhatIsGoneFromWhatCannotBeRead) {
  const Folder folder;
  const std::string path = folder.write("a.json", "0123456789");
  const FollowAccess access = follow_folder(folder.path());
  const FollowedItem item = only_item(access);
  std::filesystem::remove(path);
  EXPECT_EQ(access.read(item, 0, kMost).error().kind, ReadFailure::Kind::kGone);
  folder.write("b.json", "another file, that it does not get the number of the first");
  folder.write("a.json", "replaced");
  const auto replaced = access.read(item, 0, kMost);
  EXPECT_TRUE(replaced || replaced.error().kind == ReadFailure::Kind::kGone);
  if (::geteuid() == 0) { GTEST_SKIP() << "root may read everything"; }
  std::filesystem::permissions(folder.path() + "/b.json", std::filesystem::perms::none);
  std::filesystem::remove(path);
  const auto denied = access.read(only_item(access), 0, kMost);
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, ReadFailure::Kind::kItem);
  EXPECT_NE(denied.error().why.find("Permission denied"), std::string::npos) << denied.error().why;
}

// It would wait for somebody who writes.
TEST(FollowedFolder, DoesNotWaitForAPipeThatTookAFilesPlace) {
  const Folder folder;
  const std::string path = folder.write("a.json", "0123456789");
  const FollowAccess access = follow_folder(folder.path());
  const FollowedItem item = only_item(access);
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto read = access.read(item, 0, kMost);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, ReadFailure::Kind::kItem);
  EXPECT_NE(read.error().why.find("expected a regular file"), std::string::npos) << read.error().why;
  const auto list = access.list();
  ASSERT_TRUE(list.has_value());
  EXPECT_TRUE(list->items.empty());
  EXPECT_EQ(list->not_listed, 1U);
  EXPECT_NE(list->not_listed_first.find("a.json"), std::string::npos) << list->not_listed_first;
}

}  // namespace
}  // namespace keyvigil
