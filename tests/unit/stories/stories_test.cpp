// Every story of tests/cases/: what it expects happens, and what it forbids does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalogue/catalogue.h"
#include "detect/detectors.h"
#include "reference/story.h"

namespace keyvigil {
namespace {

std::vector<std::filesystem::path> story_files() {
  const auto cases = std::filesystem::path(KEYVIGIL_TESTS_FOLDER) / "cases";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cases)) {
    if (entry.path().extension() == ".case") { files.push_back(entry.path()); }
  }
  std::sort(files.begin(), files.end());
  return files;
}

Story read(const std::filesystem::path& file) {
  std::ifstream in(file);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto story = parse_story(text);
  EXPECT_TRUE(story.has_value()) << file << ": " << (story ? "" : story.error().message);
  return story.value_or(Story{});
}

std::string listed(const std::set<std::string>& codes) {
  std::string text;
  for (const std::string& code : codes) { text += code + " "; }
  return text;
}

class Stories : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Stories, ComeTrue) {
  const Story story = read(GetParam());
  const std::set<std::string> fired = tell(story);
  for (const std::string& code : story.expected) { EXPECT_TRUE(fired.contains(code)) << "fired: " << listed(fired); }
  for (const std::string& code : story.never) { EXPECT_FALSE(fired.contains(code)) << "fired: " << listed(fired); }
  if (story.silent) { EXPECT_EQ(listed(fired), ""); }
}

std::string name_of(const testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.parent_path().filename().string() + "_" + info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Stories, testing::ValuesIn(story_files()), name_of);

// An alert that no story ever raises may be dead; one without a near miss may be blind.
TEST(StoriesOfEveryAlert, OneFiresAndTwoDoNot) {
  std::map<std::string, std::pair<int, int>> told;  // fires, does not
  for (const auto& file : story_files()) {
    const std::string code = file.parent_path().filename().string();
    const Story story = read(file);
    if (story.expected.contains(code)) { ++told[code].first; }
    if (story.silent || story.never.contains(code)) { ++told[code].second; }
  }
  for (const CatalogueRow& row : catalogue()) {
    const auto [fires, does_not] = told[std::string(row.code)];
    EXPECT_GE(fires, 1) << row.code;
    EXPECT_GE(does_not, 2) << row.code;
  }
}

// The stories notice when a detector is gone.
TEST(StoriesOfEveryAlert, TurnRedWithoutTheirDetector) {
  for (const DetectorRow& row : kDetectors) {
    const std::string code(catalogue_row(row.type).code);
    bool red = false;
    for (const auto& file : story_files()) {
      if (red) { break; }
      if (file.parent_path().filename() != code) { continue; }
      const Story story = read(file);
      if (!story.expected.contains(code)) { continue; }
      const std::set<std::string> fired = tell(story, code);
      red = !std::includes(fired.begin(), fired.end(), story.expected.begin(), story.expected.end());
    }
    EXPECT_TRUE(red) << code;
  }
}

TEST(StoryText, NamesTheLineThatItDoesNotUnderstand) {
  EXPECT_NE(parse_story("event alice SecretGet\nsilent\n").error().message.find("line 1"), std::string::npos);
  EXPECT_NE(parse_story("# x\nexpect KV_Nothing\n").error().message.find("line 2"), std::string::npos);
  EXPECT_FALSE(parse_story("event red-ann SecretGet on red-app\n").has_value());
  EXPECT_FALSE(parse_story("given red-ann SecretGet on red-app every x days\nsilent\n").has_value());
  EXPECT_TRUE(parse_story("event red-ann SecretGet on red-app\nsilent\n").has_value());
}

}  // namespace
}  // namespace keyvigil
