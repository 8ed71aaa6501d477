// Line ends inside strings, as neighbours of a vault write them, and lines that were cut, which look alike.
#include <gtest/gtest.h>

#include "framed.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

const std::string kBad =
    "{\"category\":\"AppServiceConsoleLogs\",\"text\":\"one\ntwo {\n\r\n[three\",\"more\":{\"a\":[1]}}";
const std::string kGood = "{\"time\":\"2026-01-02T03:04:05Z\",\"operationName\":\"SecretGet\"}";

Framed frame_alike(const std::string& text) {
  Framed whole = frame(text);
  EXPECT_EQ(whole, frame(text, {}, {1})) << text;
  return whole;
}

TEST(JsonRecovery, RefusesOnlyTheValueWithALineEndInAString) {
  for (const std::string& text :
       {"{\"records\":[" + kBad + "," + kGood + "]}", "{\"records\":[" + kGood + "," + kBad + "]}",
        "{\"records\": [ " + kBad + " , " + kGood + " ] }\n", "[" + kBad + "," + kGood + "]",
        "{\"n\":1,\"records\":[\n" + kBad + ",\n" + kGood + "\n]}",
        "{\"records\":[\n  " + kBad + ",\n  " + kGood + "\n]}", kBad + "\n" + kGood + "\n",
        kGood + "\n" + kBad + "\n"}) {
    const Framed framed = frame_alike(text);
    EXPECT_EQ(framed.texts(), Texts{kGood}) << text;
    EXPECT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kNotJson}) << text;
    ASSERT_FALSE(framed.refused.empty());
    EXPECT_NE(framed.refused[0].find("to be escaped"), std::string::npos) << framed.refused[0];
  }
}

TEST(JsonRecovery, ReadsAllNeighboursOnOneLineOfJsonLines) {
  const std::string line = "{\"records\":[" + kBad + "," + kGood + "," + kBad + "," + kGood + "]}\n";
  const Framed framed = frame_alike(kGood + "\n" + line + line + kGood + "\n");
  EXPECT_EQ(framed.texts(), (Texts{kGood, kGood, kGood, kGood, kGood, kGood}));
  EXPECT_EQ(framed.causes.size(), 4u);
}

TEST(JsonRecovery, SplitsAnEnvelopeThatTheDecoderMetAlike) {
  const std::vector<RawBatch> batches = split_envelope("{\"n\":1,\"records\":[" + kBad + "," + kGood + "]}", 1, 0);
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].records.size(), 1u);
  EXPECT_EQ(batches[0].view(batches[0].records[0]), kGood);
  EXPECT_EQ(batches[0].refused.size(), 1u);
}

TEST(JsonRecovery, StillTakesALineThatWasCutForOne) {
  for (const std::string cut :
       {"{\"records\":[{\"a\":\"cut", "{\"records\":[{\"a", "[{\"a\":{\"b\":\"", "{\"a\":\"cut"}) {
    const Framed framed = frame_alike(kGood + "\n" + cut + "\n" + kGood + "\n" + kGood);
    EXPECT_EQ(framed.texts(), (Texts{kGood, kGood, kGood})) << cut;
    EXPECT_EQ(framed.refused_lines, std::vector<std::uint64_t>{2}) << cut;
  }
}

TEST(JsonRecovery, StaysLinearOnManyLineEndsInStrings) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "{\"records\":[{\"a\":\"\n";
  EXPECT_GT(frame(text).refused.size(), 1u);
  std::string one = "{\"records\":[{\"a\":\"";
  one += std::string(std::size_t{4} << 20, '\n');
  FramingOptions options;
  options.record_limit_bytes = std::size_t{1} << 20;
  EXPECT_GT(frame(one, options).refused.size(), 0u);
}

}  // namespace
}  // namespace keyvigil
