#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace keyvigil {
namespace {

void append_hex(std::string& out, std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) { out += kDigits[(value >> shift) & 0xF]; }
}

}  // namespace

std::uint64_t hash64(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

Hash128 hash128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return Hash128{hash.high64, hash.low64};
}

std::string to_hex(const Hash128& hash) {
  std::string out;
  out.reserve(32);
  append_hex(out, hash.high);
  append_hex(out, hash.low);
  return out;
}

std::string to_guid(const Hash128& hash) {
  constexpr std::uint64_t kVersionMask = 0xF000;
  constexpr std::uint64_t kVersion = 0x8000;
  constexpr std::uint64_t kVariantMask = std::uint64_t{0xC} << 60;
  constexpr std::uint64_t kVariant = std::uint64_t{0x8} << 60;
  std::string out = to_hex(Hash128{(hash.high & ~kVersionMask) | kVersion, (hash.low & ~kVariantMask) | kVariant});
  for (const std::size_t position : {20U, 16U, 12U, 8U}) { out.insert(position, 1, '-'); }
  return out;
}

HashInput& HashInput::add(std::string_view part) {
  add(std::uint64_t{part.size()});
  bytes_.append(part);
  return *this;
}

HashInput& HashInput::add(std::uint64_t part) {
  for (int shift = 0; shift < 64; shift += 8) {
    bytes_ += static_cast<char>(static_cast<unsigned char>((part >> shift) & 0xFF));
  }
  return *this;
}

}  // namespace keyvigil
