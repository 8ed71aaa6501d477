#include "source/utf8_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace keyvigil {

namespace {

constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::uint32_t kReplacement = 0xFFFD;

bool is_bracket(char byte) {
  return byte == '{' || byte == '[';
}

}  // namespace

Result<std::size_t> Utf8Reader::read(char* to, std::size_t room) {
  if (encoding_ == Encoding::kUnclear) {
    if (auto looked = look_at_head(); !looked) return tl::unexpected(looked.error());
  }
  if (given_ < text_.size()) return give(to, room);
  if (encoding_ == Encoding::kUtf8) return read_(to, room);
  if (auto converted = convert_some(); !converted) return tl::unexpected(converted.error());
  return give(to, room);
}

std::size_t Utf8Reader::give(char* to, std::size_t room) {
  const std::size_t size = text_.copy(to, room, given_);
  given_ += size;
  return size;
}

Result<void> Utf8Reader::look_at_head() {
  raw_.resize(kHeadBytes);
  std::size_t filled = 0;
  while (filled < kHeadBytes) {
    const Result<std::size_t> size = read_(raw_.data() + filled, kHeadBytes - filled);
    if (!size) return tl::unexpected(size.error());
    if (*size == 0) break;
    filled += *size;
  }
  raw_.resize(filled);
  const bool utf32 = raw_ == std::string_view("\xFF\xFE\0\0", 4);
  encoding_ = Encoding::kUtf8;
  if (filled >= 2 && !utf32) {
    const bool marked_little = raw_.starts_with("\xFF\xFE");
    const bool marked_big = raw_.starts_with("\xFE\xFF");
    if (marked_little || (is_bracket(raw_[0]) && raw_[1] == '\0')) encoding_ = Encoding::kUtf16Little;
    if (marked_big || (raw_[0] == '\0' && is_bracket(raw_[1]))) encoding_ = Encoding::kUtf16Big;
    if (marked_little || marked_big) raw_.erase(0, 2);
  }
  if (encoding_ == Encoding::kUtf8) text_ = std::exchange(raw_, {});
  return {};
}

Result<void> Utf8Reader::convert_some() {
  text_.clear();
  given_ = 0;
  while (text_.empty()) {
    const std::size_t kept = raw_.size();
    raw_.resize(kept + kChunkBytes);
    const Result<std::size_t> size = read_(raw_.data() + kept, kChunkBytes);
    if (!size) return tl::unexpected(size.error());
    raw_.resize(kept + *size);
    convert(*size == 0);
    if (*size == 0) break;
  }
  return {};
}

void Utf8Reader::convert(bool ended) {
  const std::size_t first = encoding_ == Encoding::kUtf16Little ? 0 : 1;
  std::size_t at = 0;
  for (; at + 2 <= raw_.size(); at += 2) {
    const auto low = static_cast<unsigned char>(raw_[at + first]);
    const auto high = static_cast<unsigned char>(raw_[at + 1 - first]);
    const std::uint32_t unit = static_cast<std::uint32_t>(high) << 8 | low;
    const bool second_half = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high_ != 0 && second_half) {
      append(0x10000 + ((std::exchange(high_, 0) - 0xD800) << 10) + (unit - 0xDC00));
      continue;
    }
    if (std::exchange(high_, 0) != 0) append(kReplacement);
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      high_ = unit;
    } else {
      append(second_half ? kReplacement : unit);
    }
  }
  raw_.erase(0, at);
  if (!ended) return;
  if (std::exchange(high_, 0) != 0) append(kReplacement);
  if (!std::exchange(raw_, {}).empty()) append(kReplacement);
}

void Utf8Reader::append(std::uint32_t character) {
  const auto byte = [this](std::uint32_t value) { text_ += static_cast<char>(static_cast<unsigned char>(value)); };
  if (character < 0x80) return byte(character);
  if (character < 0x800) {
    byte(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      byte(0xE0 | character >> 12);
    } else {
      byte(0xF0 | character >> 18);
      byte(0x80 | (character >> 12 & 0x3F));
    }
    byte(0x80 | (character >> 6 & 0x3F));
  }
  byte(0x80 | (character & 0x3F));
}

}  // namespace keyvigil
