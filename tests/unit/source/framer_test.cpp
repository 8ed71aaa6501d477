#include "source/framer.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "framed.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

std::string times(std::size_t count, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

constexpr std::string_view kHeader = "\"TimeGenerated [UTC]\",OperationName,ResourceId,CallerIPAddress";

TEST(Framer, TakesOneRecordPerLineWithItsPlace) {
  const Framed framed = frame("{\"a\":1}\n\n{\"a\":2}\r\n  {\"a\":3} \n{\"a\":4}");
  EXPECT_EQ(framed.texts(), (Texts{"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "{\"a\":4}"}));
  EXPECT_EQ(framed.records[1].line, 3u);
  EXPECT_EQ(framed.records[1].byte, 9u);
  EXPECT_EQ(framed.records[2].line, 4u);
  EXPECT_EQ(framed.records[2].byte, 20u);
  EXPECT_EQ(framed.blank_records, 1u);
  EXPECT_TRUE(framed.refused.empty());
}

TEST(Framer, SkipsAByteOrderMark) {
  const Framed framed = frame("\xEF\xBB\xBF{\"a\":1}\n");
  ASSERT_EQ(framed.records.size(), 1u);
  EXPECT_EQ(framed.records[0].byte, 3u);
}

TEST(Framer, FindsNothingInEmptyOrBlankInput) {
  EXPECT_EQ(frame(""), Framed{});
  const Framed framed = frame("\n \n\n");
  EXPECT_TRUE(framed.records.empty());
  EXPECT_TRUE(framed.refused.empty());
  EXPECT_EQ(framed.blank_records, 3u);
}

TEST(Framer, TakesValuesOverManyLinesAndValuesOnOneLine) {
  EXPECT_EQ(frame("{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}\n{\n  \"a\": 2\n}\n").texts(),
            (Texts{"{\n  \"a\": {\n    \"b\": [1, 2]\n  }\n}", "{\n  \"a\": 2\n}"}));
  EXPECT_EQ(frame("{\"a\":1}{\"a\":\"}{\"} {\"a\":3}\n{\"a\":4}").texts(),
            (Texts{"{\"a\":1}", "{\"a\":\"}{\"}", "{\"a\":3}", "{\"a\":4}"}));
}

TEST(Framer, SplitsArraysAndEnvelopesWhereverTheyStand) {
  const Texts three{"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"};
  EXPECT_EQ(frame("[{\"a\":1},\n {\"a\":2},{\"a\":3}]").texts(), three);
  EXPECT_EQ(frame("{\"records\":[{\"a\":1},{\"a\":2},{\"a\":3}]}").texts(), three);
  EXPECT_EQ(frame("{\"n\":{\"records\":[7]},\"records\":[{\"a\":1},{\"a\":2},{\"a\":3}],\"m\":[{}]}").texts(), three);
  EXPECT_EQ(frame("{\"a\":1}\n[{\"a\":2}]\n{ \"records\" : [{\"a\":3}] }\n").texts(), three);
  EXPECT_EQ(frame("{\n\"records\":\n[\n{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]\n}\n").texts(), three);
}

TEST(Framer, CountsEmptyEnvelopesAsBlank) {
  const Framed framed = frame("{\"records\":[]}\n[]\n{\"records\": [ ] }\n{\"a\":1}\n");
  EXPECT_EQ(framed.texts(), (Texts{"{\"a\":1}"}));
  EXPECT_EQ(framed.blank_records, 3u);
  EXPECT_TRUE(framed.refused.empty());
}

TEST(Framer, GivesTheLineOfEveryElement) {
  const Framed framed = frame("{\"records\": [\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]}\n");
  ASSERT_EQ(framed.records.size(), 2u);
  EXPECT_EQ(framed.records[0].line, 2u);
  EXPECT_EQ(framed.records[1].line, 5u);
  EXPECT_EQ(framed.records[1].byte, 36u);
}

TEST(Framer, ReadsTheRowsOfARestTable) {
  const std::string table =
      "{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"TimeGenerated\",\"type\":\"datetime\"},"
      "{\"name\":\"OperationName\",\"type\":\"string\"}],\"rows\":[[\"2026-01-02T03:04:05Z\",\"SecretGet\"],[null,\"]"
      "\"]]}]}";
  const Framed framed = frame(table + "\n{\"a\":1}\n" + table + "\n");
  EXPECT_EQ(framed.texts(), (Texts{"[\"2026-01-02T03:04:05Z\",\"SecretGet\"]", "[null,\"]\"]", "{\"a\":1}",
                                   "[\"2026-01-02T03:04:05Z\",\"SecretGet\"]", "[null,\"]\"]"}));
  EXPECT_EQ(framed.records[1].form, RecordForm::kRowJson);
  EXPECT_EQ(framed.records[2].form, RecordForm::kJson);
  EXPECT_EQ(framed.records[3].form, RecordForm::kRowJson);
  EXPECT_TRUE(framed.refused.empty());
}

TEST(Framer, RefusesARestTableThatIsNoAuditTableOnce) {
  const Framed framed = frame(
      "{\"tables\":[{\"columns\":[{\"name\":\"Computer\"}],\"rows\":[[1],[2],[3]]},{\"rows\":[[1]],\"columns\":[]}]}\n"
      "{\"a\":1}\n");
  EXPECT_EQ(framed.texts(), (Texts{"{\"a\":1}"}));
  EXPECT_EQ(framed.causes, (std::vector{RefusalCause::kBadTable, RefusalCause::kUnknownForm}));
}

TEST(Framer, LosesOnlyTheBrokenLineOfJsonLines) {
  const Texts rest{"{\"a\":1}", "{\"a\":3}"};
  for (const std::string broken :
       {"{\"a\":\"cut", "{\"a\":", "{\"a\":[1,", "{\"a\":{\"b\":1,", "{\"a\":1]", "{\"a", "{"}) {
    const Framed framed = frame("{\"a\":1}\n" + broken + "\n{\"a\":3}\n");
    EXPECT_EQ(framed.texts(), rest) << broken;
    EXPECT_EQ(framed.refused_lines, std::vector<std::uint64_t>{2}) << broken;
    const Framed first = frame(broken + "\n{\"a\":1}\n{\"a\":3}\n");
    EXPECT_EQ(first.texts(), rest) << broken;
    EXPECT_EQ(first.refused_lines, std::vector<std::uint64_t>{1}) << broken;
    const Framed last = frame("{\"a\":1}\n{\"a\":3}\n" + broken);
    EXPECT_EQ(last.texts(), rest) << broken;
    EXPECT_EQ(last.refused_lines, std::vector<std::uint64_t>{3}) << broken;
  }
}

TEST(Framer, GoesOnBehindAFirstLineThatLostItsBeginning) {
  const Framed framed = frame("ame\":\"SecretGet\"}\n{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(framed.texts(), (Texts{"{\"a\":1}", "{\"a\":2}"}));
  EXPECT_EQ(framed.refused_lines, std::vector<std::uint64_t>{1});
}

TEST(Framer, LosesOnlyTheBrokenValueOfPrettyPrintedInput) {
  const std::string good = "{\n  \"a\": 1\n}";
  for (const std::string broken : {"{\n  \"a\": \"cut\n}", "{\n  \"a\": {\n", "{\n  \"a\": [\n    1\n",
                                   "{\n  \"a\": ]\n}", "{\n  \"a\": \"x\",\n"}) {
    const Framed framed = frame(good + "\n" + broken + "\n" + good + "\n" + good + "\n");
    EXPECT_EQ(framed.texts(), (Texts{good, good, good})) << broken;
    EXPECT_EQ(framed.causes.size(), 1u) << broken;
  }
}

TEST(Framer, LosesOnlyTheBrokenElementOfAPrettyPrintedArray) {
  const std::string text =
      "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": \"cut\n  },\n  {\n    \"a\": 3\n  },\n  {\n    \"a\": \n  {\n"
      "    \"a\": 5\n  }\n]\n{\"a\":6}\n";
  const Framed framed = frame(text);
  EXPECT_EQ(framed.texts(),
            (Texts{"{\n    \"a\": 1\n  }", "{\n    \"a\": 3\n  }", "{\n    \"a\": 5\n  }", "{\"a\":6}"}));
  EXPECT_EQ(framed.refused_lines, (std::vector<std::uint64_t>{5, 11}));
}

TEST(Framer, TakesAFragmentWithDotsAsOneRecord) {
  const std::string fragment = "{\n  \"a\": {\n    \"b\": 200,\n    ..\n  },\n  ...\n}";
  EXPECT_EQ(frame(fragment + "\n").texts(), Texts{fragment});
}

TEST(Framer, RefusesALongRecordAndTakesTheNext) {
  FramingOptions options;
  options.record_limit_bytes = 20;
  const std::string longer = "{\"a\":\"" + times(40, "x") + "\"}";
  for (const std::string& text : {longer + "\n{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n" + longer + "\n{\"a\":2}\n",
                                  "[{\"a\":1}," + longer + ",{\"a\":2}]", "{\"a\":1}" + longer + "{\"a\":2}"}) {
    const Framed framed = frame(text, options);
    EXPECT_EQ(framed.texts(), (Texts{"{\"a\":1}", "{\"a\":2}"})) << text;
    EXPECT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kTooLong}) << text;
  }
}

TEST(Framer, TakesARecordOfExactlyTheLimit) {
  FramingOptions options;
  options.record_limit_bytes = 7;
  EXPECT_EQ(frame("{\"a\":1}\n{\"a\":2}\n[{\"a\":3}]", options).records.size(), 3u);
  options.record_limit_bytes = 6;
  EXPECT_EQ(frame("{\"a\":1}\n{\"a\":2}\n[{\"a\":3}]", options).causes,
            std::vector<RefusalCause>(3, RefusalCause::kTooLong));
}

TEST(Framer, RefusesDeepNestingOnceAndGoesOn) {
  const std::string deep = "{\"a\":" + times(10'000, "[") + times(10'000, "]") + "}";
  const Framed framed = frame("[" + deep + ",{\"a\":1}]\n");
  EXPECT_EQ(framed.texts(), Texts{"{\"a\":1}"});
  EXPECT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kTooDeep});
  const std::string allowed = "{\"a\":" + times(1023, "[") + times(1023, "]") + "}";
  EXPECT_EQ(frame("[" + allowed + "]").texts(), Texts{allowed});
}

TEST(Framer, EndsSoonOnAMillionOpenBrackets) {
  const Framed one_line = frame(times(1'000'000, "["));
  EXPECT_TRUE(one_line.records.empty());
  EXPECT_EQ(one_line.causes, std::vector<RefusalCause>{RefusalCause::kTooDeep});
  const Framed many_lines = frame(times(1'000'000, "[\n"));
  EXPECT_TRUE(many_lines.records.empty());
  EXPECT_LE(many_lines.refused.size(), 2u);
  // Every line may open a record inside the one before: the budget keeps reading again linear.
  const Framed nested = frame(times(1'000'000, "{\"a\":\n"));
  EXPECT_LE(nested.records.size(), 1'000'000u);
  EXPECT_FALSE(nested.refused.empty());
}

TEST(Framer, HoldsNoMoreThanTheLimitOfALineOfHundredMegabytes) {
  const std::string huge = "{\"a\":\"" + std::string(std::size_t{100} << 20, 'x') + "\"}\n{\"a\":1}\n";
  const Framed framed = frame(huge);
  EXPECT_EQ(framed.texts(), Texts{"{\"a\":1}"});
  EXPECT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kTooLong});
  const Framed in_lines = frame("{\"a\":0}\n" + huge);
  EXPECT_EQ(in_lines.texts(), (Texts{"{\"a\":0}", "{\"a\":1}"}));
  EXPECT_LE(in_lines.largest_batch_bytes, std::size_t{64} << 20);
}

TEST(Framer, StreamsAnEnvelopeOnOneLineThatIsLongerThanTheLimit) {
  FramingOptions options;
  options.record_limit_bytes = 100;
  options.batch_bytes = 64;
  const std::string envelope = "{\"records\":[" + times(1000, "{\"a\":1},") + "{\"a\":2}]}\n";
  const Framed framed = frame("{\"a\":0}\n" + envelope, options);
  EXPECT_EQ(framed.records.size(), 1002u);
  EXPECT_TRUE(framed.refused.empty());
  EXPECT_LE(framed.largest_batch_bytes, std::size_t{128} << 10);
}

TEST(Framer, RefusesOtherTextOnceAndSaysWhatItFound) {
  const Framed text = frame("AnalysisType: rule\nFilename: x\n" + times(1000, "more\n"));
  EXPECT_EQ(text.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(text.refused[0].find("AnalysisType: rule"), std::string::npos);
  const Framed table = frame("Name,Size\na,1\n");
  EXPECT_EQ(table.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(table.refused[0].find("\"Name\", \"Size\""), std::string::npos);
  const Framed wide = frame(std::string("\xFF\xFE\0\0{\0\0\0", 8));
  EXPECT_EQ(wide.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(wide.refused[0].find("UTF-32"), std::string::npos);
}

TEST(Framer, TakesTheRowsOfACsvExport) {
  const std::string header(kHeader);
  const Framed framed = frame("\xEF\xBB\xBF" + header + "\r\n1,\"a,\n\"\"b\",c,d\r\n\r\n" + header + "\r\n2,b,c,d");
  EXPECT_EQ(framed.texts(), (Texts{"1,\"a,\n\"\"b\",c,d", "2,b,c,d"}));
  EXPECT_EQ(framed.records[0].line, 2u);
  EXPECT_EQ(framed.records[1].line, 6u);
  EXPECT_EQ(framed.records[1].form, RecordForm::kRowCsv);
  EXPECT_EQ(framed.blank_records, 2u);
  EXPECT_TRUE(framed.refused.empty());
}

TEST(Framer, LosesOnlyTheCsvRowWithTheBrokenQuote) {
  const std::string header(kHeader);
  const Framed unclosed = frame(header + "\n1,\"open,c,d\n2,b,c,d\n3,\"b\",c,d\n");
  EXPECT_EQ(unclosed.texts(), (Texts{"2,b,c,d", "3,\"b\",c,d"}));
  EXPECT_EQ(unclosed.causes, std::vector<RefusalCause>{RefusalCause::kBadTable});
  const Framed at_end = frame(header + "\n1,\"open\n2,b,c,d\n3,b,c,d\n");
  EXPECT_EQ(at_end.texts(), (Texts{"2,b,c,d", "3,b,c,d"}));
  FramingOptions options;
  options.record_limit_bytes = 70;
  const Framed bounded = frame(header + "\n1,\"open\n" + times(100, "2,b,c,d\n"), options);
  EXPECT_EQ(bounded.records.size(), 100u);
  const Framed too_long = frame(header + "\n1," + times(100, "x") + "\n2,b,c,d\n", options);
  EXPECT_EQ(too_long.texts(), Texts{"2,b,c,d"});
  EXPECT_EQ(too_long.causes, std::vector<RefusalCause>{RefusalCause::kTooLong});
}

TEST(SplitEnvelope, GivesTheRecordsWithTheirPlaceInTheInput) {
  const std::vector<RawBatch> batches = split_envelope("{\"count\":2,\"records\":[{\"a\":1},{\"a\":2}]}", 7, 1000);
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].records.size(), 2u);
  EXPECT_EQ(batches[0].view(batches[0].records[1]), "{\"a\":2}");
  EXPECT_EQ(batches[0].records[1].line, 7u);
  EXPECT_EQ(batches[0].records[1].byte, 1030u);
  EXPECT_GE(batches[0].bytes.size(), batches[0].records[1].offset + 7 + kRecordPadding);
}

TEST(Framer, FindsTheSampleRecords) {
  const char* shared = std::getenv("KEYVIGIL_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "KEYVIGIL_SHARED does not name the folder of samples";
  const std::filesystem::path folder = std::filesystem::path(shared) / "samples" / "records";
  const auto framed = [&](const std::string& name) {
    std::ifstream file(folder / name);
    std::stringstream text;
    text << file.rdbuf();
    return frame(text.str());
  };
  struct Sample {
    std::string name;
    std::size_t records;
    std::size_t refused;
  };
  for (const Sample& sample : {Sample{"sekoia_keyvault_raw.jsonl", 32, 0},
                               {"otel/envelope_json_array.json", 2, 0},
                               {"otel/envelope_ndjson.jsonl", 2, 0},
                               {"otel/envelope_records.json", 2, 0},
                               {"otel/identity_as_object.json", 1, 0},
                               {"msdocs/logging_md_records_envelope.json", 1, 0},
                               {"msdocs/managed_hsm_logging_md_array.json", 1, 0},
                               {"msdocs/event_grid_SecretNewVersionCreated.json", 1, 0},
                               {"securathesis/vault_put_auditevent.json", 1, 0},
                               {"misc/k8s_secrets_handbook_uami_keyget_FRAGMENT.txt", 1, 0},
                               {"misc/k8s_secrets_handbook_aks_kms_keydecrypt_FRAGMENT.txt", 1, 0},
                               {"misc/panther_activitylog_style_tests.yml", 0, 1},
                               {"misc/privatelink_response_headers_2026.txt", 0, 1},
                               {"misc/azurediagnostics_az_cli_query_vaultget.json", 1, 0},
                               {"aux/microsoft_first_party_apps.csv", 0, 1}}) {
    const Framed found = framed(sample.name);
    EXPECT_EQ(found.records.size(), sample.records) << sample.name;
    EXPECT_EQ(found.refused.size(), sample.refused) << sample.name;
  }
}

}  // namespace
}  // namespace keyvigil
