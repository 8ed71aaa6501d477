// Texts of bytes, digests and letters: base64.h, hmac.h, ascii.h.
#include <gtest/gtest.h>

#include <string>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hmac.h"

namespace keyvigil {
namespace {

TEST(Base64, ReadsWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decoded(base64(bytes)).value_or(""), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
  EXPECT_EQ(base64("fo"), "Zm8=");  // RFC 4648 section 10
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z=g=", " Zm8=", "Zm8=\n", "Zm-8", "Zm8\xC3"}) {
    EXPECT_FALSE(base64_decoded(text)) << text;
  }
}

TEST(Hmac, IsThatOfTheRfc) {
  std::string hex;
  for (const char c : hmac_sha256("Jefe", "what do ya want for nothing?")) {  // RFC 4231 section 4.3
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  EXPECT_EQ(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Ascii, FoldsItsLettersAndNothingElse) {
  EXPECT_EQ(lower_case("AZ[@Ä"), "az[@Ä");
  EXPECT_TRUE(equal_without_case("KeyVaults", "KEYVAULTS"));
  EXPECT_FALSE(equal_without_case("KeyVaults", "KeyVault"));
  EXPECT_FALSE(equal_without_case("@", "`"));
}

}  // namespace
}  // namespace keyvigil
