#include "api/content_encoding.h"

#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string records() {
  std::string text = "[";
  for (int i = 0; i < 2000; ++i) { text += R"({"time":"2026-01-01T00:00:00Z","n":)" + std::to_string(i * 7919) + "},"; }
  return text + "{}]";
}

std::string zstd(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

std::string deflated(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()), plain.size());
  out.resize(size);
  return out;
}

TEST(DecompressBody, GivesWhatWasCompressed) {
  const std::string plain = records();
  for (const auto& [encoding, body] :
       std::vector<std::pair<std::string, std::string>>{{"", plain},
                                                        {"identity", plain},
                                                        {"gzip", gzip(plain)},
                                                        {" GZIP ", gzip(plain)},
                                                        {"x-gzip", gzip(plain)},
                                                        {"deflate", deflated(plain)},
                                                        {"zstd", zstd(plain)},
                                                        {"gzip", gzip(plain.substr(0, 9)) + gzip(plain.substr(9))},
                                                        {"zstd", zstd(plain.substr(0, 9)) + zstd(plain.substr(9))}}) {
    const auto got = decompress_body(body, encoding, plain.size());
    ASSERT_TRUE(got) << encoding << ": " << got.error().message;
    EXPECT_EQ(*got, plain) << encoding;
    const auto refused = decompress_body(body, encoding, plain.size() - 1);
    ASSERT_FALSE(refused) << encoding;
    EXPECT_EQ(refused.error().kind, ErrorKind::kLimit) << encoding;
  }
}

TEST(DecompressBody, StopsBombs) {
  const std::string zeros(64 * kMiB, '\0');
  for (const auto& [encoding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", gzip(zeros)}, {"deflate", deflated(zeros)}, {"zstd", zstd(zeros)}}) {
    const auto size = decompress_body(body, encoding, 4 * kMiB);
    ASSERT_FALSE(size) << encoding;
    EXPECT_EQ(size.error().kind, ErrorKind::kLimit) << encoding;
  }
  const auto ratio = decompress_body(zstd(zeros), "zstd", 1024 * kMiB);
  ASSERT_FALSE(ratio);
  EXPECT_EQ(ratio.error().kind, ErrorKind::kLimit);
}

TEST(DecompressBody, RefusesWhatIsDamagedCutOrFollowed) {
  const std::string plain = records();
  for (const auto& [encoding, body] : std::vector<std::pair<std::string, std::string>>{
           {"gzip", gzip(plain)}, {"deflate", deflated(plain)}, {"zstd", zstd(plain)}}) {
    std::string damaged = body;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    for (const std::string& bad : {body.substr(0, body.size() - 1), body.substr(0, 5), std::string(), body + "tail",
                                   damaged, std::string("plain")}) {
      const auto got = decompress_body(bad, encoding, kMiB);
      if (encoding == "zstd" && bad == damaged && got) { continue; }  // zstd frames of one shot carry no checksum
      ASSERT_FALSE(got) << encoding << " of " << bad.size() << " bytes";
      EXPECT_EQ(got.error().kind, ErrorKind::kInput) << encoding;
    }
  }
  for (const char* encoding : {"br", "gzip, gzip", "compress", "gzip;q=1"}) {
    const auto got = decompress_body("abc", encoding, kMiB);
    ASSERT_FALSE(got) << encoding;
    EXPECT_EQ(got.error().kind, ErrorKind::kInput);
  }
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
