#include "base/ip_address.h"

#include <algorithm>

namespace keyvigil {
namespace {

constexpr int kAddressBits = 128;
constexpr int kV4OffsetBits = 96;
constexpr std::size_t kGroups = 8;

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// -1 where the character is no hexadecimal digit.
[[nodiscard]] constexpr int hex_value(char c) {
  if (is_digit(c)) { return c - '0'; }
  if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
  if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
  return -1;
}

// Reads a.b.c.d from the front; returns how many bytes it took, 0 where it is none. This is the hot path: every record
// names its caller's address, nearly always so.
[[nodiscard]] std::size_t read_v4(std::string_view text, std::uint32_t& bits) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint32_t value = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0) {
      if (at == end || *at != '.') { return 0; }
      ++at;
    }
    if (at == end || !is_digit(*at)) { return 0; }
    std::uint32_t number = static_cast<std::uint32_t>(*at++ - '0');
    if (at != end && is_digit(*at)) {
      number = number * 10 + static_cast<std::uint32_t>(*at++ - '0');
      if (at != end && is_digit(*at)) {
        number = number * 10 + static_cast<std::uint32_t>(*at++ - '0');
        if (number > 255) { return 0; }
      }
    }
    value = value << 8 | number;
  }
  bits = value;
  return static_cast<std::size_t>(at - text.data());
}

struct V6Groups {
  std::array<std::uint16_t, kGroups> values{};
  std::size_t count = 0;
  std::size_t gap_at = kGroups + 1;  // index at which "::" stood

  [[nodiscard]] bool has_gap() const { return gap_at <= kGroups; }
  [[nodiscard]] bool add(std::uint32_t value) {
    if (count == kGroups) { return false; }
    values[count++] = static_cast<std::uint16_t>(value);
    return true;
  }
};

// One group of 1 to 4 hexadecimal digits, or a dotted IPv4 tail (which must be the last).
[[nodiscard]] bool read_v6_group(std::string_view text, std::size_t& at, V6Groups& groups) {
  std::uint32_t value = 0;
  std::size_t digits = 0;
  const std::size_t start = at;
  for (; at < text.size() && digits < 4; ++at, ++digits) {
    const int digit = hex_value(text[at]);
    if (digit < 0) { break; }
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  if (digits == 0) { return false; }
  if (at < text.size() && text[at] == '.') {
    std::uint32_t bits = 0;
    at = start + read_v4(text.substr(start), bits);
    return at == text.size() && groups.add(bits >> 16) && groups.add(bits & 0xFFFF);
  }
  return groups.add(value);
}

[[nodiscard]] std::optional<IpAddress> from_groups(const V6Groups& groups) {
  if (groups.has_gap() ? groups.count >= kGroups : groups.count != kGroups) { return std::nullopt; }
  std::array<std::uint16_t, kGroups> full{};
  const std::size_t head = std::min(groups.gap_at, groups.count);
  const std::size_t tail = groups.count - head;
  std::copy_n(groups.values.begin(), head, full.begin());
  std::copy_n(groups.values.begin() + static_cast<std::ptrdiff_t>(head), tail,
              full.end() - static_cast<std::ptrdiff_t>(tail));
  IpAddress address{0, 0, true};
  for (std::size_t i = 0; i < kGroups; ++i) {
    std::uint64_t& half = i < kGroups / 2 ? address.high : address.low;
    half = half << 16 | full[i];
  }
  return address;
}

[[nodiscard]] std::optional<IpAddress> read_v6(std::string_view text) {
  V6Groups groups;
  std::size_t at = 0;
  if (text.starts_with("::")) {
    groups.gap_at = 0;
    at = 2;
  }
  while (at < text.size()) {
    if (!read_v6_group(text, at, groups)) { return std::nullopt; }
    if (at == text.size()) { break; }
    if (text[at] != ':') { return std::nullopt; }
    ++at;
    if (at == text.size()) { return std::nullopt; }
    if (text[at] == ':') {
      if (groups.has_gap()) { return std::nullopt; }
      groups.gap_at = groups.count;
      ++at;
    }
  }
  return from_groups(groups);
}

[[nodiscard]] bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) { return false; }
  int port = 0;
  for (const char c : text) { port = port * 10 + (c - '0'); }
  return port <= 65535;
}

[[nodiscard]] std::optional<IpAddress> read_bare(std::string_view text) {
  std::uint32_t bits = 0;
  if (const std::size_t taken = read_v4(text, bits); taken > 0) {
    return taken == text.size() ? std::optional(IpAddress::from_v4(bits)) : std::nullopt;
  }
  return read_v6(text);
}

// "[v6]" or "[v6]:port".
[[nodiscard]] std::optional<IpAddress> read_bracketed(std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) { return std::nullopt; }
  const std::string_view rest = text.substr(close + 1);
  if (!rest.empty() && (rest[0] != ':' || !is_port(rest.substr(1)))) { return std::nullopt; }
  return read_v6(text.substr(1, close - 1));
}

void clear_host_bits(IpPrefix& prefix) {
  if (prefix.length_bits < 64) {
    prefix.base.low = 0;
    prefix.base.high = prefix.length_bits == 0 ? 0 : prefix.base.high & ~std::uint64_t{0} << (64 - prefix.length_bits);
  } else if (prefix.length_bits == 64) {
    prefix.base.low = 0;
  } else {
    prefix.base.low &= ~std::uint64_t{0} << (kAddressBits - prefix.length_bits);
  }
}

// A row of the special-purpose registries: the address space in the 128-bit form.
struct Block {
  std::uint64_t high;
  std::uint64_t high_mask;
  std::uint64_t low;
  std::uint64_t low_mask;

  [[nodiscard]] constexpr bool holds(const IpAddress& address) const {
    return (address.high & high_mask) == high && (address.low & low_mask) == low;
  }
};

[[nodiscard]] constexpr Block v6_block(std::uint64_t high, int length_bits) {
  return Block{high, ~std::uint64_t{0} << (64 - length_bits), 0, 0};
}

// First octets below 224 under which something is special: one look settles nearly every address without a jump.
constexpr auto kHasSpecialV4 = [] {
  std::array<bool, 256> special{};
  for (const std::size_t first : {0U, 10U, 100U, 127U, 169U, 172U, 192U, 198U}) { special[first] = true; }
  return special;
}();

// IANA IPv4 Special-Purpose Address Registry, rows whose "Globally Reachable" is false, without documentation blocks;
// and multicast (RFC 5771).
[[nodiscard]] constexpr bool is_global_v4(std::uint32_t bits) {
  const std::uint32_t first = bits >> 24;
  if (!kHasSpecialV4[first]) { return first < 224; }
  const std::uint32_t top = bits >> 16;
  switch (first) {
    case 0:
    case 10:
    case 127:
      return false;
    case 100:
      return (bits >> 22) != (100U << 2 | 1U);  // 100.64.0.0/10, shared (RFC 6598)
    case 169:
      return top != (169U << 8 | 254U);
    case 172:
      return (bits >> 20) != (172U << 4 | 1U);  // 172.16.0.0/12
    case 192:
      if (top == (192U << 8 | 168U)) { return false; }
      // 192.0.0.0/24 is for protocols; .9 (RFC 7723) and .10 (RFC 8155) of it are anycast and reachable.
      return (bits >> 8) != (192U << 16) || (bits & 0xFF) == 9 || (bits & 0xFF) == 10;
    case 198:
      return (bits >> 17) != (198U << 7 | 9U);  // 198.18.0.0/15, benchmarks
    default:
      return true;
  }
}

// IANA IPv6 Special-Purpose Address Registry: inside 2001::/23 only some rows are reachable.
[[nodiscard]] constexpr bool is_global_protocol_block(const IpAddress& address) {
  constexpr std::uint64_t kAnycast = 0x2001'0001'0000'0000;  // 2001:1::1, ::2, ::3 (RFC 7723, 8155, 9665)
  if (address.high == kAnycast && address.low >= 1 && address.low <= 3) { return true; }
  constexpr std::array kReachable{
      v6_block(0x2001'0003'0000'0000, 32),  // AMT
      v6_block(0x2001'0004'0112'0000, 48),  // AS112
      v6_block(0x2001'0020'0000'0000, 28),  // ORCHIDv2
      v6_block(0x2001'0030'0000'0000, 28),  // DRIP
  };
  return std::any_of(kReachable.begin(), kReachable.end(), [&](const Block& block) { return block.holds(address); });
}

// The well-known prefix 64:ff9b::/96 carries an IPv4 address (RFC 6052).
constexpr Block kTranslated{0x0064'ff9b'0000'0000, ~std::uint64_t{0}, 0, ~std::uint64_t{0xFFFFFFFF}};

// The first address of each special block that a wider prefix with a global base can hold.
constexpr std::array kSpecialFirsts{
    IpAddress::from_v4(10U << 24),
    IpAddress::from_v4(100U << 24 | 64U << 16),
    IpAddress::from_v4(127U << 24),
    IpAddress::from_v4(169U << 24 | 254U << 16),
    IpAddress::from_v4(172U << 24 | 16U << 16),
    IpAddress::from_v4(192U << 24),
    IpAddress::from_v4(192U << 24 | 168U << 16),
    IpAddress::from_v4(198U << 24 | 18U << 16),
    IpAddress::from_v4(224U << 24),
    IpAddress{0x2001'0000'0000'0000, 0, true},
    IpAddress{0x3fff'0000'0000'0000, 0, true},
};

[[nodiscard]] constexpr bool is_global_v6(const IpAddress& address) {
  if (kTranslated.holds(address)) { return is_global_v4(address.v4()); }
  // Only 2000::/3 is allocated for global unicast (RFC 4291 2.4); everything else is special or reserved.
  if (!v6_block(0x2000'0000'0000'0000, 3).holds(address)) { return false; }
  if (v6_block(0x2001'0000'0000'0000, 23).holds(address)) { return is_global_protocol_block(address); }
  return !v6_block(0x3fff'0000'0000'0000, 20).holds(address);  // RFC 9637
}

void append_octets(std::string& out, std::uint32_t bits) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    const std::uint32_t octet = (bits >> shift) & 0xFF;
    if (octet >= 100) { out += static_cast<char>('0' + octet / 100); }
    if (octet >= 10) { out += static_cast<char>('0' + octet / 10 % 10); }
    out += static_cast<char>('0' + octet % 10);
    if (shift > 0) { out += '.'; }
  }
}

void append_hex_group(std::string& out, std::uint16_t group) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const auto digit = static_cast<std::size_t>((group >> shift) & 0xF);
    started = started || digit != 0 || shift == 0;
    if (started) { out += kDigits[digit]; }
  }
}

void append_v6(std::string& out, const IpAddress& address) {
  std::array<std::uint16_t, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    const std::uint64_t half = i < kGroups / 2 ? address.high : address.low;
    groups[i] = static_cast<std::uint16_t>(half >> (48 - 16 * (i % 4)));
  }
  // RFC 5952 4.2: the longest run of zero groups, the first of equals, never a single group.
  std::size_t gap_at = kGroups;
  std::size_t gap_length = 1;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t run_end = i;
    while (run_end < kGroups && groups[run_end] == 0) { ++run_end; }
    if (run_end - i > gap_length) {
      gap_at = i;
      gap_length = run_end - i;
    }
    i = run_end + 1;
  }
  for (std::size_t i = 0; i < kGroups;) {
    if (i == gap_at) {
      out += "::";
      i += gap_length;
      continue;
    }
    if (i > 0 && out.back() != ':') { out += ':'; }
    append_hex_group(out, groups[i]);
    ++i;
  }
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  std::uint32_t bits = 0;
  if (const std::size_t taken = read_v4(text, bits); taken > 0) {
    const bool whole = taken == text.size() || (text[taken] == ':' && is_port(text.substr(taken + 1)));
    return whole ? std::optional(IpAddress::from_v4(bits)) : std::nullopt;
  }
  if (text.starts_with('[')) { return read_bracketed(text); }
  return read_v6(text);
}

std::optional<std::uint32_t> parse_dotted_v4(std::string_view text) {
  std::uint32_t bits = 0;
  const std::size_t taken = read_v4(text, bits);
  return taken > 0 && taken == text.size() ? std::optional(bits) : std::nullopt;
}

std::optional<IpPrefix> parse_ip_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<IpAddress> base = read_bare(text.substr(0, slash));
  if (!base) { return std::nullopt; }
  if (slash == std::string_view::npos) { return IpPrefix{*base, kAddressBits}; }
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return std::nullopt;
  }
  int length = 0;
  for (const char c : digits) { length = length * 10 + (c - '0'); }
  // The written form decides the scale: ::ffff:10.0.0.0/104 counts 128 bits, 10.0.0.0/8 counts 32.
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  if (dotted) { length += kV4OffsetBits; }
  if (length > kAddressBits) { return std::nullopt; }
  IpPrefix prefix{*base, length};
  clear_host_bits(prefix);
  return prefix;
}

std::string to_string(const IpAddress& address) {
  std::string out;
  if (!address.known) { return out; }
  if (address.is_v4()) {
    append_octets(out, address.v4());
  } else {
    append_v6(out, address);
  }
  return out;
}

std::string to_string(const IpPrefix& prefix) {
  if (!prefix.base.known) { return {}; }
  const bool dotted = prefix.base.is_v4() && prefix.length_bits >= kV4OffsetBits;
  std::string out;
  if (dotted) {
    append_octets(out, prefix.base.v4());
  } else {
    append_v6(out, prefix.base);
  }
  return out + '/' + std::to_string(dotted ? prefix.length_bits - kV4OffsetBits : prefix.length_bits);
}

IpPrefix network_of(const IpAddress& address) {
  if (address.is_v4()) { return {.base = IpAddress::from_v4(address.v4() & 0xFFFF'FF00U), .length_bits = 120}; }
  IpPrefix network{.base = address, .length_bits = 48};
  network.base.high &= 0xFFFF'FFFF'FFFF'0000U;
  network.base.low = 0;
  return network;
}

bool contains(const IpPrefix& prefix, const IpAddress& address) {
  if (!address.known || !prefix.base.known) { return false; }
  IpPrefix same_length{address, prefix.length_bits};
  clear_host_bits(same_length);
  return same_length.base == prefix.base;
}

bool is_global(const IpAddress& address) {
  if (!address.known) { return false; }
  return address.is_v4() ? is_global_v4(address.v4()) : is_global_v6(address);
}

bool is_global(const IpPrefix& prefix) {
  if (!is_global(prefix.base)) { return false; }
  if (kTranslated.holds(prefix.base)) {
    return is_global(IpPrefix{IpAddress::from_v4(prefix.base.v4()), prefix.length_bits});
  }
  // Prefixes nest or are disjoint: a special block that the base is not in is either inside the prefix, then so is its
  // first address, or apart from it.
  return std::none_of(kSpecialFirsts.begin(), kSpecialFirsts.end(),
                      [&](const IpAddress& first) { return contains(prefix, first); });
}

}  // namespace keyvigil
