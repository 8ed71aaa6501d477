#include "alert/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "alert/printable.h"
#include "reference/alert_samples.h"
#include "reference/hostile_text.h"

namespace keyvigil {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) { lines.push_back(line); }
  return lines;
}

TEST(TableBlock, SaysWhoWhereWhenWhatWhyAndWhatNext) {
  const Alert alert = tor_alert();
  const auto lines = lines_of(table_block(alert, {}));
  EXPECT_EQ(lines.front().substr(0, lines.front().find("  20")), "Medium  KV_TORAccess  " + alert.id.substr(0, 8));
  for (const std::string label : {"who", "where", "when", "what", "why", "next"}) {
    EXPECT_EQ(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.starts_with("  " + label + " "); }), 1)
        << label;
  }
  EXPECT_EQ(lines.back(), "");
}

TEST(TableBlock, KeepsToTheWidthOfTheTerminal) {
  for (const Alert& made : {tor_alert(), denied_alert(), behaviour_alert()}) {
    for (const Alert& alert : {made, with_texts(made, std::string(3000, 'w')), with_texts(made, hostile_text())}) {
      for (const std::size_t width : {0U, 60U, 80U, 97U, 200U}) {
        TableTotals totals;
        totals.add(alert);
        const TableStyle style{.width_columns = width};
        const auto lines = lines_of(table_block(alert, style) + totals.text(style));
        EXPECT_LT(lines.size(), 60U);
        for (std::size_t i = 1; i < lines.size(); ++i) {
          // The first line of a block, and of the totals, hold nothing from outside.
          if (!lines[i].starts_with(" ")) { continue; }
          EXPECT_LE(count_columns(lines[i]), std::max<std::size_t>(width, 60)) << lines[i];
        }
      }
    }
  }
}

TEST(TableBlock, ShowsTwoReasonsAndCountsTheOthers) {
  Alert alert = behaviour_alert();
  const Reason reason = alert.reasons.front();
  alert.reasons.assign(5, reason);
  EXPECT_NE(table_block(alert, {}).find("3 more reasons: keyvigil explain " + alert.id.substr(0, 8)),
            std::string::npos);
  alert.reasons.assign(2, reason);
  EXPECT_EQ(table_block(alert, {}).find("more reason"), std::string::npos);
}

TEST(TableBlock, IsColouredOnlyWhereAsked) {
  EXPECT_EQ(table_block(tor_alert(), {.colour = false}).find('\x1b'), std::string::npos);
  EXPECT_NE(table_block(tor_alert(), {.colour = true}).find('\x1b'), std::string::npos);
}

TEST(TableTotals, CountBySeverityVaultCallerAndDay) {
  TableTotals totals;
  EXPECT_EQ(totals.text({}), "");
  Alert alert = tor_alert();
  alert.vault_name = "kv-pay";
  for (int i = 0; i < 3; ++i) { totals.add(alert); }
  alert.vault_name = "kv-web";
  alert.start.ticks += 2 * EventTime::kTicksPerDay;
  totals.add(alert);
  const std::string text = totals.text({});
  EXPECT_TRUE(text.starts_with("4 alerts: 4 Medium; confidence 4 ")) << text;
  EXPECT_NE(text.find("kv-pay 3, kv-web 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("at most 3 in a day"), std::string::npos) << text;
  const std::string bars = text.substr(text.find('|'));
  EXPECT_TRUE(bars.starts_with("|\u2588 \u2583|")) << text;
}

TEST(TableTotals, AreBoundedAndFitManyDays) {
  TableTotals totals;
  Alert alert = tor_alert();
  for (std::size_t i = 0; i < TableTotals::kNamesLimit + 50; ++i) {
    alert.vault_name = "kv-" + std::to_string(i);
    alert.start.ticks += EventTime::kTicksPerDay / 8;
    totals.add(alert);
  }
  const std::string text = totals.text({.width_columns = 80});
  EXPECT_NE(text.find("+ more"), std::string::npos) << text;
  for (const std::string& line : lines_of(text)) { EXPECT_LE(count_columns(line), 80U) << line; }
}

}  // namespace
}  // namespace keyvigil
