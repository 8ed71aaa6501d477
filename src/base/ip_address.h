// IpAddress and IpPrefix: values; IPv4 lives in the IPv4-mapped corner of IPv6 (RFC 4291 2.5.5.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keyvigil {

// 128 bits, most significant first. The all-zero value with `known == false` means "no address".
struct IpAddress {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool known = false;

  static constexpr std::uint64_t kV4MappedLow = std::uint64_t{0xFFFF} << 32;

  [[nodiscard]] constexpr bool is_v4() const { return known && high == 0 && (low >> 32) == 0xFFFF; }
  [[nodiscard]] constexpr std::uint32_t v4() const { return static_cast<std::uint32_t>(low); }
  [[nodiscard]] static constexpr IpAddress from_v4(std::uint32_t bits) {
    return IpAddress{0, kV4MappedLow | bits, true};
  }
  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// Length counts bits of the 128-bit form: 10.0.0.0/8 has 104. Bits past the length are zero.
struct IpPrefix {
  IpAddress base;
  int length_bits = 0;
  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

// The network that stands for an address's neighbourhood: /24 of IPv4, /48 of IPv6.
[[nodiscard]] IpPrefix network_of(const IpAddress& address);

// Accepts dotted IPv4 (zero-padded octets are decimal), IPv6 of any RFC 4291 spelling, zero-padded groups,
// IPv4-mapped forms (which become IPv4), and a port: "v4:port", "[v6]:port", "[v6]". A zone (%eth0) is refused.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(std::string_view text);

// Only what nearly every address is: a.b.c.d and nothing else. Its 32 bits.
[[nodiscard]] std::optional<std::uint32_t> parse_dotted_v4(std::string_view text);

// "address" or "address/length". Host bits past the length are cleared.
[[nodiscard]] std::optional<IpPrefix> parse_ip_prefix(std::string_view text);

// RFC 5952 for IPv6, dotted for IPv4, "" when unknown.
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const IpPrefix& prefix);

[[nodiscard]] bool contains(const IpPrefix& prefix, const IpAddress& address);

// False for what the IANA special-purpose registries (RFC 6890) do not route on the public Internet:
// private, shared, loopback, link-local, multicast, reserved, unspecified, unique-local. The documentation
// blocks of RFC 5737 and RFC 3849 count as global, so that examples and drills behave like real addresses.
[[nodiscard]] bool is_global(const IpAddress& address);
// True where every address of the prefix is global.
[[nodiscard]] bool is_global(const IpPrefix& prefix);

}  // namespace keyvigil
