#include "intel/column_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intel/threat_list.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

ThreatList parse(std::string_view content) {
  Result<ThreatList> list = parse_threat_list("feeds/list.dat", content, {});
  EXPECT_TRUE(list.has_value()) << list.error().message;
  return list ? std::move(*list) : ThreatList{};
}

// "prefix@line label confidence" of each entry.
Texts entries(const ThreatList& list) {
  Texts out;
  for (const ListEntry& entry : list.entries) {
    out.push_back(to_string(entry.prefix) + '@' + std::to_string(entry.line) + " '" + list.labels[entry.label] + "' " +
                  std::to_string(entry.confidence));
  }
  return out;
}

TEST(ColumnTable, FindsItsHeaderInACommentAndCellsByName) {
  ColumnTable table("# made up\n#\n# \"First seen [UTC]\", \"Key\",other\n\"a\", \"b\"\"c\", d\n\nx,\"y", "key");
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.number(), 4U);
  EXPECT_TRUE(table.is_readable());
  EXPECT_EQ(table.cell("firstseen"), "a");
  EXPECT_EQ(table.cell("key"), "b\"c");
  EXPECT_EQ(table.cell("other"), "d");
  EXPECT_EQ(table.cell("nothing"), "");
  ASSERT_TRUE(table.next());
  EXPECT_FALSE(table.is_readable());
  EXPECT_EQ(table.cell("key"), "");
  EXPECT_FALSE(table.next());
}

TEST(ColumnTable, JoinsLinesOfAQuotedCell) {
  ColumnTable table("key,text\n1,\"one\ntwo, \nthree\"\n2,plain\n", "key");
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.cell("text"), "one\ntwo, \nthree");
  ASSERT_TRUE(table.next());
  EXPECT_EQ(table.number(), 5U);
  EXPECT_EQ(table.cell("key"), "2");
}

TEST(ColumnTable, QuotesThatAreNeverClosedEndWithTheText) {
  ColumnTable table("key,text\n1,\"one\n\n \n", "key");
  ASSERT_TRUE(table.next());
  EXPECT_FALSE(table.is_readable());
  EXPECT_FALSE(table.next());
}

TEST(ColumnTable, WithoutItsHeaderSaysWhatStandsThere) {
  ColumnTable table("# nothing\nfoo,bar\n", "key");
  EXPECT_FALSE(table.next());
  EXPECT_FALSE(table.has_header());
  EXPECT_EQ(table.misfit().number, 2U);
}

TEST(ColumnLists, ThreatfoxHasItsHeaderInACommentAndAddressesWithPorts) {
  const ThreatList list = parse(
      "################\n# ThreatFox IOCs: recent - CSV format\n# Last updated: 2026-09-02 10:00:00 UTC\n#\n"
      "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\","
      "\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"reference\"\n"
      "\"2026-09-01 10:00:00\", \"1\", \"203.0.113.7:443\", \"ip:port\", \"botnet_cc\", \"win.cs\", \"None\", "
      "\"Cobalt Strike\", \"\", \"100\", \"None\"\n"
      "\"2026-09-01 11:00:00\", \"2\", \"bad.example\", \"domain\", \"botnet_cc\", \"win.x\", \"None\", \"X\", \"\", "
      "\"50\", \"None\"\n\"2026-09-01\", \"3\", \"203.0.113.8:1\", \"ip:port\", \"payload\", \"\", \"\", \"\", \"\", "
      "\"often\", \"\"\n# Number of entries: 3\n");
  EXPECT_EQ(list.format, ListFormat::kThreatFox);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32@6 'Cobalt Strike' 100", "203.0.113.8/32@8 'payload' -1"}));
  EXPECT_EQ(list.date, "2026-09-02T10:00:00.000Z");
  EXPECT_EQ(list.refused[static_cast<std::size_t>(ListRefusal::kNotAnAddress)], 1U);
}

TEST(ColumnLists, SslblIsReadByItsColumns) {
  const ThreatList list = parse(
      "#####\n# abuse.ch SSLBL Botnet C2 IP Blacklist (CSV) #\n# Last updated: 2026-09-05 08:19:03 UTC #\n#####\n#\n"
      "# Firstseen,DstIP,DstPort\n2026-09-05 08:10:32,203.0.113.7,443\n2026-09-05 08:10:33,203.0.113.300,443\n");
  EXPECT_EQ(list.format, ListFormat::kSslblCsv);
  EXPECT_EQ(entries(list), Texts{"203.0.113.7/32@7 'botnet server' -1"});
  EXPECT_EQ(list.date, "2026-09-05T08:19:03.000Z");
}

TEST(DshieldLists, TheBlockListGivesNetworks) {
  const ThreatList list = parse(
      "#\n#   DShield.org Recommended Block List\n#   updated: Sat Sep 26 08:00:01 2026 UTC\n#\n"
      "Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n203.0.113.0\t203.0.113.255\t24\t1234\tEXAMPLE\tUS\tx@"
      "example.com\n"
      "198.051.100.000\t198.051.100.255\t24\t7\t\t\t\n203.0.113.0\t203.0.113.255\tall\n");
  EXPECT_EQ(list.format, ListFormat::kDshieldBlock);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.0/24@6 '1234 attacks, EXAMPLE' -1", "198.51.100.0/24@7 '7 attacks' -1"}));
  EXPECT_EQ(list.refused[static_cast<std::size_t>(ListRefusal::kOther)], 1U);
}

}  // namespace
}  // namespace keyvigil
