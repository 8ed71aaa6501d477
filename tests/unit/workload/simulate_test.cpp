#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/simulate_command.h"

namespace keyvigil {
namespace {

namespace fs = std::filesystem;

class Simulate : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("keyvigil_simulate_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.events = 3000;
    options_.days = 3;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

  static std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  static std::size_t line_count(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  fs::path folder_;
  SimulateOptions options_;
  std::ostringstream err_;
};

TEST_F(Simulate, WritesTheSameFileTwice) {
  options_.output = path("a.json");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  options_.output = path("b.json");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  EXPECT_GT(fs::file_size(path("a.json")), 1'000'000U);
  EXPECT_EQ(content(path("a.json")), content(path("b.json")));
  EXPECT_NE(err_.str().find("mean record"), std::string::npos);
}

TEST_F(Simulate, WritesABlobFolderThatHoldsTheSameRecords) {
  options_.output = path("flat.json");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  options_.output = path("container") + "/";
  ASSERT_EQ(run_simulate(options_, err_), 0);
  const std::regex shape(
      R"(.*/insights-logs-auditevent/resourceId=/SUBSCRIPTIONS/[^/]+/RESOURCEGROUPS/[^/]+/PROVIDERS/)"
      R"(MICROSOFT\.KEYVAULT/VAULTS/[^/]+/y=2026/m=09/d=\d\d/h=\d\d/m=00/PT1H\.json)");
  std::size_t lines = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path("container"))) {
    if (!entry.is_regular_file()) { continue; }
    EXPECT_TRUE(std::regex_match(entry.path().string(), shape)) << entry.path();
    lines += line_count(content(entry.path()));
  }
  EXPECT_EQ(lines, line_count(content(path("flat.json"))));
}

TEST_F(Simulate, WritesListsAndLabelsThatBelongToTheAttacks) {
  options_.attacks = {"all"};
  options_.output = path("logs.json");
  options_.tor_list = path("tor.txt");
  options_.suspicious_list = path("suspicious.txt");
  options_.labels = path("labels.jsonl");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  const std::string logs = content(path("logs.json"));
  const std::string tor = content(path("tor.txt"));
  EXPECT_NE(content(path("suspicious.txt")).find("198.51.100.0/26"), std::string::npos);
  std::istringstream labels(content(path("labels.jsonl")));
  std::size_t from_tor = 0;
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    EXPECT_FALSE(label["records"].empty());
    EXPECT_EQ(label["kind"], "attack");
    EXPECT_TRUE(label["mustNot"].empty());
    for (const auto& record : label["records"]) {
      EXPECT_NE(logs.find(record["correlationId"].get<std::string>()), std::string::npos);
      EXPECT_LE(label["firstTime"].get<std::string>(), record["time"].get<std::string>());
      EXPECT_GE(label["lastTime"].get<std::string>(), record["time"].get<std::string>());
    }
    if (!label["name"].get<std::string>().starts_with("tor-")) { continue; }
    ++from_tor;
    EXPECT_EQ(label["expected"], nlohmann::json({"KV_TORAccess"}));
    EXPECT_NE(tor.find(label["records"][0]["address"].get<std::string>() + "\n"), std::string::npos);
  }
  EXPECT_GE(from_tor, 3U);
}

TEST_F(Simulate, LabelsTwinsAsBenignWithWhatMustNotFollow) {
  options_.size = "medium";
  options_.events = 20'000;
  options_.attacks = {"foreign-dump", "destruction"};
  options_.strength = "all";
  options_.twins = true;
  options_.attack_share = 0;
  options_.output = path("logs.json");
  options_.labels = path("labels.jsonl");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  std::istringstream labels(content(path("labels.jsonl")));
  std::map<std::string, int> kinds;
  std::set<std::string> callers;
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    ++kinds[label["kind"]];
    callers.insert(label["caller"]);
    EXPECT_EQ(label["expected"].empty(), label["kind"] == "benign");
    EXPECT_EQ(label["mustNot"].empty(), label["kind"] == "attack");
  }
  // Two attacks, three strengths, users and applications.
  EXPECT_EQ(kinds["attack"], 12);
  EXPECT_EQ(kinds["benign"], 12);
  EXPECT_EQ(callers.size(), 24U);
}

TEST_F(Simulate, CompressesWhenAsked) {
  options_.output = path("logs.json");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  const std::uintmax_t plain = fs::file_size(path("logs.json"));
  options_.gzip = true;
  options_.output = path("logs.json.gz");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  EXPECT_EQ(content(path("logs.json.gz")).substr(0, 2), "\x1f\x8b");
  EXPECT_LT(fs::file_size(path("logs.json.gz")), plain / 3);
  options_.gzip = false;
  options_.zstd = true;
  options_.output = path("logs.json.zst");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  EXPECT_EQ(content(path("logs.json.zst")).substr(0, 4), "\x28\xb5\x2f\xfd");
}

TEST_F(Simulate, HsmFormHoldsKeyOperationsOnly) {
  options_.form = "hsm";
  options_.output = path("hsm.json");
  ASSERT_EQ(run_simulate(options_, err_), 0);
  std::istringstream lines(content(path("hsm.json")));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto record = nlohmann::json::parse(line);
    EXPECT_TRUE(record["operationName"].get<std::string>().starts_with("Key"));
    EXPECT_EQ(record["resourceType"], "managedHSMs");
  }
  EXPECT_GT(count, 10U);
}

TEST_F(Simulate, SaysWhatItExpectedWhenAWordIsWrong) {
  options_.form = "xml";
  EXPECT_EQ(run_simulate(options_, err_), 2);
  EXPECT_NE(err_.str().find("expected one of raw, records"), std::string::npos);
  options_ = SimulateOptions{};
  options_.attacks = {"meteorite"};
  EXPECT_EQ(run_simulate(options_, err_), 2);
  EXPECT_NE(err_.str().find("found \"meteorite\""), std::string::npos);
  options_ = SimulateOptions{};
  options_.output = path("folder") + "/";
  options_.gzip = true;
  EXPECT_EQ(run_simulate(options_, err_), 2);
}

TEST_F(Simulate, FailsWithThePathWhenTheFileCannotBeWritten) {
  options_.output = path("absent/logs.json");
  EXPECT_EQ(run_simulate(options_, err_), 3);
  EXPECT_NE(err_.str().find("absent/logs.json"), std::string::npos);
}

TEST_F(Simulate, ReadsItsOptionsFromTheCommandLine) {
  CLI::App app;
  SimulateOptions options;
  const CLI::App* command = add_simulate_command(app, options);
  app.parse("simulate --size medium --seed 9 --attacks tor-denied,own-dump --bytes 2MB --form csv-us -o x.csv");
  EXPECT_TRUE(command->parsed());
  EXPECT_EQ(options.size, "medium");
  EXPECT_EQ(options.seed, 9U);
  EXPECT_EQ(options.attacks, (std::vector<std::string>{"tor-denied", "own-dump"}));
  EXPECT_EQ(options.form, "csv-us");
  EXPECT_NE(command->help().find("Examples:"), std::string::npos);
}

TEST(ByteCount, TakesDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_byte_count("1GB"), 1'000'000'000U);
  EXPECT_EQ(parse_byte_count("500 MB"), 500'000'000U);
  EXPECT_EQ(parse_byte_count("64KiB"), 65'536U);
  EXPECT_EQ(parse_byte_count("1000"), 1'000U);
  for (const char* wrong : {"", "GB", "-1", "1XB", "0", "99999999999TB", "1 GB extra"}) {
    EXPECT_FALSE(parse_byte_count(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace keyvigil
