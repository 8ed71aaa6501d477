#include "source/zip_archive.h"

#include <gtest/gtest.h>

#include <thread>

#include <sys/stat.h>

#include "folder.h"
#include "framed.h"
#include "reference/archives.h"
#include "source/file_source.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

Framed read_all(FileSource& source) {
  Framed framed;
  RawBatch batch;
  for (Result<bool> more = source.next(batch); more && *more; more = source.next(batch)) add_batch(batch, framed);
  return framed;
}

Framed read_bytes(const std::string& bytes, const FileSourceOptions& options = {}) {
  FileSource source = FileSource::of_bytes(bytes, "archive.zip", options);
  return read_all(source);
}

const std::string kTable = "TimeGenerated,OperationName\n09/10/2026 10:42:07,a\n28/10/2026 10:42:07,b\n";

TEST(ZipArchive, ReadsEveryEntryAsAFileByItsHourThenByName) {
  const std::string zip = zip_of({{"logs/", ""},
                                  {"logs/b.json", "{\"n\":4}\n"},
                                  {"logs/a.csv", kTable},
                                  {"__MACOSX/logs/._a.csv", "junk"},
                                  {"y=2026/m=09/d=28/h=11/m=00/PT1H.json", "{\"n\":6}"},
                                  {"y=2026/m=09/d=28/h=10/m=00/PT1H.json", "{\"records\":[{\"n\":5}]}\n"},
                                  {"logs/empty.json", ""}});
  const Framed framed = read_bytes(zip);
  EXPECT_EQ(framed.texts(),
            (Texts{"09/10/2026 10:42:07,a", "28/10/2026 10:42:07,b", "{\"n\":4}", "{\"n\":5}", "{\"n\":6}"}));
  EXPECT_TRUE(framed.refused.empty());
  EXPECT_EQ(framed.blank_records, 2u);
}

TEST(ZipArchive, IsReadFromAFileAPipeAndTwice) {
  const Folder folder;
  const std::string zip = zip_of({{"a.json", "{\"n\":1}\n{\"n\":2}\n"}, {"b.json", "{\"n\":3}\n"}});
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << zip; });
  FileSourceOptions options;
  options.spool_folder = folder.path();
  Result<FileSource> piped = FileSource::open(pipe, options);
  ASSERT_TRUE(piped.has_value());
  Result<FileSource> file = FileSource::open(folder.write("archive.zip", zip), options);
  ASSERT_TRUE(file.has_value());
  for (FileSource* source : {&*piped, &*file}) {
    const Framed first = read_all(*source);
    EXPECT_EQ(first.texts(), (Texts{"{\"n\":1}", "{\"n\":2}", "{\"n\":3}"}));
    ASSERT_TRUE(source->rewind().has_value());
    EXPECT_EQ(read_all(*source), first);
  }
  writer.join();
}

TEST(ZipArchive, NamesTheEntryOfWhatItRefuses) {
  const Framed framed = read_bytes(zip_of({{"a.json", "{\"n\":1}\n"}, {"readme.txt", "hello"}}));
  EXPECT_EQ(framed.texts(), Texts{"{\"n\":1}"});
  ASSERT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(framed.refused[0].find("in the entry \"readme.txt\""), std::string::npos);
}

TEST(ZipArchive, RefusesArchivesInsideArchivesAndWorkbooks) {
  const std::string inner = zip_of({{"a.json", "{\"n\":1}\n"}});
  EXPECT_NE(read_bytes(zip_of({{"inner.zip", inner}})).refused[0].find("zip archive inside another"),
            std::string::npos);
  EXPECT_NE(read_bytes(zip_of({{"xl/workbook.xml", "<x/>"}})).refused[0].find("Excel workbook"), std::string::npos);
}

TEST(ZipArchive, SaysWhereADamagedOrCutOneIsBroken) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"n\":" + std::to_string(i * 7919 % 10'007) + "}\n";
  const std::string zip = zip_of({{"a.json", text}, {"b.json", "{\"n\":3}\n"}});
  std::string flipped = zip;
  for (std::size_t i = 0; i < 20; ++i) flipped[zip.size() / 3 + i] = static_cast<char>(~flipped[zip.size() / 3 + i]);
  const Framed damaged = read_bytes(flipped);
  ASSERT_FALSE(damaged.causes.empty());
  EXPECT_EQ(damaged.causes.back(), RefusalCause::kBadCompression);
  EXPECT_NE(damaged.refused.back().find("\"a.json\""), std::string::npos);
  EXPECT_EQ(damaged.texts().back(), "{\"n\":3}");
  const Framed cut = read_bytes(zip.substr(0, zip.size() / 2));
  EXPECT_TRUE(cut.records.empty());
  ASSERT_EQ(cut.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(cut.refused[0].find("unpack it and read the folder"), std::string::npos);
}

TEST(ZipArchive, StopsWhereAnArchiveExpandsFurtherThanLogsDo) {
  const std::string zeros(std::size_t{8} << 20, '\n');
  const std::string zip = zip_of({{"a.json", zeros}, {"b.json", zeros}, {"c.json", "{\"n\":1}\n"}});
  FileSourceOptions options;
  options.expansion.free_bytes = std::size_t{1} << 20;
  FileSource source = FileSource::of_bytes(zip, "bomb.zip", options);
  const Framed framed = read_all(source);
  EXPECT_TRUE(framed.records.empty());
  ASSERT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kBadCompression});
  EXPECT_NE(framed.refused[0].find("left unread"), std::string::npos);
  EXPECT_LT(source.plain_bytes(), std::size_t{8} << 20);
}

TEST(ZipArchive, RefusesMoreEntriesThanItsLimitBeforeTheyAreListed) {
  const std::string zip = zip_of({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  RawInput input = RawInput::of_bytes(zip, "archive.zip");
  ZipLimits limits;
  limits.entries = 2;
  const Result<ZipArchive> refused = ZipArchive::open(input, limits);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("3 entries, where 2 are the limit"), std::string::npos);
  limits.entries = 3;
  EXPECT_TRUE(ZipArchive::open(input, limits).has_value());
}

}  // namespace
}  // namespace keyvigil
