#include "event/record_time.h"

#include <gtest/gtest.h>

#include <string>

namespace keyvigil {
namespace {

std::string read(std::string_view text) {
  EventTime time;
  switch (read_record_time(text, time)) {
    case TimeReading::kRead:
      return to_iso_milliseconds(time);
    case TimeReading::kAmbiguous:
      return "ambiguous";
    case TimeReading::kUnreadable:
      break;
  }
  return "unreadable";
}

constexpr const char* kMorning = "2027-01-09T09:41:00.000Z";

TEST(RecordTime, IsoStaysAsItIs) {
  EXPECT_EQ(read("2027-01-09T09:41:00.0000000Z"), kMorning);
  EXPECT_EQ(read("2027-01-09 09:41:00"), kMorning);
  EXPECT_EQ(read("2027-01-09 10:41:00+01:00"), kMorning);
}

TEST(RecordTime, AmAndPmSayThatTheMonthStandsFirst) {
  for (const char* text : {"1/9/2027 9:41:00 AM", "1/9/2027, 9:41:00.000 AM", "01/09/2027 09:41:00 am",
                           "1/9/2027 10:41:00 AM +01:00", "1/9/2027 9:41 AM",
                           "1/9/2027, 9:41:00\xE2\x80\xAF"
                           "AM",
                           " 1/9/2027 4:11:00 AM -0530 "}) {
    EXPECT_EQ(read(text), kMorning) << text;
  }
  EXPECT_EQ(read("1/9/2027 12:05:00 AM"), "2027-01-09T00:05:00.000Z");
  EXPECT_EQ(read("1/9/2027 12:05:00 PM"), "2027-01-09T12:05:00.000Z");
  EXPECT_EQ(read("13/9/2027 9:41:00 AM"), "unreadable");
  EXPECT_EQ(read("1/9/2027 13:41:00 PM"), "unreadable");
}

TEST(RecordTime, DayAndMonthAreReadWhereTheirOrderIsCertain) {
  EXPECT_EQ(read("01/09/2027 09:41:00"), "ambiguous");
  EXPECT_EQ(read("01-09-2027 09:41:00"), "ambiguous");
  EXPECT_EQ(read("31/01/2027 09:41:00"), "2027-01-31T09:41:00.000Z");
  EXPECT_EQ(read("01/31/2027 09:41:00"), "2027-01-31T09:41:00.000Z");
  EXPECT_EQ(read("02/02/2027 09:41:00"), "2027-02-02T09:41:00.000Z");
  EXPECT_EQ(read("09.01.2027 09:41:00"), kMorning);
  EXPECT_EQ(read("9.1.2027, 09:41"), kMorning);
  EXPECT_EQ(read("2027/01/09 09:41:00"), kMorning);
  EXPECT_EQ(read("2027/01/09 09:41:00 UTC"), kMorning);
  EXPECT_EQ(read("2027-01-09 09:41:00 GMT"), kMorning);
  EXPECT_EQ(read("2027-01-09T09:41Z"), kMorning);
}

TEST(RecordTime, AMonthWithANameIsCertain) {
  for (const char* text :
       {"Sat, 09 Jan 2027 09:41:00 GMT", "9 Jan 2027 09:41:00", "Jan 9, 2027, 9:41:00 AM", "January 9, 2027 9:41 AM",
        "09-Jan-2027 09:41:00", "09/Jan/2027 09:41:00 +0000", "Saturday, 9 January 2027 10:41:00 +01:00"}) {
    EXPECT_EQ(read(text), kMorning) << text;
  }
  for (const char* text : {"Jan", "Jan 2027", "9 Foo 2027 09:41:00", "32 Jan 2027 09:41:00", "Sat, 09 Jan 2027"}) {
    EXPECT_EQ(read(text), "unreadable") << text;
  }
}

TEST(RecordTime, NumbersCountSince1970InTheUnitThatFits) {
  EXPECT_EQ(read("1799487660"), kMorning);
  EXPECT_EQ(read("1799487660000"), kMorning);
  EXPECT_EQ(read("1799487660000000"), kMorning);
  EXPECT_EQ(read("1799487660000000000"), kMorning);
  EXPECT_EQ(read("1799487660.000"), kMorning);
  EXPECT_EQ(read("1.79948766e9"), kMorning);
  EXPECT_EQ(read("/Date(1799487660000)/"), kMorning);
  EXPECT_EQ(read("/Date(1799487660000+0100)/"), kMorning);
  EventTime time;
  EXPECT_EQ(read_record_time("1799487660123456789", time), TimeReading::kRead);
  EXPECT_EQ(time.ticks % EventTime::kTicksPerSecond, 1'234'567);
  EXPECT_EQ(read_record_time("1799487660123", time), TimeReading::kRead);
  EXPECT_EQ(time.ticks % EventTime::kTicksPerSecond, 1'230'000);
}

TEST(RecordTime, RefusesWhatIsNoTimeOfThisLog) {
  for (const char* text : {"",
                           " ",
                           "0",
                           "-1",
                           "23",
                           "20270109",
                           "nan",
                           "inf",
                           "-inf",
                           "1e400",
                           "99999999999999999999",
                           "true",
                           "{",
                           "yesterday",
                           "1/9/27 9:41 AM",
                           "9:41 AM",
                           "2027-13-01T00:00:00Z",
                           "30/02/2027 09:41:00",
                           "1/9/2027 9:41 AM +99:00",
                           "1/9/2027 9:41 AM x",
                           "/Date()/",
                           "0001/01/01 00:00:00"}) {
    EXPECT_EQ(read(text), "unreadable") << text;
  }
}

}  // namespace
}  // namespace keyvigil
