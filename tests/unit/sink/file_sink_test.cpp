#include "sink/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/alert_document.h"
#include "reference/event_builder.h"
#include "reference/list_world.h"
#include "sink/open_sink.h"

namespace keyvigil {
namespace {

namespace fs = std::filesystem;

std::vector<Alert> two_alerts() {
  ListWorld world;
  const std::vector<AccessEvent> events = {EventBuilder().user("alice").status(200).build(),
                                           EventBuilder().user("bob").status(403).build()};
  return world.run_all(events);
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class FileSinkTest : public testing::Test {
 protected:
  FileSinkTest() : folder_(fs::temp_directory_path() / ("keyvigil_sink_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~FileSinkTest() override { fs::remove_all(folder_); }
  SinkOptions options(AlertFormat format) const {
    SinkOptions chosen;
    chosen.format = format;
    chosen.path = folder_ / "alerts";
    return chosen;
  }

  fs::path folder_;
};

TEST_F(FileSinkTest, WritesEveryFormatOneAlertPerCall) {
  for (const AlertFormat format : alert_formats()) {
    const SinkOptions chosen = options(format);
    auto sink = open_sink(chosen);
    ASSERT_TRUE(sink) << sink.error().message;
    std::string expected = format_prologue(chosen);
    TableTotals totals;
    for (const Alert& alert : two_alerts()) {
      ASSERT_TRUE((*sink)->write({&alert, 1}));
      expected += format_alert(alert, chosen);
      totals.add(alert);
    }
    ASSERT_TRUE((*sink)->close());
    if (format == AlertFormat::kTable) { expected += totals.text(chosen.table); }
    EXPECT_EQ(content(chosen.path), expected) << to_string(format);
    EXPECT_EQ(parse_alert_format(to_string(format)), format);
  }
}

TEST_F(FileSinkTest, WritesOneJsonObjectPerLine) {
  const SinkOptions chosen = options(AlertFormat::kJsonl);
  auto sink = open_sink(chosen);
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->write(two_alerts()));
  ASSERT_TRUE((*sink)->close());
  std::ifstream file(chosen.path);
  std::string line;
  std::size_t lines = 0;
  while (std::getline(file, line)) {
    EXPECT_TRUE(Json::accept(line));
    ++lines;
  }
  EXPECT_EQ(lines, 2U);
}

TEST_F(FileSinkTest, ShowsNothingUnderItsNameBeforeItIsClosed) {
  const SinkOptions chosen = options(AlertFormat::kJsonl);
  std::ofstream(chosen.path) << "the previous result";
  {
    auto sink = open_sink(chosen);
    ASSERT_TRUE(sink);
    ASSERT_TRUE((*sink)->write(two_alerts()));
    EXPECT_EQ(content(chosen.path), "the previous result");
  }
  EXPECT_EQ(content(chosen.path), "the previous result");
  EXPECT_FALSE(fs::exists(chosen.path + ".partial"));
}

TEST_F(FileSinkTest, SaysWhyAPathCannotBeOpened) {
  SinkOptions chosen = options(AlertFormat::kJsonl);
  chosen.path = folder_ / "missing" / "alerts";
  const auto missing = open_sink(chosen);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kInputOutput);
  EXPECT_NE(missing.error().message.find("create the folder first"), std::string::npos);
  chosen.path = folder_;
  const auto folder = open_sink(chosen);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("not a folder"), std::string::npos);
}

TEST_F(FileSinkTest, ReportsAFullDisk) {
  SinkOptions chosen = options(AlertFormat::kJsonl);
  chosen.path = "/dev/full";
  if (!fs::exists(chosen.path)) { GTEST_SKIP() << "this system has no /dev/full"; }
  auto sink = open_sink(chosen);
  ASSERT_TRUE(sink) << sink.error().message;
  const auto written = (*sink)->write(two_alerts());
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("make room"), std::string::npos);
}

TEST_F(FileSinkTest, ReportsAReaderThatHasGone) {
  ::signal(SIGPIPE, SIG_IGN);
  SinkOptions chosen = options(AlertFormat::kJsonl);
  ASSERT_EQ(::mkfifo(chosen.path.c_str(), 0600), 0);
  const int reader = ::open(chosen.path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  auto sink = open_sink(chosen);
  ASSERT_TRUE(sink) << sink.error().message;
  ::close(reader);
  const auto written = (*sink)->write(two_alerts());
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("has ended"), std::string::npos);
}

TEST(AlertFormats, AreRefusedWhereUnknown) {
  EXPECT_EQ(parse_alert_format("xml"), std::nullopt);
  EXPECT_EQ(alert_format_names(), "table, jsonl, csv, eventhub, ocsf, ecs, cef, stix, syslog, gelf");
  EXPECT_EQ(json_format_names(), "jsonl, eventhub, ocsf, ecs, stix, gelf");
}

}  // namespace
}  // namespace keyvigil
