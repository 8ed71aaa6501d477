// The time of a record, in every spelling that writers of this log give it. Room-internal.
//
//   2024-04-03T14:08:43.4316531Z      Azure; see parse_iso_time
//   1/9/2027 9:41:00 AM +01:00        month first: only the US write AM and PM after such a date
//   13/9/2027 09:41:00, 9.1.2027 9:41 where the order of day and month is certain; 1/9/2027 09:41:00 is not
//   Sat, 09 Jan 2027 09:41:00 GMT     and Jan 9, 2027 9:41 AM: a month with a name is certain
//   1790592127, ...127123, ...123456, ...456789   since 1970, in seconds, milli-, micro- or nanoseconds
//   /Date(1790592127123)/             .NET
#pragma once

#include <cstdint>
#include <string_view>

#include "base/event_time.h"

namespace keyvigil {

enum class TimeReading : std::uint8_t {
  kRead,
  kUnreadable,
  kAmbiguous,  // day and month cannot be told apart
};

// `time` is written for kRead alone.
[[nodiscard]] TimeReading read_record_time(std::string_view text, EventTime& time);

}  // namespace keyvigil
