// Content chunks: long bytes cut where their content says, so that most pieces are the same as last time.
//
// A checkpoint is large and changes little: only chunks that were not there are written. Cut points follow a rolling
// hash over the last 64 bytes ("gear" hash, FastCDC), so an insertion moves the cuts around it and no others.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace keyvigil {

inline constexpr std::size_t kLeastChunkBytes = std::size_t{4} << 10;
inline constexpr std::size_t kUsualChunkBytes = std::size_t{16} << 10;
inline constexpr std::size_t kMostChunkBytes = std::size_t{128} << 10;

// How long the chunk is that `bytes` begin with. Where more follows them: REQUIRES kMostChunkBytes of them.
[[nodiscard]] std::size_t first_chunk_bytes(std::string_view bytes);

// In order, they join to `bytes`; all but the last are kLeastChunkBytes..kMostChunkBytes long. No bytes: no chunk.
[[nodiscard]] std::vector<std::string_view> content_chunks(std::string_view bytes);

}  // namespace keyvigil
