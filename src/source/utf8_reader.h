// Utf8Reader: text as UTF-8. What begins with the mark of UTF-16 (either order of bytes), or with a bracket in two
// bytes, is converted while it is read; everything else is passed on as it is.
//
// Streaming: a chunk is held, whatever the length of the text. Half a pair, or half a unit at the end, becomes U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace keyvigil {

// Writes at most `room` bytes to `to`, returns how many; 0: the input ends.
using ReadBytes = std::function<Result<std::size_t>(char* to, std::size_t room)>;

class Utf8Reader {
 public:
  explicit Utf8Reader(ReadBytes read) : read_(std::move(read)) {}

  // As ReadBytes.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t room);

 private:
  enum class Encoding : std::uint8_t { kUnclear, kUtf8, kUtf16Little, kUtf16Big };

  [[nodiscard]] Result<void> look_at_head();
  [[nodiscard]] Result<void> convert_some();
  void convert(bool ended);
  void append(std::uint32_t character);
  [[nodiscard]] std::size_t give(char* to, std::size_t room);

  ReadBytes read_;
  Encoding encoding_ = Encoding::kUnclear;
  std::string raw_;   // read and not converted
  std::string text_;  // converted and not given out: from given_ on
  std::size_t given_ = 0;
  std::uint32_t high_ = 0;  // the first half of a pair whose second is awaited; 0: none
};

}  // namespace keyvigil
