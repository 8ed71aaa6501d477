#include "source/collector_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace keyvigil {
namespace {

using Json = nlohmann::json;

const Json kRecord{{"time", "2026-01-02T03:04:05Z"}, {"operationName", "SecretGet"}, {"properties", {{"a", "\n\""}}}};
const Json kEnvelope{{"records", Json::array({kRecord, kRecord})}};

void expect_inside(const Json& object, const Json& wanted) {
  const auto text = text_inside(object.dump());
  ASSERT_TRUE(text.has_value()) << object;
  EXPECT_EQ(Json::parse(*text), wanted) << object;
}

TEST(CollectorText, FindsTheRecordAsAnObjectAndAsText) {
  for (const Json& inner : {kRecord, kEnvelope}) {
    for (const Json& value : {inner, Json(inner.dump()), Json("  " + inner.dump(2) + "\r\n")}) {
      for (const std::string name : {"message", "_raw", "body", "Body", "_source", "event", "log", "RawData"}) {
        expect_inside({{"@timestamp", "2026-01-02T03:04:06Z"}, {name, value}}, inner);
      }
      expect_inside({{"event", {{"original", value}, {"kind", "event"}}}, {"message", "seen"}}, inner);
      expect_inside({{"preview", false}, {"result", {{"_raw", value}, {"_time", "x"}}}}, inner);
      expect_inside({{"time", 1767323045.123}, {"event", value}, {"sourcetype", "azure"}}, inner);
      expect_inside({{"_index", "logs"}, {"_source", {{"event", {{"original", value}}}}}}, inner);
      expect_inside({{"message", Json{{"body", value}}.dump()}}, inner);
    }
  }
}

TEST(CollectorText, TakesOneRecordOnceThatStandsInTwoMembers) {
  expect_inside({{"message", kRecord.dump()}, {"event", {{"original", kRecord.dump()}}}}, kRecord);
}

TEST(CollectorText, TakesArraysAndSeveralRecordsInOneText) {
  const Json two = Json::array({kRecord, kRecord});
  expect_inside({{"message", two.dump()}}, two);
  expect_inside({{"hits", {{"total", 2}, {"hits", Json::array({{{"_source", kRecord}}})}}}},
                Json::array({{{"_source", kRecord}}}));
  const std::string lines = kRecord.dump() + "\n" + kRecord.dump();
  EXPECT_EQ(text_inside(Json{{"message", lines}}.dump()), lines);
}

TEST(CollectorText, TakesAnAnswerInAnotherCapitalisationAsItStands) {
  for (const std::string name : {"Records", "Results", "results", "value", "Tables"}) {
    const std::string text = Json{{"name", "x"}, {name, Json::array({kRecord})}}.dump();
    EXPECT_EQ(text_inside(text), text);
  }
}

TEST(CollectorText, FindsNothingWhereThereIsNone) {
  for (const std::string text :
       {"", "{}", "[]", "1", "{\"message\":\"started\"}", "{\"message\":\"{\\\"a\\\":1}\"}", "{\"message\":\"{\"}",
        "{\"message\":{\"a\":1}}", "{\"a\":{\"operationName\":\"SecretGet\"}}", "{\"message\":", "{\"records\":1}"}) {
    EXPECT_FALSE(text_inside(text).has_value()) << text;
  }
}

TEST(CollectorText, IsBoundedInDepth) {
  Json nested = kRecord;
  for (int i = 0; i < 6; ++i) nested = Json{{"message", nested.dump()}};
  EXPECT_FALSE(text_inside(nested.dump()).has_value());
  constexpr std::size_t kDeep = 200'000;
  const std::string deep = std::string(kDeep, '[') + std::string(kDeep, ']');
  const auto cut = text_inside("{\"message\":{\"operationName\":" + deep + "}}");
  EXPECT_TRUE(!cut || cut->size() < 1000);
}

}  // namespace
}  // namespace keyvigil
