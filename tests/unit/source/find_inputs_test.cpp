#include "source/find_inputs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "folder.h"

namespace keyvigil {
namespace {

std::vector<std::string> names(const InputList& list, const std::string& folder) {
  std::vector<std::string> out;
  for (const InputFile& file : list.files) out.push_back(file.path.substr(folder.size() + 1));
  return out;
}

TEST(FindInputs, WalksFoldersByNameAndCountsWhatItSkips) {
  const Folder folder;
  folder.write("b/2.json", "x");
  folder.write("b/1.json", "xy");
  folder.write("a.json", "x");
  folder.write("c.json", "");
  folder.write(".hidden/x.json", "x");
  folder.write("b/.DS_Store", "x");
  std::filesystem::create_directory_symlink(folder.path(), folder.path() + "/b/loop");
  std::filesystem::create_symlink(folder.path() + "/a.json", folder.path() + "/d.json");
  std::filesystem::create_symlink(folder.path() + "/nowhere", folder.path() + "/e.json");
  const Result<InputList> found = find_inputs({folder.path()});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(names(*found, folder.path()), (std::vector<std::string>{"a.json", "b/1.json", "b/2.json"}));
  EXPECT_EQ(found->files[1].size_bytes, 2u);
  EXPECT_EQ(found->hidden_skipped, 2u);
  EXPECT_EQ(found->empty_skipped, 1u);
  EXPECT_EQ(found->repeated_skipped, 2u);
  EXPECT_EQ(found->other_skipped, 1u);
}

TEST(FindInputs, GoesOnBelowAFolderWhereItIsToldTo) {
  const Folder folder;
  folder.write("a.json", "x");
  folder.write("z.json", "x");
  ASSERT_EQ(::mkfifo((folder.path() + "/pipe").c_str(), 0600), 0);
  std::string deep = folder.path();
  for (int i = 0; i < 300; ++i) {
    deep += "/d";
    std::filesystem::create_directory(deep);
  }
  EXPECT_FALSE(find_inputs({folder.path()}));
  FindOptions options;
  options.goes_on = true;
  const Result<InputList> found = find_inputs({folder.path()}, options);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(names(*found, folder.path()), (std::vector<std::string>{"a.json", "z.json"}));
  EXPECT_EQ(found->failed_skipped, 2u);
  EXPECT_NE(found->failed_first.find("nested deeper"), std::string::npos) << found->failed_first;
  // What was named has to be there.
  EXPECT_FALSE(find_inputs({folder.path() + "/none"}, options));
}

TEST(FindInputs, TakesGlobsFilesAndStdinInTheOrderOfTheArguments) {
  const Folder folder;
  folder.write("2.log", "x");
  folder.write("1.log", "x");
  const std::string last = folder.write("[0].txt", "x");
  const Result<InputList> found = find_inputs({last, "-", folder.path() + "/*.log"});
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->files.size(), 4u);
  EXPECT_EQ(found->files[0].path, last);
  EXPECT_TRUE(found->files[1].is_stdin);
  EXPECT_EQ(found->files[1].display_name, "stdin");
  EXPECT_EQ(found->files[2].path, folder.path() + "/1.log");
  EXPECT_EQ(found->files[3].path, folder.path() + "/2.log");
}

TEST(FindInputs, SaysWhatIsMissingOrNotSupported) {
  const Folder folder;
  const std::string missing = folder.path() + "/none.json";
  for (const std::string& argument :
       {missing, folder.path() + "/*.json", std::string("https://contoso.blob.core.windows.net/x")}) {
    const Result<InputList> found = find_inputs({argument});
    ASSERT_FALSE(found.has_value()) << argument;
    EXPECT_EQ(found.error().kind, argument == missing ? ErrorKind::kInputOutput : ErrorKind::kUsage);
    EXPECT_NE(found.error().message.find(argument), std::string::npos);
  }
  EXPECT_EQ(find_inputs({"-", "-"}).error().kind, ErrorKind::kUsage);
}

TEST(FindInputs, StopsAtItsLimit) {
  const Folder folder;
  for (int i = 0; i < 5; ++i) folder.write(std::to_string(i), "x");
  FindOptions options;
  options.limit_files = 4;
  const Result<InputList> found = find_inputs({folder.path()}, options);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, ErrorKind::kLimit);
}

TEST(BlobPathTime, ReadsTheHourWhoseSecondMIsTheMinute) {
  const std::string prefix = "logs/resourceId=/SUBSCRIPTIONS/0/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/CONTOSO/";
  const std::optional<EventTime> time = blob_path_time(prefix + "y=2026/m=09/d=28/h=10/m=00/PT1H.json");
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(to_iso_milliseconds(*time), "2026-09-28T10:00:00.000Z");
  for (const std::string path : {"y=2026/m=13/d=28/h=10/m=00/PT1H.json", "y=2026/m=09/d=28/h=10/PT1H.json",
                                 "y=2026/m=09/d=28/h=1x/m=00/a", "m=09/d=28/h=10/m=00/a", ""}) {
    EXPECT_FALSE(blob_path_time(path).has_value()) << path;
  }
}

}  // namespace
}  // namespace keyvigil
