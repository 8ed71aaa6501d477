#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

std::string round_trip(std::string_view text) {
  const std::optional<IpAddress> address = parse_ip_address(text);
  return address ? to_string(*address) : "refused";
}

std::string prefix_round_trip(std::string_view text) {
  const std::optional<IpPrefix> prefix = parse_ip_prefix(text);
  return prefix ? to_string(*prefix) : "refused";
}

TEST(IpAddress, DottedAddressesAreReadAndWritten) {
  EXPECT_EQ(round_trip("203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(round_trip("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(round_trip("255.255.255.255"), "255.255.255.255");
  EXPECT_TRUE(parse_ip_address("203.0.113.7")->is_v4());
  EXPECT_EQ(parse_ip_address("1.2.3.4")->v4(), 0x01020304U);
}

TEST(IpAddress, ZeroPaddedOctetsAreDecimal) {
  EXPECT_EQ(round_trip("010.001.000.099"), "10.1.0.99");
  EXPECT_EQ(round_trip("0010.1.1.1"), "refused");
}

TEST(IpAddress, WhatIsNoDottedAddressIsRefused) {
  for (const char* text : {"", ".", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.1.1.1", "1.2.3.999", "1..2.3",
                           " 1.2.3.4", "1.2.3.4 ", "1.2.3.4x", "-1.2.3.4", "1.2.3.4/24", "a.b.c.d", "1,2,3,4"}) {
    EXPECT_EQ(round_trip(text), "refused") << text;
  }
}

TEST(IpAddress, PortsAreCutOff) {
  EXPECT_EQ(round_trip("203.0.113.7:443"), "203.0.113.7");
  EXPECT_EQ(round_trip("[2001:db8::1]:65535"), "2001:db8::1");
  EXPECT_EQ(round_trip("[2001:db8::1]"), "2001:db8::1");
  for (const char* text : {"203.0.113.7:", "203.0.113.7:65536", "203.0.113.7:a", "[2001:db8::1]:", "[2001:db8::1]x",
                           "[2001:db8::1", "[]", "[203.0.113.7]", "203.0.113.7:000443"}) {
    EXPECT_EQ(round_trip(text), "refused") << text;
  }
}

TEST(IpAddress, EverySpellingOfAnIpv6AddressGivesItsRfc5952Form) {
  EXPECT_EQ(round_trip("2001:0db8:0000:0000:0000:ff00:0042:8329"), "2001:db8::ff00:42:8329");
  EXPECT_EQ(round_trip("2001:DB8::A"), "2001:db8::a");
  EXPECT_EQ(round_trip("::"), "::");
  EXPECT_EQ(round_trip("::1"), "::1");
  EXPECT_EQ(round_trip("2001:db8::"), "2001:db8::");
  EXPECT_EQ(round_trip("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(round_trip("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(round_trip("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(round_trip("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(round_trip("64:ff9b::203.0.113.7"), "64:ff9b::cb00:7107");
}

TEST(IpAddress, MappedAddressesAreIpv4) {
  EXPECT_EQ(round_trip("::ffff:203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(round_trip("::FFFF:cb00:7107"), "203.0.113.7");
  EXPECT_EQ(round_trip("0000:0000:0000:0000:0000:ffff:203.0.113.7"), "203.0.113.7");
  EXPECT_EQ(parse_ip_address("::ffff:203.0.113.7"), parse_ip_address("203.0.113.7"));
}

TEST(IpAddress, WhatIsNoIpv6AddressIsRefused) {
  for (const char* text : {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::",
                           "g::", "fe80::1%eth0", "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "::1.2.3.4:5",
                           ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "2001:db8::/32", "1:2:3:4:5:6:7:1.2.3.4"}) {
    EXPECT_EQ(round_trip(text), "refused") << text;
  }
}

TEST(IpPrefix, HostBitsAreCleared) {
  EXPECT_EQ(prefix_round_trip("203.0.113.77/24"), "203.0.113.0/24");
  EXPECT_EQ(prefix_round_trip("203.0.113.77"), "203.0.113.77/32");
  EXPECT_EQ(prefix_round_trip("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(prefix_round_trip("2001:db8:ffff::1/33"), "2001:db8:8000::/33");
  EXPECT_EQ(prefix_round_trip("2001:db8::ffff/120"), "2001:db8::ff00/120");
  EXPECT_EQ(prefix_round_trip("2001:db8::1/64"), "2001:db8::/64");
  EXPECT_EQ(prefix_round_trip("2001:db8::1"), "2001:db8::1/128");
  EXPECT_EQ(prefix_round_trip("::/0"), "::/0");
  EXPECT_EQ(parse_ip_prefix("10.0.0.0/8")->length_bits, 104);
}

TEST(IpPrefix, MappedPrefixesCountAllBits) {
  EXPECT_EQ(prefix_round_trip("::ffff:203.0.113.0/120"), "203.0.113.0/24");
  EXPECT_EQ(prefix_round_trip("::ffff:0:0/90"), "::ffc0:0:0/90");
}

TEST(IpPrefix, WhatIsNoPrefixIsRefused) {
  for (const char* text : {"203.0.113.0/33", "203.0.113.0/", "203.0.113.0/-1", "203.0.113.0/24/1", "203.0.113.0:80/24",
                           "2001:db8::/129", "[2001:db8::]/32", "/24", "203.0.113.0/0024", "203.0.113.0/a"}) {
    EXPECT_EQ(prefix_round_trip(text), "refused") << text;
  }
}

TEST(IpPrefix, ContainsItsFirstAndLastAddressAndNoNeighbour) {
  const IpPrefix prefix = *parse_ip_prefix("203.0.113.64/26");
  EXPECT_TRUE(contains(prefix, *parse_ip_address("203.0.113.64")));
  EXPECT_TRUE(contains(prefix, *parse_ip_address("203.0.113.127")));
  EXPECT_FALSE(contains(prefix, *parse_ip_address("203.0.113.63")));
  EXPECT_FALSE(contains(prefix, *parse_ip_address("203.0.113.128")));
  EXPECT_FALSE(contains(prefix, IpAddress{}));
  EXPECT_TRUE(contains(*parse_ip_prefix("2001:db8::/32"), *parse_ip_address("2001:db8:ffff::")));
  EXPECT_FALSE(contains(*parse_ip_prefix("2001:db8::/32"), *parse_ip_address("2001:db9::")));
}

TEST(IpAddress, SpecialPurposeBlocksAreNotGlobal) {
  for (const char* text : {"0.1.2.3",   "10.0.0.1",        "100.64.0.1",      "100.127.255.255",
                           "127.0.0.1", "169.254.169.254", "172.16.0.1",      "172.31.255.255",
                           "192.0.0.1", "192.168.1.1",     "198.18.0.1",      "198.19.255.255",
                           "224.0.0.1", "240.0.0.1",       "255.255.255.255", "::",
                           "::1",       "::ffff:10.0.0.1", "64:ff9b:1::1",    "64:ff9b::10.0.0.1",
                           "100::1",    "2001::1",         "2001:2::1",       "3fff::1",
                           "5f00::1",   "fc00::1",         "fd12::1",         "fe80::1",
                           "ff02::1",   "::1.2.3.4"}) {
    EXPECT_FALSE(is_global(*parse_ip_address(text))) << text;
  }
  EXPECT_FALSE(is_global(IpAddress{}));
}

TEST(IpAddress, TheRestIsGlobalAndSoAreDocumentationBlocks) {
  for (const char* text :
       {"1.1.1.1",     "100.63.255.255",  "100.128.0.0",      "172.15.255.255", "172.32.0.0",   "192.0.0.9",
        "192.0.0.10",  "192.0.1.1",       "192.0.2.1",        "198.17.255.255", "198.20.0.0",   "198.51.100.1",
        "203.0.113.1", "223.255.255.255", "168.63.129.16",    "2001:db8::1",    "2603:1000::1", "2001:200::1",
        "2001:1::1",   "2001:20::1",      "64:ff9b::1.1.1.1", "2a00::1"}) {
    EXPECT_TRUE(is_global(*parse_ip_address(text))) << text;
  }
}

TEST(IpPrefix, ANeighbourhoodIsTheSameForAllOfItsAddresses) {
  for (const char* text : {"203.0.113.0", "203.0.113.77", "::ffff:203.0.113.255"}) {
    EXPECT_EQ(to_string(network_of(*parse_ip_address(text))), "203.0.113.0/24") << text;
  }
  for (const char* text : {"2603:1000:7::", "2603:1000:7::1", "2603:1000:7:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(to_string(network_of(*parse_ip_address(text))), "2603:1000:7::/48") << text;
  }
}

TEST(IpPrefix, IsGlobalOnlyWhereAllOfItIs) {
  for (const char* text : {"203.0.113.0/24", "8.0.0.0/8", "192.0.0.9/32", "2603:1000::/24", "2001:db8::/32",
                           "64:ff9b::1.0.0.0/104", "2001:20::/28"}) {
    EXPECT_TRUE(is_global(*parse_ip_prefix(text))) << text;
  }
  for (const char* text : {"0.0.0.0/0", "10.1.0.0/16", "8.0.0.0/6", "128.0.0.0/1", "192.0.0.8/31", "198.16.0.0/14",
                           "2000::/3", "2001::/16", "::/0", "64:ff9b::8.0.0.0/102", "fc00::/7"}) {
    EXPECT_FALSE(is_global(*parse_ip_prefix(text))) << text;
  }
}

}  // namespace
}  // namespace keyvigil
