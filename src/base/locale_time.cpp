#include "base/locale_time.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace keyvigil {
namespace {

constexpr std::string_view kNoBreakSpace = "\xC2\xA0";
constexpr std::string_view kNarrowNoBreakSpace = "\xE2\x80\xAF";
constexpr int kMonths = 12;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] bool take(char wanted) {
    if (next() != wanted) { return false; }
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool take_letter(char lower) {
    if (lower_case(next()) != lower) { return false; }
    rest_.remove_prefix(1);
    return true;
  }
  bool skip_blanks() {
    const std::size_t before = rest_.size();
    while (!rest_.empty()) {
      std::size_t size = rest_.front() == ' ' ? 1 : 0;
      if (rest_.starts_with(kNoBreakSpace)) { size = kNoBreakSpace.size(); }
      if (rest_.starts_with(kNarrowNoBreakSpace)) { size = kNarrowNoBreakSpace.size(); }
      if (size == 0) { break; }
      rest_.remove_prefix(size);
    }
    return rest_.size() < before;
  }
  // At most four digits; how many, 0 where there are none or more.
  [[nodiscard]] std::size_t number(int& value) {
    constexpr std::size_t kMost = 4;
    std::size_t count = 0;
    value = 0;
    while (count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9') {
      if (count == kMost) { return 0; }
      value = value * 10 + (rest_[count++] - '0');
    }
    rest_.remove_prefix(count);
    return count;
  }
  // Digits behind a point or comma, as ticks; seven of them count.
  [[nodiscard]] bool fraction(int& tick) {
    constexpr std::size_t kDigits = 7;
    std::size_t count = 0;
    tick = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count) {
      if (count < kDigits) { tick = tick * 10 + (rest_[count] - '0'); }
    }
    for (std::size_t missing = count; missing < kDigits; ++missing) { tick *= 10; }
    rest_.remove_prefix(count);
    return count > 0;
  }

 private:
  std::string_view rest_;
};

bool read_date(Reader& reader, LocaleTime& time) {
  int first = 0;
  int second = 0;
  int third = 0;
  const std::size_t first_digits = reader.number(first);
  const char mark = reader.next();
  if (first_digits == 0 || (mark != '/' && mark != '.' && mark != '-') || !reader.take(mark)) { return false; }
  reader.skip_blanks();
  const std::size_t second_digits = reader.number(second);
  if (second_digits == 0 || second_digits > 2 || !reader.take(mark)) { return false; }
  reader.skip_blanks();
  const std::size_t third_digits = reader.number(third);
  time.year_first = first_digits == 4;
  time.has_dots = mark == '.';
  const bool fits = time.year_first ? third_digits == 1 || third_digits == 2 : first_digits <= 2 && third_digits == 4;
  if (!fits) { return false; }
  time.rest.year = time.year_first ? first : third;
  time.first = time.year_first ? second : first;
  time.second = time.year_first ? third : second;
  if (mark == '.') { (void)reader.take('.'); }  // 2026. 9. 28.
  return true;
}

bool read_time_of_day(Reader& reader, CivilTime& clock) {
  const std::size_t hour_digits = reader.number(clock.hour);
  const char mark = reader.next();
  if (hour_digits == 0 || hour_digits > 2 || (mark != ':' && mark != '.') || !reader.take(mark)) { return false; }
  if (reader.number(clock.minute) != 2) { return false; }
  if (!reader.take(mark)) { return true; }
  if (reader.number(clock.second) != 2) { return false; }
  return (!reader.take('.') && !reader.take(',')) || reader.fraction(clock.tick);
}

// AM, pm, a.m., p. m.; false where there is something else.
bool read_meridiem(Reader& reader, LocaleTime& time) {
  if (reader.at_end()) { return true; }
  const char half = reader.next();
  if (!reader.take_letter('a') && !reader.take_letter('p')) { return false; }
  (void)reader.take('.');
  reader.skip_blanks();
  const bool capital = (half == 'A' || half == 'P') && reader.next() == 'M';
  if (!reader.take_letter('m')) { return false; }
  (void)reader.take('.');
  int& hour = time.rest.hour;
  if (hour < 1 || hour > 12) { return false; }
  hour = hour % 12 + (lower_case(half) == 'p' ? 12 : 0);
  time.has_capital_meridiem = capital;
  return true;
}

}  // namespace

std::optional<LocaleTime> read_locale_time(std::string_view text) {
  Reader reader(text);
  LocaleTime time;
  reader.skip_blanks();
  if (!read_date(reader, time)) { return std::nullopt; }
  const bool comma = reader.take(',');
  if (!reader.skip_blanks() && !comma) { return std::nullopt; }
  if (!read_time_of_day(reader, time.rest)) { return std::nullopt; }
  reader.skip_blanks();
  if (!read_meridiem(reader, time)) { return std::nullopt; }
  reader.skip_blanks();
  return reader.at_end() ? std::optional(time) : std::nullopt;
}

std::optional<EventTime> to_event_time(const LocaleTime& time, DateOrder order) {
  const bool day_first = !time.year_first && order == DateOrder::kDayFirst;
  CivilTime civil = time.rest;
  civil.month = day_first ? time.second : time.first;
  civil.day = day_first ? time.first : time.second;
  return from_civil(civil);
}

std::string to_iso_ticks(EventTime time) {
  const CivilTime c = to_civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.tick);
}

void DateOrderEvidence::add(const LocaleTime& time) {
  if (settled_ || time.year_first) { return; }
  if (time.has_dots || time.first > kMonths) {
    settled_ = DateOrder::kDayFirst;
  } else if (time.second > kMonths) {
    settled_ = DateOrder::kMonthFirst;
  } else if (time.first != time.second) {
    open_ = true;
    all_capital_meridiem_ = all_capital_meridiem_ && time.has_capital_meridiem;
  }
}

std::optional<DateOrder> DateOrderEvidence::order() const {
  if (settled_) { return settled_; }
  if (open_ && !all_capital_meridiem_) { return std::nullopt; }
  return DateOrder::kMonthFirst;
}

}  // namespace keyvigil
