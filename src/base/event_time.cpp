#include "base/event_time.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

namespace keyvigil {
namespace {

// Days since 1970-01-01 of a proleptic Gregorian date from year 1 on, counted from a March start, so that the leap day
// is the last of its year.
constexpr std::int64_t days_from_civil(int year, int month, int day) {
  constexpr int kDaysBefore1970 = 719'468;  // since 0000-03-01
  const bool next_march = month > 2;
  const auto years = static_cast<std::uint32_t>(next_march ? year : year - 1);
  const auto months = static_cast<std::uint32_t>(next_march ? month - 3 : month + 9);
  const std::uint32_t day_of_year = (153 * months + 2) / 5;
  const std::uint32_t days = years * 365 + years / 4 - years / 100 + years / 400 + day_of_year;
  return static_cast<std::int64_t>(days) + day - 1 - kDaysBefore1970;
}
static_assert(days_from_civil(1970, 1, 1) == 0);
static_assert(days_from_civil(2024, 2, 29) == 19'782);
static_assert(days_from_civil(1, 1, 1) == -719'162);

constexpr bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr std::array kDaysInMonth{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

constexpr int days_in_month(int year, int month) {
  return month == 2 && is_leap(year) ? 29 : kDaysInMonth[static_cast<std::size_t>(month - 1)];
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads from the front of a text; every step says whether it fitted.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool digits(std::size_t least, std::size_t most, int& value) {
    std::size_t count = 0;
    value = 0;
    while (count < most && count < rest_.size() && is_digit(rest_[count])) {
      value = value * 10 + (rest_[count] - '0');
      ++count;
    }
    rest_.remove_prefix(count);
    return count >= least;
  }
  [[nodiscard]] bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_[0]) == std::string_view::npos) { return false; }
    rest_.remove_prefix(1);
    return true;
  }
  // ".4316531": up to nine digits, of which seven count.
  [[nodiscard]] bool fraction(int& tick) {
    tick = 0;
    if (!one_of(".,")) { return true; }
    std::size_t count = 0;
    for (; count < rest_.size() && is_digit(rest_[count]); ++count) {
      if (count < 7) { tick = tick * 10 + (rest_[count] - '0'); }
    }
    for (std::size_t missing = count; missing < 7; ++missing) { tick *= 10; }
    rest_.remove_prefix(count);
    return count >= 1 && count <= 9;
  }
  [[nodiscard]] char next() const { return rest_.empty() ? '\0' : rest_[0]; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// "Z", "+02:00", "-0530" or nothing; the offset in ticks east of UTC.
bool read_zone(TimeReader& reader, std::int64_t& offset_ticks) {
  offset_ticks = 0;
  if (reader.at_end() || reader.one_of("Zz")) { return reader.at_end(); }
  const bool west = reader.next() == '-';
  int hours = 0;
  int minutes = 0;
  if (!reader.one_of("+-") || !reader.digits(2, 2, hours)) { return false; }
  if (reader.next() == ':' && !reader.one_of(":")) { return false; }
  if (!reader.at_end() && !reader.digits(2, 2, minutes)) { return false; }
  if (hours > 23 || minutes > 59 || !reader.at_end()) { return false; }
  offset_ticks = (hours * 60 + minutes) * EventTime::kTicksPerMinute * (west ? -1 : 1);
  return true;
}

// True where `t` has a digit under every d of `shape`, and shape's own character elsewhere; all at once, in GCC's and
// clang's portable vectors.
bool has_shape(const char* t, const char* shape) {
  using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;
  Bytes16 found;
  Bytes16 wanted;
  std::memcpy(&found, t, sizeof(found));
  std::memcpy(&wanted, shape, sizeof(wanted));
  const Bytes16 digit = found - '0';
  const Bytes16 fits = Bytes16(found == wanted) | Bytes16((wanted == 'd') & (digit < 10));
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), &fits, sizeof(words));
  return (words[0] & words[1]) == UINT64_MAX;
}

// False where there is no such time. (An optional here would be copied through memory, which costs as much as the
// rest.)
bool to_ticks(const CivilTime& civil, EventTime& time) {
  if (civil.year < 1 || civil.year > 9999 || civil.month < 1 || civil.month > 12 || civil.day < 1 ||
      civil.day > days_in_month(civil.year, civil.month)) {
    return false;
  }
  const bool clock_fits = civil.hour >= 0 && civil.hour <= 23 && civil.minute >= 0 && civil.minute <= 59 &&
                          civil.second >= 0 && civil.second <= 60 && civil.tick >= 0 && civil.tick <= 9'999'999;
  if (!clock_fits) { return false; }
  // A leap second has no tick of its own.
  const int tick = civil.second == 60 ? 0 : civil.tick;
  time.ticks = days_from_civil(civil.year, civil.month, civil.day) * EventTime::kTicksPerDay +
               civil.hour * EventTime::kTicksPerHour + civil.minute * EventTime::kTicksPerMinute +
               civil.second * EventTime::kTicksPerSecond + tick;
  return true;
}

// Eight characters at once: byte i of the answer is the number that the digits i and i + 1 stand for. The last byte is
// its one digit, ten times.
std::uint64_t pairs_of_digits(const char* t) {
  constexpr std::uint64_t kDigitBits = 0x0F0F'0F0F'0F0F'0F0F;
  std::uint64_t characters = 0;
  std::memcpy(&characters, t, sizeof(characters));
  const std::uint64_t digits = characters & kDigitBits;
  return digits * 10 + (digits >> 8);  // at most 165: no carry leaves a byte
}
int pair_at(std::uint64_t pairs, int index) {
  return static_cast<int>(pairs >> (8 * index) & 0xFF);
}

// The one form that every vault record has: 2024-04-03T14:08:43.4316531Z. REQUIRES: 28 bytes.
bool parse_azure_time(const char* t, EventTime& time) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::size_t kSecondHalf = 12;  // both halves are sixteen bytes long and overlap
  constexpr const char* kShape = "dddd-dd-ddTdd:dd:dd.dddddddZ";
  if (!has_shape(t, kShape) || !has_shape(t + kSecondHalf, kShape + kSecondHalf)) { return false; }
  const std::uint64_t date = pairs_of_digits(t);        // 2024-04-
  const std::uint64_t clock = pairs_of_digits(t + 8);   // 03T14:08
  const std::uint64_t ticks = pairs_of_digits(t + 19);  // .4316531
  CivilTime civil;
  civil.year = pair_at(date, 0) * 100 + pair_at(date, 2);
  civil.month = pair_at(date, 5);
  civil.day = pair_at(clock, 0);
  civil.hour = pair_at(clock, 3);
  civil.minute = pair_at(clock, 6);
  civil.second = (t[17] - '0') * 10 + (t[18] - '0');
  const int last_tick = t[26] - '0';
  civil.tick = pair_at(ticks, 1) * 100'000 + pair_at(ticks, 3) * 1000 + pair_at(ticks, 5) * 10 + last_tick;
  return to_ticks(civil, time);
}

}  // namespace

std::optional<EventTime> from_civil(const CivilTime& civil) {
  EventTime time;
  return to_ticks(civil, time) ? std::optional(time) : std::nullopt;
}

CivilTime to_civil(EventTime time) {
  const std::int64_t days = time.day();
  const std::int64_t in_day = time.ticks - days * EventTime::kTicksPerDay;
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  CivilTime civil;
  civil.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  civil.month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  civil.year = static_cast<int>(year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0));
  civil.hour = static_cast<int>(in_day / EventTime::kTicksPerHour);
  civil.minute = static_cast<int>(in_day / EventTime::kTicksPerMinute % 60);
  civil.second = static_cast<int>(in_day / EventTime::kTicksPerSecond % 60);
  civil.tick = static_cast<int>(in_day % EventTime::kTicksPerSecond);
  return civil;
}

std::optional<EventTime> parse_iso_time(std::string_view text) {
  EventTime usual;
  if (text.size() == 28 && parse_azure_time(text.data(), usual)) { return usual; }
  TimeReader reader(text);
  CivilTime civil;
  if (!reader.digits(4, 4, civil.year) || !reader.one_of("-") || !reader.digits(2, 2, civil.month) ||
      !reader.one_of("-") || !reader.digits(2, 2, civil.day)) {
    return std::nullopt;
  }
  std::int64_t offset_ticks = 0;
  if (!reader.at_end()) {
    const bool clock = reader.one_of("Tt ") && reader.digits(2, 2, civil.hour) && reader.one_of(":") &&
                       reader.digits(2, 2, civil.minute) && reader.one_of(":") && reader.digits(2, 2, civil.second) &&
                       reader.fraction(civil.tick) && read_zone(reader, offset_ticks);
    if (!clock) { return std::nullopt; }
  }
  auto time = from_civil(civil);
  if (time) { time->ticks -= offset_ticks; }
  return time;
}

std::optional<EventTime> parse_us_time(std::string_view text) {
  TimeReader reader(text);
  CivilTime civil;
  const bool fits = reader.digits(1, 2, civil.month) && reader.one_of("/") && reader.digits(1, 2, civil.day) &&
                    reader.one_of("/") && reader.digits(4, 4, civil.year) && reader.one_of(",") && reader.one_of(" ") &&
                    reader.digits(1, 2, civil.hour) && reader.one_of(":") && reader.digits(2, 2, civil.minute) &&
                    reader.one_of(":") && reader.digits(2, 2, civil.second) && reader.fraction(civil.tick) &&
                    reader.one_of(" ");
  if (!fits || civil.hour < 1 || civil.hour > 12) { return std::nullopt; }
  const bool afternoon = reader.next() == 'P' || reader.next() == 'p';
  if (!reader.one_of("APap") || !reader.one_of("Mm") || !reader.at_end()) { return std::nullopt; }
  civil.hour = civil.hour % 12 + (afternoon ? 12 : 0);
  return from_civil(civil);
}

std::string to_iso_milliseconds(EventTime time) {
  const CivilTime c = to_civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     c.tick / EventTime::kTicksPerMillisecond);
}

std::string to_us_seconds(EventTime time) {
  const CivilTime c = to_civil(time);
  return fmt::format("{:02}/{:02}/{:04} {:02}:{:02}:{:02}", c.month, c.day, c.year, c.hour, c.minute, c.second);
}

}  // namespace keyvigil
