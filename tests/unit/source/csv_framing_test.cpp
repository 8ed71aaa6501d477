#include "source/csv_framing.h"

#include <gtest/gtest.h>

#include "framed.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kHeader = "TimeGenerated,OperationName,ResourceId";

std::string lines(const std::vector<std::string>& rows, std::string_view line_end) {
  std::string text;
  for (const std::string& row : rows) text += row + std::string(line_end);
  return text;
}

// The same in single bytes: every line end and mark is once the last byte in hand.
Framed frame_alike(const std::string& text, const FramingOptions& options = {}) {
  Framed whole = frame(text, options);
  EXPECT_EQ(whole, frame(text, options, {1})) << text;
  return whole;
}

TEST(CsvFraming, FindsNoRowsBehindAHeaderWithoutLineEnd) {
  for (const std::string end : {"", "\n", "\r\n", "\r", "\n\n"}) {
    const Framed framed = frame_alike(std::string(kHeader) + end);
    EXPECT_TRUE(framed.records.empty());
    EXPECT_TRUE(framed.refused.empty());
  }
}

TEST(CsvFraming, ReadsLinesThatEndInACarriageReturnAlone) {
  const Texts rows{"1,\"a\rb\",c", "2,b,c"};
  const std::string text = lines({std::string(kHeader), rows[0], rows[1]}, "\r");
  const Framed framed = frame_alike(text);
  EXPECT_EQ(framed.texts(), rows);
  EXPECT_EQ(framed.records[0].line, 2u);
  EXPECT_EQ(framed.records[1].line, 4u);
  EXPECT_EQ(frame_alike(text + "\n").texts(), rows);
  EXPECT_EQ(frame_alike(text.substr(0, text.size() - 1)).texts(), rows);
}

TEST(CsvFraming, FindsTheMarkBetweenCells) {
  for (const std::string mark : {",", ";", "\t", "|"}) {
    const std::string header = "TenantId" + mark + "TimeGenerated" + mark + "\"OperationName\"" + mark + "ResourceId";
    const Texts rows{mark + "1" + mark + "\"a" + mark + "\n\"" + mark + "c"};
    const Framed framed = frame_alike(lines({header, rows[0]}, "\r\n"));
    EXPECT_EQ(framed.texts(), rows) << mark;
    EXPECT_TRUE(framed.refused.empty()) << mark;
  }
}

TEST(CsvFraming, ReadsATableWhoseFirstColumnHasNoName) {
  EXPECT_EQ(frame_alike("\tTimeGenerated\tOperationName\n0\t1\ta\n").texts(), Texts{"0\t1\ta"});
  EXPECT_EQ(frame_alike(",TimeGenerated,OperationName\n0,1,a\n").texts(), Texts{"0,1,a"});
}

TEST(CsvFraming, SkipsWhatSpreadsheetsAndShellsPutBeforeTheHeader) {
  for (const std::string before : {"sep=,", "SEP=,", "\"sep=,\"", "#TYPE System.Management.Automation.PSCustomObject",
                                   "#TYPE Selected.System.Object\r\nsep=,"}) {
    const Framed framed = frame_alike(lines({before, std::string(kHeader), "1,a,b"}, "\r\n"));
    EXPECT_EQ(framed.texts(), Texts{"1,a,b"}) << before;
    EXPECT_TRUE(framed.refused.empty()) << before;
  }
  const Framed marked = frame_alike("\xEF\xBB\xBFsep=;\r\nTimeGenerated;OperationName\r\n1,5;a\r\n");
  EXPECT_EQ(marked.texts(), Texts{"1,5;a"});
  EXPECT_EQ(marked.records[0].line, 3u);
}

TEST(CsvFraming, RefusesATableInLocalTimeWithASentence) {
  const Framed framed = frame_alike("\"TimeGenerated [Local Time]\",OperationName\n\"9/28/2026, 1:00:00 AM\",a\n");
  ASSERT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(framed.refused[0].find("local time"), std::string::npos);
  EXPECT_NE(framed.refused[0].find("set the portal's clock to UTC"), std::string::npos);
}

TEST(CsvFraming, TakesTheOrderOfDatesFromTheFirstTimeWhereItSettlesIt) {
  for (const std::string time : {"28/09/2026 10:42:07", "\"9/28/2026, 22:42:07.123\"", "28.9.2026 10:42"}) {
    const Framed framed = frame_alike(lines({std::string(kHeader), time + ",a,b"}, "\n"));
    EXPECT_EQ(framed.records.size(), 1u) << time;
    EXPECT_TRUE(framed.refused.empty()) << time;
  }
}

TEST(CsvFraming, AsksOnceForTheOrderOfDatesWhereTheFirstTimeDoesNotSettleIt) {
  const std::string text =
      lines({std::string(kHeader), ",a,b", "09/10/2026 10:42:07,a,b", "09/11/2026 10:42:07,a,b"}, "\n");
  FramingOptions options;
  int asked = 0;
  options.settle_date_order = [&asked]() -> Result<std::optional<DateOrder>> {
    ++asked;
    return DateOrder::kDayFirst;
  };
  EXPECT_EQ(frame(text, options).records.size(), 3u);
  EXPECT_EQ(asked, 1);
  options.settle_date_order = [] { return Result<std::optional<DateOrder>>(std::nullopt); };
  const Framed framed = frame_alike(text, options);
  EXPECT_EQ(framed.records.size(), 1u);
  ASSERT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
  EXPECT_NE(framed.refused[0].find("order of day and month"), std::string::npos);
  EXPECT_NE(framed.refused[0].find("09/10/2026 10:42:07"), std::string::npos);
}

TEST(CsvFraming, TakesACollectorsTableWhoseTextIsJson) {
  const std::string rows = "1,\"{\"\"a\"\":1}\"\n2,\n";
  for (const std::string name : {"_raw", "event.original", "message"}) {
    const Framed framed = frame_alike("_time," + name + "\n" + rows);
    EXPECT_EQ(framed.texts(), (Texts{"1,\"{\"\"a\"\":1}\"", "2,"})) << name;
    EXPECT_TRUE(framed.refused.empty()) << name;
  }
  const Framed text = frame_alike("_time,_raw\n1,started\n2,stopped\n");
  EXPECT_TRUE(text.records.empty());
  EXPECT_EQ(text.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
}

TEST(CsvFraming, RefusesAHeaderThatIsLongerThanTheLimit) {
  FramingOptions options;
  options.record_limit_bytes = 40;
  const Framed framed = frame_alike(std::string(kHeader) + ",a,b,c,d,e,f\n1,2,3,4,5,6,7,8,9\n", options);
  EXPECT_TRUE(framed.records.empty());
  EXPECT_EQ(framed.causes, std::vector<RefusalCause>{RefusalCause::kUnknownForm});
}

}  // namespace
}  // namespace keyvigil
