#include "base/percent_coding.h"

#include <gtest/gtest.h>

#include <string>

namespace keyvigil {
namespace {

TEST(PercentCoding, EncodesAllButWhatIsUnreservedOrKept) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("a/b c%$"), "a%2Fb%20c%25%24");
  EXPECT_EQ(percent_encoded("a/b$", "/$"), "a/b$");
  EXPECT_EQ(percent_encoded(std::string("\xC3\xA4\0", 3)), "%C3%A4%00");
}

TEST(PercentCoding, DecodesWhatItEncodes) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) { every += static_cast<char>(byte); }
  EXPECT_EQ(percent_decoded(percent_encoded(every)), every);
  EXPECT_EQ(percent_decoded("%24skip%2f+"), "$skip/+");
  EXPECT_EQ(percent_decoded(""), "");
}

TEST(PercentCoding, RefusesWhatIsCutOrNoDigit) {
  for (const char* text : {"%", "%2", "a%", "%2g", "%g2", "%%41", "% 2"}) {
    EXPECT_FALSE(percent_decoded(text)) << text;
  }
}

}  // namespace
}  // namespace keyvigil
