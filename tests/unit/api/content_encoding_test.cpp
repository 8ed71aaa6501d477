#include "api/content_encoding.h"

#include <gtest/gtest.h>

#include "unit/api/plain_text.h"

namespace keyvigil {
namespace {

TEST(Gzip, IsWhatZlibReads) {
  std::string plain;
  for (std::size_t size = 1; size < 100'000; size = size * 3 + 1) {
    while (plain.size() < size) { plain += static_cast<char>(plain.size() * plain.size() % 251); }
    EXPECT_EQ(plain_text(gzip(plain), 200'000), plain) << size;
  }
  const std::string zeros(1 << 20, '\0');
  EXPECT_LT(gzip(zeros).size(), 10'000U);
  EXPECT_EQ(plain_text(gzip(zeros), 1 << 20), zeros);
}

TEST(AcceptsGzip, ReadsTheList) {
  for (const char* yes : {"gzip", "deflate, gzip", "GZIP;q=0.5", "br;q=1.0, gzip ; q=0.001"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no : {"", "identity", "gzip;q=0", "gzip; q=0.000, br", "xgzip"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

}  // namespace
}  // namespace keyvigil
