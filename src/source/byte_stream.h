// ByteStream: the plain bytes of one input, decompressed where it is gzip or zstd. Found by content.
//
// Streaming: memory does not grow with the input, however far it expands. Many members (gzip) or frames (zstd) follow
// one another; a compressed file inside a compressed file is refused. Damage ends the stream after what could be read.
// Formats: RFC 1952, RFC 8878 (windows up to 2^27 bytes).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/raw_input.h"

namespace keyvigil {

class ByteStream {
 public:
  explicit ByteStream(RawInput input);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;

  // The first plain bytes, at least `least` unless the input is shorter. REQUIRES: nothing was read yet.
  [[nodiscard]] Result<std::string_view> peek(std::size_t least);
  // At most `room` (> 0) bytes; 0: the end, or damage.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t room);
  [[nodiscard]] Result<void> rewind();
  // True where the input is gzip or zstd. REQUIRES: something was peeked or read.
  [[nodiscard]] bool is_compressed() const;
  // The bytes as they are stored; to read on here afterwards, rewind().
  [[nodiscard]] RawInput& input();

  // Why the stream ended early, as a sentence with the place; nothing where it did not.
  [[nodiscard]] const std::optional<std::string>& damage() const;
  [[nodiscard]] std::uint64_t stored_bytes() const;  // taken from the input, as it is stored
  [[nodiscard]] std::uint64_t plain_bytes() const;   // given out

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// True where `head` begins with the magic bytes of gzip, or of a zstd frame or skippable frame.
[[nodiscard]] bool is_gzip(std::string_view head);
[[nodiscard]] bool is_zstd(std::string_view head);

// The first `limit_bytes` decompressed bytes of a file, fewer where it is shorter: enough to decode its first record.
[[nodiscard]] Result<std::string> read_head(const std::string& path, std::size_t limit_bytes = std::size_t{64} << 10);

// A whole file, decompressed. Longer than `limit_bytes`, or damaged: an error.
[[nodiscard]] Result<std::string> read_whole_file(const std::string& path, std::size_t limit_bytes);

}  // namespace keyvigil
