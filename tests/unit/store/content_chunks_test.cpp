#include "store/content_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>

namespace keyvigil {
namespace {

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) { byte = static_cast<char>(random()); }
  return bytes;
}

std::string joined(const std::vector<std::string_view>& chunks) {
  std::string bytes;
  for (const std::string_view chunk : chunks) { bytes += chunk; }
  return bytes;
}

TEST(ContentChunks, JoinToTheBytes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kLeastChunkBytes - 1, kLeastChunkBytes,
                                 kMostChunkBytes + 1, std::size_t{3'000'000}}) {
    const std::string bytes = random_bytes(size, size + 1);
    const auto chunks = content_chunks(bytes);
    EXPECT_TRUE(joined(chunks) == bytes);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_LE(chunks[i].size(), kMostChunkBytes);
      if (i + 1 < chunks.size()) { EXPECT_GE(chunks[i].size(), kLeastChunkBytes); }
    }
  }
}

TEST(ContentChunks, HaveAUsualSize) {
  const auto chunks = content_chunks(random_bytes(8'000'000, 3)).size();
  EXPECT_GT(chunks, 8'000'000 / kUsualChunkBytes / 2);
  EXPECT_LT(chunks, 8'000'000 / kUsualChunkBytes * 2);
}

TEST(ContentChunks, BoundBytesThatNeverCut) {
  const auto chunks = content_chunks(std::string(1'000'000, '\0'));
  EXPECT_GE(chunks.size(), 1'000'000 / kMostChunkBytes);
}

TEST(ContentChunks, ChangeOnlyAroundAnInsertion) {
  const std::string before = random_bytes(4'000'000, 4);
  std::string after = before;
  after.insert(1'234'567, "some bytes more");
  const auto old_chunks = content_chunks(before);
  const std::set<std::string_view> known(old_chunks.begin(), old_chunks.end());
  std::size_t fresh = 0;
  for (const std::string_view chunk : content_chunks(after)) { fresh += known.contains(chunk) ? 0U : 1U; }
  EXPECT_GE(fresh, 1U);
  EXPECT_LE(fresh, 3U);
}

}  // namespace
}  // namespace keyvigil
