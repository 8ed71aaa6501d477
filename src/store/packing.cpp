#include "store/packing.h"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>

#include "base/check.h"

namespace keyvigil {
namespace {

// Fast: what is packed here is written once and read at most a few times.
constexpr int kLevel = 1;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

std::string pack(std::string_view bytes) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  CHECK(context != nullptr);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress2(context.get(), packed.data(), packed.size(), bytes.data(), bytes.size());
  CHECK(ZSTD_isError(size) == 0);
  packed.resize(size);
  packed.shrink_to_fit();  // the bound is some ten times as long, and packed values wait in memory
  return packed;
}

Result<std::string> unpack(std::string_view packed, std::size_t limit_bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > limit_bytes) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("expected a packed value of at most {} bytes in the store, found another", limit_bytes));
  }
  std::string bytes(size, '\0');
  const std::size_t got = ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("expected a packed value of {} bytes in the store, found damage: {}", size,
                            ZSTD_isError(got) != 0 ? ZSTD_getErrorName(got) : "short"));
  }
  return bytes;
}

bool looks_compressed(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b") || bytes.starts_with("\x28\xb5\x2f\xfd")) { return true; }
  // zstd skippable frames: 0x184D2A50..5F, little-endian.
  return bytes.size() >= 4 && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50U &&
         bytes.substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace keyvigil
