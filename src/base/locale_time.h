// Times as browsers and spreadsheets write them: 28/09/2026, 10:42:07.123 or 9/28/2026 10:42:07 PM or 28.9.2026 10:42.
//
// Whether the day or the month stands first is often not told by one text: it is settled over all texts of a column
// (DateOrderEvidence). Read: date parts between slashes, dots or dashes, four digits of the year first or last, with or
// without a comma, 24 hours or AM/PM in any case and with dots, no-break and narrow no-break spaces. No zone: UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/event_time.h"

namespace keyvigil {

enum class DateOrder : std::uint8_t { kMonthFirst, kDayFirst };

struct LocaleTime {
  // The parts before or behind the year; with the year first they are month and day whatever the order.
  int first = 0;
  int second = 0;
  bool year_first = false;
  bool has_dots = false;              // between the parts of the date: day first wherever it is written
  bool has_capital_meridiem = false;  // AM or PM, as in the United States
  CivilTime rest;                     // year and clock
};

// Nothing where `text` is no such time; a time as parse_iso_time reads it is none.
[[nodiscard]] std::optional<LocaleTime> read_locale_time(std::string_view text);
// Nothing where there is no such day in that order.
[[nodiscard]] std::optional<EventTime> to_event_time(const LocaleTime& time, DateOrder order);

// 2024-04-03T14:08:43.4316531Z: all seven fraction digits.
[[nodiscard]] std::string to_iso_ticks(EventTime time);

// What the texts of one column say about the order of day and month.
class DateOrderEvidence {
 public:
  void add(const LocaleTime& time);
  // True once a text leaves only one order; later ones can add nothing.
  [[nodiscard]] bool is_settled() const { return settled_.has_value(); }
  // After the last text. Nothing: both orders fit every text, and they are different times.
  [[nodiscard]] std::optional<DateOrder> order() const;

 private:
  std::optional<DateOrder> settled_;
  bool open_ = false;  // a text has two readings
  bool all_capital_meridiem_ = true;
};

}  // namespace keyvigil
