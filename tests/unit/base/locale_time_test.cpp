#include "base/locale_time.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keyvigil {
namespace {

std::string in_order(std::string_view text, DateOrder order) {
  const auto written = read_locale_time(text);
  if (!written) { return "none"; }
  const auto time = to_event_time(*written, order);
  return time ? to_iso_milliseconds(*time) : "no such day";
}

TEST(LocaleTime, ReadsWhatBrowsersAndSpreadsheetsWrite) {
  for (const std::string text :
       {"28/09/2026, 22:42:07.123", "28/09/2026 22:42:07.123", "28.9.2026, 22:42:07.123", "28-09-2026 22:42:07,123",
        "28. 9. 2026 22:42:07.123", "28.9.2026 22.42.07,123", "28/9/2026, 10:42:07.123 pm",
        "28/9/2026, 10:42:07.123 p.m.", "28/9/2026, 10:42:07.123\xC2\xA0p.\xC2\xA0m.",
        "28/09/2026,\xE2\x80\xAF"
        "10:42:07.123\xE2\x80\xAFPM",
        " 28/09/2026 22:42:07.1230000 ", "2026/9/28 22:42:07.123", "2026-09-28, 22:42:07.123",
        "2026. 09. 28. 22:42:07.123"}) {
    EXPECT_EQ(in_order(text, DateOrder::kDayFirst), "2026-09-28T22:42:07.123Z") << text;
  }
  EXPECT_EQ(in_order("9/28/2026, 12:00:00 AM", DateOrder::kMonthFirst), "2026-09-28T00:00:00.000Z");
  EXPECT_EQ(in_order("9/28/2026 12:00 PM", DateOrder::kMonthFirst), "2026-09-28T12:00:00.000Z");
  EXPECT_EQ(in_order("9/28/2026 12:00", DateOrder::kDayFirst), "no such day");
}

TEST(LocaleTime, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "2026-09-28T10:42:07Z", "28/09/2026", "28/09/26 10:42", "28/09/2026 10", "28/09/2026 10:4", "1/2/3/2026",
        "28/09-2026 10:42", "28/09/2026 13:42 PM", "28/09/2026 0:42 AM", "28/09/2026 10:42:07 XM", "00028/9/2026 1:00",
        "28/09/2026 10:42:07.", "28/09/2026 10:42:07 PM x", "123/1/2026 10:42", "28/123/2026 10:42"}) {
    EXPECT_FALSE(read_locale_time(text).has_value()) << text;
  }
}

std::optional<DateOrder> order_of(const std::vector<std::string>& texts) {
  DateOrderEvidence evidence;
  for (const std::string& text : texts) { evidence.add(read_locale_time(text).value()); }
  return evidence.order();
}

TEST(LocaleTime, SettlesTheOrderOverAllTexts) {
  EXPECT_EQ(order_of({"09/10/2026 10:00", "13/10/2026 10:00"}), DateOrder::kDayFirst);
  EXPECT_EQ(order_of({"9/10/2026 10:00 AM", "28/10/2026 10:00 AM"}), DateOrder::kDayFirst);
  EXPECT_EQ(order_of({"09/10/2026 10:00", "09/13/2026 10:00"}), DateOrder::kMonthFirst);
  EXPECT_EQ(order_of({"9.10.2026 10:00"}), DateOrder::kDayFirst);
  EXPECT_EQ(order_of({"9/9/2026 10:00"}), DateOrder::kMonthFirst);
  EXPECT_EQ(order_of({"9/10/2026 10:00 AM", "9/11/2026 10:00 PM"}), DateOrder::kMonthFirst);
  EXPECT_EQ(order_of({"9/10/2026 10:00 am"}), std::nullopt);
  EXPECT_EQ(order_of({"09/10/2026 10:00", "10/10/2026 10:00", "2026/10/28 10:00"}), std::nullopt);
}

TEST(LocaleTime, WritesAllTicks) {
  EXPECT_EQ(to_iso_ticks(parse_iso_time("2024-04-03T14:08:43.4316531Z").value()), "2024-04-03T14:08:43.4316531Z");
}

}  // namespace
}  // namespace keyvigil
