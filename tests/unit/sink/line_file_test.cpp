#include "sink/line_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

namespace fs = std::filesystem;

class LineFileTest : public testing::Test {
 protected:
  LineFileTest() : folder_(fs::temp_directory_path() / ("keyvigil_line_file_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    options_.path = folder_ / "alerts.jsonl";
  }
  ~LineFileTest() override { fs::remove_all(folder_); }

  static std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string line() const { return format_alert(tor_alert(), options_); }
  static Attempt::Outcome deliver_one(LineFile& file) {
    const OutgoingAlert one{tor_alert(), {}};
    const auto attempts = file.deliver({&one, 1});
    EXPECT_EQ(attempts.size(), 1U);
    return attempts.at(0).outcome;
  }

  fs::path folder_;
  SinkOptions options_;
};

TEST_F(LineFileTest, AppendsToWhatIsThere) {
  std::ofstream(options_.path) << "{}\n";
  LineFile file(options_);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(content(options_.path), "{}\n" + line() + line());
}

TEST_F(LineFileTest, FollowsARotation) {
  LineFile file(options_);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  fs::rename(options_.path, options_.path + ".1");
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(content(options_.path), line());
  EXPECT_EQ(content(options_.path + ".1"), line());
  fs::remove(options_.path);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(content(options_.path), line());
}

TEST_F(LineFileTest, EndsALineThatACrashCutOff) {
  std::ofstream(options_.path) << R"({"half":)";
  LineFile file(options_);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(content(options_.path), "{\"half\":\n" + line());
}

TEST_F(LineFileTest, BeginsAnEmptyFileWithTheFormatsPrologue) {
  options_.format = AlertFormat::kCsv;
  LineFile file(options_);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  EXPECT_EQ(content(options_.path), format_prologue(options_) + line() + line());
}

TEST_F(LineFileTest, IsForItsOwnerAndGroup) {
  LineFile file(options_);
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
  struct stat status {};
  ASSERT_EQ(::stat(options_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07, 0U);
}

TEST_F(LineFileTest, TriesAgainWhereItCannotWrite) {
  options_.path = folder_ / "missing" / "alerts";
  LineFile file(options_);
  const OutgoingAlert one{tor_alert(), {}};
  const auto attempts = file.deliver({&one, 1});
  EXPECT_EQ(attempts.at(0).outcome, Attempt::Outcome::kTryAgain);
  EXPECT_NE(attempts.at(0).why.find("missing"), std::string::npos);
  fs::create_directories(folder_ / "missing");
  EXPECT_EQ(deliver_one(file), Attempt::Outcome::kDelivered);
}

}  // namespace
}  // namespace keyvigil
