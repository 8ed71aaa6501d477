#include "event/record_time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/ascii.h"

namespace keyvigil {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The blanks of writers: also the no-break spaces that some locales put before AM and PM, in UTF-8.
std::string_view without_blank(std::string_view text) {
  constexpr std::array<std::string_view, 4> kBlanks = {" ", "\t", "\xC2\xA0", "\xE2\x80\xAF"};
  for (const std::string_view blank : kBlanks) {
    if (text.starts_with(blank)) { return text.substr(blank.size()); }
  }
  return text;
}

std::string_view without_blanks(std::string_view text) {
  while (true) {
    const std::string_view rest = without_blank(text);
    if (rest.size() == text.size()) { return rest; }
    text = rest;
  }
}

// Reads from the front of a text; every step says whether it fitted.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool number(std::size_t most, int& value) {
    std::size_t count = 0;
    value = 0;
    while (count < most && count < rest_.size() && is_digit(rest_[count])) {
      value = value * 10 + (rest_[count] - '0');
      ++count;
    }
    rest_.remove_prefix(count);
    return count > 0;
  }
  [[nodiscard]] bool take(char c) {
    if (rest_.empty() || rest_[0] != c) { return false; }
    rest_.remove_prefix(1);
    return true;
  }
  // Up to nine digits, of which seven count.
  [[nodiscard]] bool fraction(int& tick) {
    std::size_t count = 0;
    for (tick = 0; count < rest_.size() && is_digit(rest_[count]); ++count) {
      if (count < 7) { tick = tick * 10 + (rest_[count] - '0'); }
    }
    for (std::size_t missing = count; missing < 7; ++missing) { tick *= 10; }
    rest_.remove_prefix(count);
    return count >= 1 && count <= 9;
  }
  [[nodiscard]] bool word(std::string_view word) {
    if (!equal_without_case(rest_.substr(0, word.size()), word)) { return false; }
    rest_.remove_prefix(word.size());
    return true;
  }
  void letters() {
    while (!rest_.empty() && lower_case(rest_[0]) >= 'a' && lower_case(rest_[0]) <= 'z') { rest_.remove_prefix(1); }
  }
  void blanks() { rest_ = without_blanks(rest_); }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_[0]; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct WrittenDate {
  std::array<int, 3> parts{};
  char separator = '\0';
  bool year_first = false;
};

bool read_date(Pieces& pieces, WrittenDate& date) {
  if (!pieces.number(4, date.parts[0])) { return false; }
  date.year_first = date.parts[0] > 31;
  date.separator = pieces.next();
  if (date.separator != '/' && date.separator != '.' && date.separator != '-') { return false; }
  return pieces.take(date.separator) && pieces.number(2, date.parts[1]) && pieces.take(date.separator) &&
         pieces.number(date.year_first ? 2 : 4, date.parts[2]);
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// 1 to 12 where a month's name begins here, of which three letters count; else 0.
int read_month_name(Pieces& pieces) {
  for (std::size_t month = 0; month < kMonths.size(); ++month) {
    if (!pieces.word(kMonths[month])) { continue; }
    pieces.letters();
    return static_cast<int>(month) + 1;
  }
  return 0;
}

void separators(Pieces& pieces) {
  do { pieces.blanks(); } while (pieces.take(',') || pieces.take('.') || pieces.take('-') || pieces.take('/'));
}

// "Sat, 09 Jan 2027", "9-Jan-2027", "January 9, 2027".
bool read_named_date(Pieces& pieces, CivilTime& civil) {
  constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  for (const std::string_view day : kDays) {
    if (!pieces.word(day)) { continue; }
    pieces.letters();
    break;
  }
  separators(pieces);
  civil.month = read_month_name(pieces);
  separators(pieces);
  if (!pieces.number(2, civil.day)) { return false; }
  separators(pieces);
  if (civil.month == 0) { civil.month = read_month_name(pieces); }
  separators(pieces);
  return civil.month != 0 && pieces.number(4, civil.year);
}

// "9:41", "09:41:00.123", then perhaps AM or PM.
struct WrittenClock {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int tick = 0;
  bool has_half = false;
};

bool read_time_of_day(Pieces& pieces, WrittenClock& clock) {
  if (!pieces.number(2, clock.hour) || !pieces.take(':') || !pieces.number(2, clock.minute)) { return false; }
  if (pieces.take(':')) {
    if (!pieces.number(2, clock.second)) { return false; }
    const bool has_fraction = pieces.take('.') || pieces.take(',');
    if (has_fraction && !pieces.fraction(clock.tick)) { return false; }
  }
  pieces.blanks();
  const bool afternoon = pieces.word("PM") || pieces.word("p.m.");
  clock.has_half = afternoon || pieces.word("AM") || pieces.word("a.m.");
  if (!clock.has_half) { return true; }
  if (clock.hour < 1 || clock.hour > 12) { return false; }
  clock.hour = clock.hour % 12 + (afternoon ? 12 : 0);
  return true;
}

// "Z", "UTC", "GMT", "+01:00", "-0530", "UTC+01:00" or nothing; ticks east of UTC.
bool read_offset(Pieces& pieces, std::int64_t& offset_ticks) {
  offset_ticks = 0;
  pieces.blanks();
  if (pieces.word("UTC") || pieces.word("GMT") || pieces.word("Z")) { pieces.blanks(); }
  if (pieces.at_end()) { return true; }
  const bool west = pieces.next() == '-';
  int hours = 0;
  int minutes = 0;
  if (!(pieces.take('+') || pieces.take('-')) || !pieces.number(2, hours)) { return false; }
  (void)pieces.take(':');
  if (!pieces.at_end() && !pieces.number(2, minutes)) { return false; }
  if (!pieces.at_end() || hours > 14 || minutes > 59) { return false; }
  offset_ticks = (hours * 60 + minutes) * EventTime::kTicksPerMinute * (west ? -1 : 1);
  return true;
}

// False: day and month cannot be told apart.
bool order_date(const WrittenDate& written, bool has_half, CivilTime& civil) {
  if (written.year_first) {
    civil.year = written.parts[0];
    civil.month = written.parts[1];
    civil.day = written.parts[2];
    return true;
  }
  civil.year = written.parts[2];
  const int first = written.parts[0];
  const int second = written.parts[1];
  const bool day_first = written.separator == '.' || (!has_half && first > 12);
  civil.day = day_first ? first : second;
  civil.month = day_first ? second : first;
  return day_first || has_half || second > 12 || first == second;
}

TimeReading read_written_time(std::string_view text, EventTime& time) {
  Pieces pieces(text);
  WrittenDate date;
  WrittenClock clock;
  CivilTime civil;
  const bool numbers = read_date(pieces, date);
  if (!numbers) { pieces = Pieces(text); }
  if (!numbers && !read_named_date(pieces, civil)) { return TimeReading::kUnreadable; }
  (void)pieces.take(',');
  pieces.blanks();
  (void)pieces.word("T");
  std::int64_t offset_ticks = 0;
  if (!read_time_of_day(pieces, clock) || !read_offset(pieces, offset_ticks)) { return TimeReading::kUnreadable; }
  const bool certain = !numbers || order_date(date, clock.has_half, civil);
  civil.hour = clock.hour;
  civil.minute = clock.minute;
  civil.second = clock.second;
  civil.tick = clock.tick;
  const auto read = from_civil(civil);
  if (!read || civil.year < 1000) { return TimeReading::kUnreadable; }
  if (!certain) { return TimeReading::kAmbiguous; }
  time.ticks = read->ticks - offset_ticks;
  return TimeReading::kRead;
}

// The unit is told by the size: each is a thousand times the next, and the years 2000 to 2100 span less than that.
std::optional<EventTime> time_since_1970(double number) {
  constexpr double kYear2000 = 946'684'800;
  constexpr double kYear2100 = 4'102'444'800;
  constexpr std::array<double, 4> kPerSecond = {1, 1e3, 1e6, 1e9};
  for (const double per_second : kPerSecond) {
    if (number >= kYear2000 * per_second && number < kYear2100 * per_second) {
      const double ticks = number * (static_cast<double>(EventTime::kTicksPerSecond) / per_second);
      return EventTime{static_cast<std::int64_t>(std::floor(ticks + 0.5))};
    }
  }
  return std::nullopt;
}

// Whole numbers are exact; the others are good to a millisecond.
std::optional<EventTime> parse_number(std::string_view text) {
  std::int64_t whole = 0;
  const char* last = text.data() + text.size();
  if (const auto [end, error] = std::from_chars(text.data(), last, whole); error == std::errc{} && end == last) {
    const auto rounded = time_since_1970(static_cast<double>(whole));
    if (!rounded) { return std::nullopt; }
    constexpr std::array<std::int64_t, 3> kTicksOf = {EventTime::kTicksPerSecond, EventTime::kTicksPerMillisecond, 10};
    for (const std::int64_t ticks : kTicksOf) {
      if (whole <= (INT64_MAX >> 1) / ticks && std::abs(whole * ticks - rounded->ticks) < EventTime::kTicksPerSecond) {
        return EventTime{whole * ticks};
      }
    }
    return EventTime{whole / 100};
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || end != last) { return std::nullopt; }
  return time_since_1970(number);
}

// "/Date(1790592127123)/"; an offset in it says only how the writer would show it.
std::string_view dotnet_number(std::string_view text) {
  constexpr std::string_view kStart = "/Date(";
  if (!text.starts_with(kStart) || !text.ends_with(")/")) { return {}; }
  text = text.substr(kStart.size(), text.size() - kStart.size() - 2);
  return text.substr(0, text.find_first_of("+-"));
}

}  // namespace

TimeReading read_record_time(std::string_view text, EventTime& time) {
  if (const auto iso = parse_iso_time(text)) {
    time.ticks = iso->ticks;
    return TimeReading::kRead;
  }
  text = without_blanks(text);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) { text.remove_suffix(1); }
  const std::string_view number = dotnet_number(text);
  if (const auto since = parse_number(number.empty() ? text : number)) {
    time.ticks = since->ticks;
    return TimeReading::kRead;
  }
  return read_written_time(text, time);
}

}  // namespace keyvigil
