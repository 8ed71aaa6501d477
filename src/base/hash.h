// One fixed, unkeyed hash: XXH3 (xxHash specification 0.1.1, section XXH3), seed 0.
//
// Its values order events and name alerts, so they must never change between versions, machines or
// runs. Hostile keys can collide on purpose; whoever orders or compares by a hash compares the
// whole key where hashes are equal.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace keyvigil {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

[[nodiscard]] std::uint64_t hash64(std::string_view bytes);
[[nodiscard]] Hash128 hash128(std::string_view bytes);

// 32 lower-case hexadecimal digits, high half first.
[[nodiscard]] std::string to_hex(const Hash128& hash);

// 8-4-4-4-12 form, as Azure writes identifiers; version and variant bits of RFC 9562 UUIDv8 are set.
[[nodiscard]] std::string to_guid(const Hash128& hash);

// Joins parts without ambiguity: each is preceded by its length, so ("ab","c") and ("a","bc") differ.
class HashInput {
 public:
  HashInput& add(std::string_view part);
  HashInput& add(std::uint64_t part);
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace keyvigil
