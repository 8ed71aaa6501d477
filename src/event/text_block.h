// TextBlock: lays the texts of an event, lower case and cut to their limits, into its text block. Room-internal.
//
// It is in the path of every record: texts are written straight to where they stay.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/hash.h"
#include "event/access_event.h"

namespace keyvigil {

// Longer text keeps its start and is told apart by a hash of the whole. Bytes.
inline constexpr std::size_t kIdLimit = 64;

constexpr std::size_t text_limit(TextField field) {
  switch (field) {
    case TextField::kUri:
      return 1024;
    case TextField::kVaultId:
    case TextField::kManagedIdentity:
    case TextField::kClientInfo:
      return 512;
    case TextField::kObject:
    case TextField::kNetworkAcls:
      return 256;
    case TextField::kOperationName:
    case TextField::kPolicyPrincipal:
      return 128;
    default:
      return 64;
  }
}

// Sixteen bytes at once, in GCC's and clang's portable vectors.
using Bytes16 [[gnu::vector_size(16)]] = std::uint8_t;

// Bytes between 'A' and 'Z' get bit 5; others, UTF-8 included, stay. `to` must not overlap `from`.
void copy_lower(const char* from, std::size_t size, char* to);

// Lays an event's texts one after the other, straight into its text block, and remembers where they stand.
class TextBlock {
 public:
  explicit TextBlock(AccessEvent& event) : event_(event) {
    event_.slices.fill({});
    // The buffer of an event before is used again; what is added to its size has to be cleared, so it is little.
    constexpr std::size_t kRoomBytes = 256;
    event_.text.resize(std::min(event_.text.capacity(), event_.text.size() + kRoomBytes));
  }

  void put_verbatim(TextField field, std::string_view value) {
    const std::size_t size = std::min(value.size(), text_limit(field));
    char* to = set(field, size);
    // A memcpy of so few bytes becomes `rep movs`, which begins slowly.
    if (size > 0) { std::memmove(to, value.data(), size); }
    if (value.size() > size) { mark_cut(field, hash128(value)); }
  }

  void put_lower(TextField field, std::string_view value) {
    const std::size_t size = std::min(value.size(), text_limit(field));
    copy_lower(value.data(), size, set(field, size));
    if (value.size() > size) { mark_cut(field, hash_of_lower(value)); }
  }

  // Ids are compared, so a long one is replaced whole.
  void put_id(TextField field, std::string_view value) {
    if (value.size() > kIdLimit) {
      put_verbatim(field, "hash:" + to_hex(hash_of_lower(value)));
    } else {
      put_lower(field, value);
    }
  }

  // The same bytes under a second name.
  void alias(TextField field, TextField of) { slice(field) = slice(of); }

  [[nodiscard]] std::string_view get(TextField field) const { return event_.get(field); }

  void finish() { event_.text.resize(used_); }

 private:
  static constexpr std::size_t kBlockBytes = [] {
    std::size_t bytes = 0;
    for (std::size_t field = 0; field < kTextFieldCount; ++field) {
      bytes += text_limit(static_cast<TextField>(field));
    }
    return bytes;
  }();
  static_assert(kBlockBytes <= UINT16_MAX);

  [[nodiscard]] static Hash128 hash_of_lower(std::string_view value) {
    std::string lower_case(value.size(), '\0');
    copy_lower(value.data(), value.size(), lower_case.data());
    return hash128(lower_case);
  }
  [[nodiscard]] TextSlice& slice(TextField field) { return event_.slices[static_cast<std::size_t>(field)]; }
  // Where the field's bytes go.
  [[nodiscard]] char* set(TextField field, std::size_t size) {
    slice(field) = {static_cast<std::uint16_t>(used_), static_cast<std::uint16_t>(size)};
    used_ += size;
    if (used_ > event_.text.size()) { event_.text.resize(2 * used_); }
    return event_.text.data() + used_ - size;
  }
  void mark_cut(TextField field, const Hash128& hash_of_whole) {
    const std::string mark = "~" + to_hex(hash_of_whole);
    std::memcpy(event_.text.data() + slice(field).offset + slice(field).size - mark.size(), mark.data(), mark.size());
  }

  AccessEvent& event_;
  std::size_t used_ = 0;
};

}  // namespace keyvigil
