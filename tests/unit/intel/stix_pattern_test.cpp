#include "intel/stix_pattern.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

std::string read(std::string_view pattern) {
  const auto addresses = parse_stix_addresses(pattern);
  if (!addresses) { return "refused"; }
  std::string out;
  for (const StixAddress& address : *addresses) { out += (address.v6 ? "6:" : "4:") + address.text + ' '; }
  return out;
}

TEST(StixPattern, PureAddressListsAreTaken) {
  EXPECT_EQ(read("[ipv4-addr:value = '198.51.100.1']"), "4:198.51.100.1 ");
  EXPECT_EQ(read("[ ipv4-addr:value='198.51.100.1/32' ]"), "4:198.51.100.1/32 ");
  EXPECT_EQ(read("[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv6-addr:value = '2001:db8::1']"),
            "4:198.51.100.0/24 6:2001:db8::1 ");
  EXPECT_EQ(read("[ipv4-addr:value IN ('198.51.100.1','198.51.100.2')]"), "4:198.51.100.1 4:198.51.100.2 ");
  EXPECT_EQ(read("[ipv4-addr:value = 'a'] OR ([ipv4-addr:value = 'b'] OR [(ipv4-addr:value = 'c')])"), "4:a 4:b 4:c ");
  EXPECT_EQ(read("[ipv4-addr:value = 'it\\'s \\\\']"), "4:it's \\ ");
}

TEST(StixPattern, WhatOneAddressCannotDecideIsRefused) {
  for (const char* pattern :
       {"",
        "[",
        "[]",
        "ipv4-addr:value = '198.51.100.1'",
        "[ipv4-addr:value = '198.51.100.1'",
        "[ipv4-addr:value = '198.51.100.1'] START t'2014-06-01T00:00:00Z' STOP t'2014-07-01T00:00:00Z'",
        "[ipv4-addr:value = '198.51.100.1'] WITHIN 300 SECONDS",
        "[ipv4-addr:value = '198.51.100.1'] REPEATS 5 TIMES",
        "[ipv4-addr:value = '198.51.100.1' AND ipv4-addr:value = '198.51.100.2']",
        "[ipv4-addr:value = '198.51.100.1'] AND [ipv4-addr:value = '198.51.100.2']",
        "[ipv4-addr:value = '198.51.100.1'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.2']",
        "[ipv4-addr:value = '198.51.100.1' OR domain-name:value = 'contoso.com']",
        "[ipv4-addr:value != '198.51.100.1']",
        "[ipv4-addr:value NOT = '198.51.100.1']",
        "[ipv4-addr:value NOT IN ('198.51.100.1')]",
        "[NOT ipv4-addr:value = '198.51.100.1']",
        "[ipv4-addr:value ISSUPERSET '198.51.100.1']",
        "[ipv4-addr:value LIKE '198.51.100.%']",
        "[ipv4-addr:value MATCHES '198.*']",
        "[ipv4-addr:value > '198.51.100.1']",
        "[ipv4-addr:value = '198.51.100.1]",
        "[ipv4-addr:value = 'a\\",
        "[ipv4-addr:value IN ()]",
        "[ipv4-addr:value IN ('a',)]",
        "[network-traffic:dst_ref.value = '198.51.100.1']",
        "[ipv4-addr:resolves_to_refs[*].value = '198.51.100.1']",
        "[ipv4-addr:value = 198]"}) {
    EXPECT_EQ(read(pattern), "refused") << pattern;
  }
}

TEST(StixPattern, DeepNestingIsRefusedWithoutACrash) {
  EXPECT_EQ(read(std::string(100'000, '(') + "[ipv4-addr:value = 'a']" + std::string(100'000, ')')), "refused");
  EXPECT_EQ(read("[" + std::string(100'000, '(')), "refused");
}

}  // namespace
}  // namespace keyvigil
