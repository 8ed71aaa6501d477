#include "event/text_block.h"

namespace keyvigil {
namespace {

void lower_16(const char* from, char* to) {
  Bytes16 bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  const auto from_a = bytes - 'A';
  bytes |= (from_a < 26) & 0x20;
  std::memcpy(to, &bytes, sizeof(bytes));
}

// The same for eight or four bytes in one word. The carries stay within each byte: its top bit is left out of the sums.
template <typename Word>
void lower_word(const char* from, char* to) {
  constexpr Word kOnes = static_cast<Word>(~Word{0}) / 0xFF;
  Word bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  const Word low = bytes & (kOnes * 0x7F);
  const Word from_a = low + kOnes * (0x80 - 'A');
  const Word beyond_z = low + kOnes * (0x7F - 'Z');
  bytes |= ((from_a ^ beyond_z) & ~bytes & (kOnes * 0x80)) >> 2;
  std::memcpy(to, &bytes, sizeof(bytes));
}

template <std::size_t kSize>
void lower_block(const char* from, char* to) {
  if constexpr (kSize <= sizeof(std::uint32_t)) {
    lower_word<std::uint32_t>(from, to);
  } else if constexpr (kSize <= sizeof(std::uint64_t)) {
    lower_word<std::uint64_t>(from, to);
  } else {
    for (std::size_t i = 0; i < kSize; i += sizeof(Bytes16)) { lower_16(from + i, to + i); }
  }
}

// The last block overlaps the one before it: no byte is done alone, and the number of steps hardly depends on the size,
// so that the processor foresees it.
template <std::size_t kSize>
void lower_blocks(const char* from, std::size_t size, char* to) {
  for (std::size_t i = 0; i + kSize < size; i += kSize) { lower_block<kSize>(from + i, to + i); }
  lower_block<kSize>(from + size - kSize, to + size - kSize);
}

}  // namespace

void copy_lower(const char* from, std::size_t size, char* to) {
  if (size >= 64) { return lower_blocks<64>(from, size, to); }
  if (size >= 32) { return lower_blocks<32>(from, size, to); }
  if (size >= 16) { return lower_blocks<16>(from, size, to); }
  if (size >= 8) { return lower_blocks<8>(from, size, to); }
  if (size >= 4) { return lower_blocks<4>(from, size, to); }
  for (std::size_t i = 0; i < size; ++i) { to[i] = lower_case(from[i]); }
}

}  // namespace keyvigil
