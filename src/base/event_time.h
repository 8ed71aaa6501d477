// EventTime: an instant of event time, in 100 ns ticks since 1970-01-01T00:00:00Z.
//
// Azure writes seven fraction digits; they are kept, but order, hashes and printed times use whole
// milliseconds (design section 5). The wall clock is not known here: only serve/ and command/ may ask for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyvigil {

struct EventTime {
  std::int64_t ticks = 0;

  static constexpr std::int64_t kTicksPerMillisecond = 10'000;
  static constexpr std::int64_t kTicksPerSecond = 10'000'000;
  static constexpr std::int64_t kTicksPerMinute = 60 * kTicksPerSecond;
  static constexpr std::int64_t kTicksPerHour = 60 * kTicksPerMinute;
  static constexpr std::int64_t kTicksPerDay = 24 * kTicksPerHour;

  // Whole milliseconds and whole hours and UTC days since 1970, rounded down.
  // Whether `earlier` is less than so many ticks before this, or later than this. `earlier` may be any number.
  [[nodiscard]] constexpr bool is_within(std::int64_t span_ticks, std::int64_t earlier_ticks) const {
    return earlier_ticks > ticks - span_ticks;
  }
  [[nodiscard]] constexpr std::int64_t milliseconds() const { return floor_by(kTicksPerMillisecond); }
  [[nodiscard]] constexpr std::int64_t hour() const { return floor_by(kTicksPerHour); }
  [[nodiscard]] constexpr std::int64_t day() const { return floor_by(kTicksPerDay); }

  [[nodiscard]] static constexpr EventTime from_milliseconds(std::int64_t milliseconds) {
    return EventTime{milliseconds * kTicksPerMillisecond};
  }

  friend constexpr auto operator<=>(const EventTime&, const EventTime&) = default;

 private:
  [[nodiscard]] constexpr std::int64_t floor_by(std::int64_t unit) const {
    return ticks >= 0 ? ticks / unit : -((-ticks + unit - 1) / unit);
  }
};

// A calendar instant in UTC. Ranges: year 1..9999, month 1..12, day 1..31, tick 0..9999999.
struct CivilTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int tick = 0;
};

// Nothing where a field is out of range (a leap second 60 counts as the next minute's first instant).
[[nodiscard]] std::optional<EventTime> from_civil(const CivilTime& civil);
[[nodiscard]] CivilTime to_civil(EventTime time);

// ISO 8601 as Azure writes it: 2024-04-03T14:08:43.4316531Z. Also accepted: no or 1..9 fraction digits
// (digits past the seventh are cut), a blank for the T, +hh:mm offsets, no zone (read as UTC), date alone.
[[nodiscard]] std::optional<EventTime> parse_iso_time(std::string_view text);

// The portal's CSV form in the US locale, UTC: 9/28/2026, 10:42:07.000 AM.
[[nodiscard]] std::optional<EventTime> parse_us_time(std::string_view text);

// 2024-04-03T14:08:43.431Z: always three fraction digits.
[[nodiscard]] std::string to_iso_milliseconds(EventTime time);

// 04/03/2024 14:08:43, as Defender's "Start Time UTC" property has it.
[[nodiscard]] std::string to_us_seconds(EventTime time);

}  // namespace keyvigil
