#include "source/json_tables.h"

#include <gtest/gtest.h>

#include "framed.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

const std::string kFirst = "[\"2026-01-02T03:04:05Z\",\"SecretGet\"]";
const std::string kSecond = "[null,\"]\"]";
const std::string kRows = "[" + kFirst + "," + kSecond + "]";
const std::string kRecord = "{\"time\":\"2026-01-02T03:04:05Z\",\"operationName\":\"SecretGet\"}";

// However the bytes come, and as the second line of JSON lines.
void expect_rows(const std::string& answer) {
  const Framed whole = frame(answer);
  EXPECT_EQ(whole.texts(), (Texts{kFirst, kSecond})) << answer;
  EXPECT_EQ(whole.refused, Texts{}) << answer;
  for (const FramedRecord& record : whole.records) EXPECT_EQ(record.form, RecordForm::kRowJson);
  EXPECT_EQ(whole, frame(answer, {}, {1})) << answer;
  EXPECT_EQ(frame(answer + "\n" + kRecord + "\n").texts(), (Texts{kFirst, kSecond, kRecord})) << answer;
}

TEST(JsonTables, ReadsTheAnswersOfSdks) {
  const std::string names = "[\"TimeGenerated\",\"OperationName\"]";
  const std::string objects = "[{\"name\":\"TimeGenerated\",\"type\":\"datetime\"},{\"name\":\"OperationName\"}]";
  for (const std::string& columns : {names, objects}) {
    expect_rows("{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":" + columns + ",\"rows\":" + kRows + "}]}");
    expect_rows("{\"statistics\":{},\"tables\":[{\"columns\":" + columns + ",\"rows\":" + kRows + "}],\"error\":null}");
    expect_rows("[{\"name\":\"PrimaryResult\",\"columns\":" + columns + ",\"rows\":" + kRows + "}]");
    expect_rows("{\"tables\":[{\"columnDescriptors\":" + columns + ",\"rows\":" + kRows + "}]}");
    expect_rows("{\"name\":\"PrimaryResult\",\"columns\":" + columns + ",\"rows\":" + kRows + "}");
  }
}

const std::string kKustoColumns =
    "[{\"ColumnName\":\"TimeGenerated\",\"DataType\":\"DateTime\",\"ColumnType\":\"datetime\"},"
    "{\"ColumnName\":\"OperationName\",\"DataType\":\"String\",\"ColumnType\":\"string\"}]";

TEST(JsonTables, ReadsAnAnswerOfKustoV1AndPassesOverTablesAboutTheQuery) {
  expect_rows("{\"Tables\":[{\"TableName\":\"Table_0\",\"Columns\":" + kKustoColumns + ",\"Rows\":" + kRows +
              "},{\"TableName\":\"Table_1\",\"Columns\":[{\"ColumnName\":\"Value\"}],\"Rows\":[[\"{}\"]]}]}");
}

TEST(JsonTables, ReadsTheFramesOfKustoV2) {
  const std::string head =
      "[{\"FrameType\":\"DataSetHeader\",\"IsProgressive\":false,\"Version\":\"v2.0\"},"
      "{\"FrameType\":\"DataTable\",\"TableId\":0,\"TableKind\":\"QueryProperties\",\"Columns\":[{\"ColumnName\":"
      "\"Key\"}],\"Rows\":[[1]]},";
  const std::string end = ",{\"FrameType\":\"DataSetCompletion\",\"HasErrors\":false,\"Cancelled\":false}]";
  expect_rows(head + "{\"FrameType\":\"DataTable\",\"TableId\":1,\"TableKind\":\"PrimaryResult\",\"Columns\":" +
              kKustoColumns + ",\"Rows\":" + kRows + "}" + end);
  expect_rows(head + "\n{\"FrameType\":\"TableHeader\",\"TableId\":1,\"Columns\":" + kKustoColumns +
              "},\n{\"FrameType\":\"TableFragment\",\"TableId\":1,\"Rows\":[" + kFirst +
              "]},\n{\"FrameType\":\"TableFragment\",\"TableId\":1,\"Rows\":[" + kSecond + "]}" + end);
}

TEST(JsonTables, ReadsTheRecordsOfPowerShellOfHuntingAndOfResourceManager) {
  for (const std::string key : {"Results", "results", "Records", "RECORDS", "value"}) {
    const std::string answer = "{\"schema\":[{\"name\":\"a\"}],\"" + key + "\":[" + kRecord + "," + kRecord + "]}";
    EXPECT_EQ(frame(answer).texts(), (Texts{kRecord, kRecord})) << key;
    EXPECT_EQ(frame(answer, {}, {1}), frame(answer)) << key;
  }
}

TEST(JsonTables, LeavesRecordsWholeWhoseFirstKeyIsThatOfATable) {
  const std::string record = "{\"name\":\"kv\",\"rows\":[1],\"columnsOf\":[2],\"operationName\":\"SecretGet\"}";
  EXPECT_EQ(frame("[" + record + "," + record + "]").texts(), (Texts{record, record}));
}

TEST(JsonTables, RefusesTheFirstOtherTableWhereNoneIsAnAuditTable) {
  const Framed framed = frame(
      "[{\"FrameType\":\"DataTable\",\"Columns\":[{\"ColumnName\":\"Computer\"}],\"Rows\":[[1],[2]]},"
      "{\"FrameType\":\"DataTable\",\"Columns\":[{\"ColumnName\":\"Level\"}],\"Rows\":[[1],[2]]}]");
  EXPECT_TRUE(framed.records.empty());
  ASSERT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(framed.refused[0].find("Computer"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
