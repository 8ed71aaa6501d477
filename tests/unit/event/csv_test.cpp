#include "event/csv.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

using Cells = std::vector<std::string_view>;

struct Split {
  std::string scratch;
  Cells cells;
};

TEST(CsvRow, SplitsAtCommasOutsideQuotes) {
  Split split;
  ASSERT_TRUE(split_csv_row("a,\"b,c\",,\"\",d", split.scratch, split.cells));
  EXPECT_EQ(split.cells, (Cells{"a", "b,c", "", "", "d"}));
  ASSERT_TRUE(split_csv_row("a,", split.scratch, split.cells));
  EXPECT_EQ(split.cells, (Cells{"a", ""}));
  ASSERT_TRUE(split_csv_row("", split.scratch, split.cells));
  EXPECT_EQ(split.cells, Cells{""});
}

TEST(CsvRow, MakesDoubledQuotesSingleAndKeepsLineEnds) {
  Split split;
  const std::string row = "\"{\"\"a\"\":\"\"b\"\"}\",x,\"one\r\ntwo\",\"\"\"\"";
  ASSERT_TRUE(split_csv_row(row, split.scratch, split.cells));
  EXPECT_EQ(split.cells, (Cells{"{\"a\":\"b\"}", "x", "one\r\ntwo", "\""}));
}

TEST(CsvRow, TakesAQuoteInsideAnUnquotedCellAsItStands) {
  Split split;
  ASSERT_TRUE(split_csv_row("5\" disk,b", split.scratch, split.cells));
  EXPECT_EQ(split.cells, (Cells{"5\" disk", "b"}));
}

TEST(CsvRow, RefusesAnOpenQuoteAndTextBehindAClosingOne) {
  Split split;
  EXPECT_FALSE(split_csv_row("a,\"b", split.scratch, split.cells));
  EXPECT_FALSE(split_csv_row("\"", split.scratch, split.cells));
  EXPECT_FALSE(split_csv_row("\"a\"b,c", split.scratch, split.cells));
  EXPECT_FALSE(split_csv_row("\"a\"\"", split.scratch, split.cells));
}

TEST(CsvRow, KeepsEarlierCellsGoodWhileLaterOnesAreUnescaped) {
  Split split;
  std::string row;
  for (int i = 0; i < 1000; ++i) row += "\"\"\"" + std::to_string(i) + "\"\"\",";
  ASSERT_TRUE(split_csv_row(row, split.scratch, split.cells));
  ASSERT_EQ(split.cells.size(), 1001u);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(split.cells[i], "\"" + std::to_string(i) + "\"");
}

}  // namespace
}  // namespace keyvigil
