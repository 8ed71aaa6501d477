#include "store/content_chunks.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace keyvigil {
namespace {

// One odd-looking number for each byte: splitmix64 of its value. Changing them only makes the next checkpoint whole.
constexpr std::array<std::uint64_t, 256> make_gear() {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 0;
  for (std::uint64_t& entry : gear) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = (state ^ (state >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    entry = mixed ^ (mixed >> 31U);
  }
  return gear;
}
constexpr std::array<std::uint64_t, 256> kGear = make_gear();

// Cuts where the upper bits are zero: they depend on all of the last 64 bytes.
constexpr std::uint64_t kCutMask = (std::uint64_t{kUsualChunkBytes} - 1) << 50U;
static_assert((kUsualChunkBytes & (kUsualChunkBytes - 1)) == 0 && kCutMask >> 50U == kUsualChunkBytes - 1);

}  // namespace

std::size_t first_chunk_bytes(std::string_view bytes) {
  const std::size_t most = std::min(bytes.size(), kMostChunkBytes);
  std::uint64_t hash = 0;
  for (std::size_t i = std::min(most, kLeastChunkBytes - 64); i < most; ++i) {
    hash = (hash << 1U) + kGear[static_cast<unsigned char>(bytes[i])];
    if (i + 1 >= kLeastChunkBytes && (hash & kCutMask) == 0) { return i + 1; }
  }
  return most;
}

std::vector<std::string_view> content_chunks(std::string_view bytes) {
  std::vector<std::string_view> chunks;
  while (!bytes.empty()) {
    const std::size_t size = first_chunk_bytes(bytes);
    chunks.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return chunks;
}

}  // namespace keyvigil
