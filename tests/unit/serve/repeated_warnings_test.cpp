#include "serve/repeated_warnings.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

EventTime second(std::int64_t seconds) {
  return {seconds * EventTime::kTicksPerSecond};
}

TEST(RepeatedWarnings, SaysASentenceOnceAMinuteAndHowOftenItCame) {
  RepeatedWarnings warnings;
  EXPECT_EQ(warnings.admit("busy", second(0)), "busy");
  for (int i = 1; i < 60; ++i) { EXPECT_FALSE(warnings.admit("busy", second(i))); }
  EXPECT_EQ(warnings.admit("full", second(30)), "full") << "another sentence is another matter";
  EXPECT_EQ(warnings.admit("busy", second(60)), "busy (and 59 times more since it was said last)");
  EXPECT_EQ(warnings.admit("busy", second(120)), "busy");
  EXPECT_EQ(warnings.admit("busy", second(10)), "busy") << "a clock that was set back silences nobody";
}

TEST(RepeatedWarnings, BoundsWhatItTellsApart) {
  RepeatedWarnings warnings;
  std::size_t said = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = "path " + std::to_string(i);
    said += warnings.admit(text, second(0)) ? 1U : 0U;
  }
  EXPECT_EQ(said, RepeatedWarnings::kMostTexts);
  EXPECT_EQ(warnings.left_out(), 1000 - RepeatedWarnings::kMostTexts);
  EXPECT_TRUE(warnings.admit("later", second(60)));
}

}  // namespace
}  // namespace keyvigil
