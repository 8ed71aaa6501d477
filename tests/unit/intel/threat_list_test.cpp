#include "intel/threat_list.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace keyvigil {
namespace {

ThreatList parse(std::string_view content, const ListOptions& options = {}) {
  Result<ThreatList> list = parse_threat_list("feeds/list.dat", content, options);
  EXPECT_TRUE(list.has_value()) << list.error().message;
  return list ? std::move(*list) : ThreatList{};
}

std::string error_of(std::string_view content) {
  const Result<ThreatList> list = parse_threat_list("feeds/list.dat", content, {});
  return list ? "no error" : list.error().message;
}

// "prefix@line label" of each entry.
std::vector<std::string> entries(const ThreatList& list) {
  std::vector<std::string> out;
  for (const ListEntry& entry : list.entries) {
    std::string text = to_string(entry.prefix) + '@' + std::to_string(entry.line);
    if (entry.label != 0) { text += ' ' + list.labels[entry.label]; }
    out.push_back(text);
  }
  return out;
}

std::uint64_t refused(const ThreatList& list, ListRefusal cause) {
  return list.refused[static_cast<std::size_t>(cause)];
}

bool has_warning(const ThreatList& list, std::string_view part) {
  for (const std::string& warning : list.warnings) {
    if (warning.find(part) != std::string::npos) { return true; }
  }
  return false;
}

using Texts = std::vector<std::string>;

TEST(ThreatList, PlainLinesMayBeAddressesCidrsPaddedMappedOrWithPorts) {
  const ThreatList list = parse(
      "\xef\xbb\xbf# a list\r\n203.0.113.7\r\n\r\n  198.51.100.0/24  \r\n2001:0db8:0000:0000:0000:0000:0000:0001\r\n"
      "::ffff:203.0.113.8\r\n203.0.113.9:443\r\n[2001:db8::2]:443\r\n010.000.000.001\r\ncontoso.com\r\n"
      "203.0.113.10 # seen twice\r\n203.0.113.11");
  EXPECT_EQ(list.format, ListFormat::kPlain);
  EXPECT_EQ(entries(list),
            (Texts{"203.0.113.7/32@2", "198.51.100.0/24@4", "2001:db8::1/128@5", "203.0.113.8/32@6", "203.0.113.9/32@7",
                   "2001:db8::2/128@8", "203.0.113.10/32@11 seen twice", "203.0.113.11/32@12"}));
  EXPECT_EQ(refused(list, ListRefusal::kNotGlobal), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  ASSERT_EQ(list.samples.size(), 2U);
  EXPECT_EQ(list.samples[1].line, 10U);
  EXPECT_EQ(list.samples[1].found, "contoso.com");
  EXPECT_EQ(list.name, "list.dat");
  EXPECT_EQ(list.digest.size(), 32U);
}

TEST(ThreatList, AListMayStartWithABracketedIpv6Address) {
  EXPECT_EQ(entries(parse("[2001:db8::1]:443\n[2001:db8::2]\n")), (Texts{"2001:db8::1/128@1", "2001:db8::2/128@2"}));
}

TEST(ThreatList, FireholHeaderIsNamedDatedAndChecked) {
  const std::string header =
      "#\n# contoso_level1\n#\n# ipv4 hash:net ipset\n#\n# Maintainer      : Contoso\n"
      "# This File Date  : Fri Nov 13 17:18:59 UTC 2015\n# Entries         : 3 subnets, 16777473 unique IPs\n#\n";
  const ThreatList whole = parse(header + "10.0.0.0/8\n198.51.100.0/24\n203.0.113.7\n");
  EXPECT_EQ(whole.name, "contoso_level1");
  EXPECT_EQ(whole.date, "2015-11-13T17:18:59.000Z");
  EXPECT_EQ(entries(whole), (Texts{"198.51.100.0/24@11", "203.0.113.7/32@12"}));
  EXPECT_EQ(refused(whole, ListRefusal::kNotGlobal), 1U);
  EXPECT_TRUE(whole.warnings.empty());

  const ThreatList cut = parse(header + "10.0.0.0/8\n198.51.100.0/24\n");
  EXPECT_TRUE(has_warning(cut, "header promises 3 entries, file has 2"));
  EXPECT_TRUE(has_warning(cut, "header promises 16,777,473 addresses, file has 16,777,472"));
}

TEST(ThreatList, NonGlobalSpaceIsTakenOnlyWhenForced) {
  ListOptions forced;
  forced.allow_non_global = true;
  EXPECT_EQ(entries(parse("10.0.0.0/8\n0.0.0.0/0\n", forced)).size(), 2U);
  const ThreatList list = parse("10.0.0.0/8\n0.0.0.0/0\nfe80::/10\n");
  EXPECT_EQ(refused(list, ListRefusal::kNotGlobal), 3U);
  EXPECT_TRUE(has_warning(list, "all were refused"));
}

TEST(ThreatList, IpsumCountsBecomeLabelAndConfidence) {
  const std::string text =
      "# IPsum Threat Intelligence Feed\n# (https://example.org/ipsum)\n#\n"
      "# Last update: Sat, 22 Aug 2026 03:00:29 +0200\n#\n# IP\tnumber of (black)lists\n#\n"
      "203.0.113.7\t10\n203.0.113.8\t3\n203.0.113.9\n203.0.113.10\t99\n";
  const ThreatList list = parse(text);
  EXPECT_EQ(list.format, ListFormat::kIpsum);
  EXPECT_EQ(list.name, "IPsum Threat Intelligence Feed");
  EXPECT_EQ(list.date, "2026-08-22T01:00:29.000Z");
  EXPECT_EQ(entries(list),
            (Texts{"203.0.113.7/32@8 on 10 lists", "203.0.113.8/32@9 on 3 lists", "203.0.113.10/32@11 on 99 lists"}));
  EXPECT_EQ(list.entries[0].confidence, 100);
  EXPECT_EQ(list.entries[1].confidence, 30);
  EXPECT_EQ(list.entries[2].confidence, 100);
  EXPECT_EQ(refused(list, ListRefusal::kOther), 1U);
  ListOptions sure;
  sure.minimum_confidence = 50;
  EXPECT_EQ(refused(parse(text, sure), ListRefusal::kLowConfidence), 1U);
}

TEST(ThreatList, DropTextGivesItsListingNumber) {
  const ThreatList list = parse(
      "; Spamhaus DROP List 2026/08/22 - (c) 2026\n; Last-Modified: Sat, 22 Aug 2026 08:33:46 GMT\n"
      "; Expires: Sat, 22 Aug 2026 16:01:19 GMT\n198.51.100.0/24 ; SBL100001\n203.0.113.0/25 ; SBL100002\n");
  EXPECT_EQ(list.format, ListFormat::kPlain);
  EXPECT_EQ(list.name, "Spamhaus DROP List 2026/08/22");
  EXPECT_EQ(list.date, "2026-08-22T08:33:46.000Z");
  EXPECT_EQ(entries(list), (Texts{"198.51.100.0/24@4 SBL100001", "203.0.113.0/25@5 SBL100002"}));
}

TEST(ThreatList, DropJsonLinesAreCheckedAgainstTheirMetadata) {
  const std::string rows =
      "{\"cidr\":\"198.51.100.0/24\",\"sblid\":\"SBL100001\",\"rir\":\"arin\"}\n"
      "{\"cidr\":\"2001:db8::/32\",\"sblid\":\"SBL100002\",\"rir\":\"arin\"}\n{\"asn\":64500}\n{broken\n";
  const std::string metadata = "{\"type\":\"metadata\",\"timestamp\":1784798042,\"size\":100,\"records\":";
  const ThreatList list = parse(rows + metadata + "2}\n");
  EXPECT_EQ(list.format, ListFormat::kSpamhausDropJson);
  EXPECT_EQ(list.date, "2026-07-23T09:14:02.000Z");
  EXPECT_EQ(entries(list), (Texts{"198.51.100.0/24@1 SBL100001", "2001:db8::/32@2 SBL100002"}));
  EXPECT_EQ(refused(list, ListRefusal::kOther), 2U);
  EXPECT_TRUE(list.warnings.empty());
  EXPECT_TRUE(has_warning(parse(rows + metadata + "1670}"), "promises 1,670 records, file has 2"));
  EXPECT_TRUE(has_warning(parse(rows), "metadata row is missing"));
}

TEST(ThreatList, FeodoHeaderIsNoEntryAndTheFooterIsChecked) {
  const std::string text =
      "################\n# abuse.ch Contoso Blocklist (CSV)          #\n# Last updated: 2026-04-04 07:03:03 UTC #\n#\n"
      "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
      "\"2026-05-23 17:51:44\",\"203.0.113.7\",\"1194\",\"online\",\"2026-04-01\",\"Pikabot\"\n"
      "\"2026-05-23 17:51:44\",\"203.0.113.8\",\"5000\",\"offline\",\"2026-03-11\",\"Emo, \"\"tet\"\"\"\n"
      "\"2026-05-23 17:51:44\",\"contoso.com\",\"5000\",\"online\",\"2026-03-11\",\"X\"\n";
  const ThreatList list = parse(text + "# END 3 entries");
  EXPECT_EQ(list.format, ListFormat::kFeodoCsv);
  EXPECT_EQ(list.name, "abuse.ch Contoso Blocklist (CSV)");
  EXPECT_EQ(list.date, "2026-04-04T07:03:03.000Z");
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32@6 Pikabot", "203.0.113.8/32@7 Emo, \"tet\""}));
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_TRUE(has_warning(list, "1 of 3 servers are marked offline"));
  EXPECT_FALSE(has_warning(list, "promises"));
  EXPECT_TRUE(has_warning(parse(text + "# END 28 entries"), "footer promises 28 entries, file has 3"));
  EXPECT_TRUE(has_warning(parse(text), "footer \"# END n entries\" is missing"));
}

constexpr std::string_view kNode = "ExitNode 00000000000000000000000000000000000000AA\n";

TEST(ThreatList, ExitAddressesMayHaveSeveralAddressesANode) {
  const ThreatList list =
      parse(std::string(kNode) +
            "Published 2026-10-31 20:46:24\nLastStatus 2026-10-31 21:02:25\n"
            "ExitAddress 203.0.113.7 2026-10-31 03:05:38\nExitAddress 203.0.113.8 2026-10-31 21:05:15\n"
            "ExitAddress 203.0.113.9 yesterday\nExitAddress contoso 2026-10-31 21:05:15\nBandwidth 7\n");
  EXPECT_EQ(list.format, ListFormat::kTorExitAddresses);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32@4 00000000000000000000000000000000000000AA",
                                  "203.0.113.8/32@5 00000000000000000000000000000000000000AA"}));
  EXPECT_EQ(list.date, "2026-10-31T21:05:15.000Z");
  EXPECT_EQ(refused(list, ListRefusal::kOther), 2U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_TRUE(is_valid_at(list.entries[0], parse_iso_time("2020-01-01").value()));
}

TEST(ThreatList, OneArchivedSnapshotHoldsAtAnyTime) {
  const ThreatList list = parse(
      "@type tordnsel 1.0\nDownloaded 2026-11-01 00:02:01\n" + std::string(kNode) +
      "Published 2026-10-31 05:08:21\nLastStatus 2026-10-31 06:02:24\nExitAddress 203.0.113.7 2026-10-31 06:03:23\n");
  EXPECT_EQ(list.format, ListFormat::kTorExitAddresses);
  EXPECT_EQ(list.date, "2026-11-01T00:02:01.000Z");
  ASSERT_EQ(list.entries.size(), 1U);
  EXPECT_EQ(list.entries[0].valid_from.ticks, INT64_MIN);
}

TEST(ThreatList, SeveralSnapshotsAreAHistory) {
  const auto snapshot = [](std::string_view day, std::string_view address) {
    const std::string date(day);
    return "@type tordnsel 1.0\nDownloaded " + date + " 12:00:00\n" + std::string(kNode) + "ExitAddress " +
           std::string(address) + ' ' + date + " 06:00:00\n";
  };
  const ThreatList list = parse(snapshot("2026-10-01", "203.0.113.7") + snapshot("2026-10-02", "203.0.113.7") +
                                snapshot("2026-10-20", "203.0.113.7") + snapshot("2026-10-20", "203.0.113.8"));
  ASSERT_EQ(list.entries.size(), 3U);
  EXPECT_EQ(to_iso_milliseconds(list.entries[0].valid_from), "2026-09-30T06:00:00.000Z");
  EXPECT_EQ(to_iso_milliseconds(list.entries[0].valid_until), "2026-10-03T12:00:00.000Z");
  EXPECT_EQ(to_iso_milliseconds(list.entries[1].valid_from), "2026-10-19T06:00:00.000Z");
  EXPECT_EQ(to_string(list.entries[2].prefix), "203.0.113.8/32");
  EXPECT_TRUE(has_warning(list, "4 snapshots"));
}

TEST(ThreatList, MispAddressesComeFromAttributesAndObjects) {
  const ThreatList list = parse(R"({"Event":{"info":"Contoso case","date":"2026-12-21","Attribute":[
    {"type":"ip-src","value":"203.0.113.1","to_ids":true,"deleted":false,"uuid":"u-1"},
    {"type":"ip-dst","value":"203.0.113.2","to_ids":false},
    {"type":"ip-dst","value":"203.0.113.3","to_ids":true,"deleted":true},
    {"type":"ip-dst|port","value":"203.0.113.4|443","to_ids":"1"},
    {"type":"md5","value":"00","to_ids":true},
    {"type":"ip-dst","value":"10.0.0.1","to_ids":true}],
   "Object":[{"Attribute":[{"type":"domain|ip","value":"contoso.com|2001:db8::5","to_ids":true}]},
             {"deleted":true,"Attribute":[{"type":"ip-dst","value":"203.0.113.6","to_ids":true}]},
             {"Attribute":[{"type":"domain|ip","value":"contoso.com","to_ids":true},{"type":7},null]}]}})");
  EXPECT_EQ(list.format, ListFormat::kMispEvent);
  EXPECT_EQ(list.name, "Contoso case");
  EXPECT_EQ(list.date, "2026-12-21");
  EXPECT_EQ(entries(list), (Texts{"203.0.113.1/32@1 u-1", "203.0.113.4/32@4", "2001:db8::5/128@7"}));
  EXPECT_EQ(refused(list, ListRefusal::kNotForDetection), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 2U);
  EXPECT_EQ(refused(list, ListRefusal::kNotGlobal), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 4U);
}

TEST(ThreatList, MispConfidenceTagsAreHonoured) {
  ListOptions sure;
  sure.minimum_confidence = 50;
  const ThreatList list = parse(R"({"response":[{"Event":{"Tag":[{"name":"misp:confidence-level=\"rarely-confident\""}],
    "Attribute":[{"type":"ip-src","value":"203.0.113.1","to_ids":true},
    {"type":"ip-src","value":"203.0.113.2","to_ids":true,
     "Tag":[{"name":"misp:confidence-level=\"usually-confident\""}]}]}}]})",
                                sure);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.2/32@2"}));
  EXPECT_EQ(list.entries[0].confidence, 75);
  EXPECT_EQ(refused(list, ListRefusal::kLowConfidence), 1U);
}

TEST(ThreatList, WarninglistsOfCidrsAreReadAndTheirPurposeIsSaid) {
  const ThreatList list = parse(R"({"name":"Contoso ranges","version":5,"type":"cidr","description":"",)"
                                R"("list":["203.0.113.0/24","10.0.0.0/8",7]})");
  EXPECT_EQ(list.format, ListFormat::kMispWarninglist);
  EXPECT_EQ(list.name, "Contoso ranges, version 5");
  EXPECT_EQ(entries(list), (Texts{"203.0.113.0/24@1"}));
  EXPECT_TRUE(has_warning(list, "usually harmless"));
  const ThreatList strings = parse(R"({"name":"Ids","version":5,"type":"string","list":["203.0.113.7"]})");
  EXPECT_EQ(refused(strings, ListRefusal::kUnsupportedPattern), 1U);
  EXPECT_TRUE(has_warning(strings, "only type cidr"));
}

std::string indicator(std::string_view id, std::string_view pattern, std::string_view more = "") {
  return R"({"type":"indicator","id":"indicator--)" + std::string(id) + R"(","pattern_type":"stix","pattern":")" +
         std::string(pattern) + '"' + std::string(more) + '}';
}

std::string bundle(const std::string& objects) {
  return R"({"type":"bundle","id":"bundle--1","objects":[{"type":"identity","id":"identity--1"},)" + objects + "]}";
}

TEST(ThreatList, StixAddressListsAreTakenAndOtherPatternsRefused) {
  const ThreatList list = parse(
      bundle(indicator("1", "[ipv4-addr:value = '203.0.113.7/32' OR ipv6-addr:value ISSUBSET '2001:DB8::0/120']") +
             ',' + indicator("2", "[ipv4-addr:value = '203.0.113.8' AND file:name = 'x']") + ',' +
             indicator("3", "[ipv4-addr:value = '2001:db8::1' OR ipv4-addr:value = '10.0.0.1']") + ',' +
             indicator("4", "[ipv4-addr:value = '203.0.113.9']", R"(,"indicator_types":["benign"])")));
  EXPECT_EQ(list.format, ListFormat::kStixBundle);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32@2 indicator--1", "2001:db8::/120@2 indicator--1"}));
  EXPECT_EQ(refused(list, ListRefusal::kUnsupportedPattern), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotGlobal), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotForDetection), 1U);
}

TEST(ThreatList, StixValidityAndConfidenceAreKept) {
  ListOptions sure;
  sure.minimum_confidence = 60;
  const std::string pattern = "[ipv4-addr:value = '203.0.113.7']";
  const ThreatList list = parse(
      bundle(indicator("1", pattern,
                       R"(,"confidence":60,"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z")") +
             ',' + indicator("2", pattern, R"(,"confidence":59)") + ',' + indicator("3", pattern) + ',' +
             indicator("4", pattern, R"(,"confidence":101)") + ',' +
             indicator("5", pattern, R"(,"valid_until":"soon")") + ',' +
             indicator("6", pattern, R"(,"valid_from":"2026-02-01T00:00:00Z","valid_until":"2026-01-01T00:00:00Z")")),
      sure);
  ASSERT_EQ(list.entries.size(), 2U);
  EXPECT_EQ(list.entries[0].confidence, 60);
  EXPECT_EQ(list.entries[1].confidence, -1);
  EXPECT_TRUE(is_valid_at(list.entries[0], parse_iso_time("2026-01-31T23:59:59Z").value()));
  EXPECT_FALSE(is_valid_at(list.entries[0], parse_iso_time("2026-02-01T00:00:00Z").value()));
  EXPECT_FALSE(is_valid_at(list.entries[0], parse_iso_time("2025-12-31T23:59:59Z").value()));
  EXPECT_EQ(refused(list, ListRefusal::kLowConfidence), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kOther), 3U);
}

TEST(ThreatList, ANewerVersionOfAnIndicatorReplacesOrRevokesIt) {
  const auto version = [](std::string_view id, std::string_view address, std::string_view day, bool revoked) {
    return indicator(
        id, "[ipv4-addr:value = '" + std::string(address) + "']",
        ",\"modified\":\"2026-01-" + std::string(day) + "T00:00:00Z\"" + (revoked ? ",\"revoked\":true" : ""));
  };
  const ThreatList list =
      parse(bundle(version("1", "203.0.113.1", "02", true) + ',' + version("1", "203.0.113.1", "01", false) + ',' +
                   version("2", "203.0.113.2", "01", false) + ',' + version("2", "203.0.113.3", "03", false) + ',' +
                   version("3", "203.0.113.4", "01", false) + ',' + version("3", "203.0.113.4", "01", true)));
  EXPECT_EQ(entries(list), (Texts{"203.0.113.3/32@5 indicator--2"}));
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 5U);
  EXPECT_EQ(list.date, "2026-01-03T00:00:00.000Z");
}

TEST(ThreatList, ASingleIndicatorAnArrayAndATaxiiEnvelopeAreRead) {
  const std::string one = indicator("1", "[ipv4-addr:value IN ('203.0.113.7','203.0.113.8')]");
  EXPECT_EQ(parse(one).entries.size(), 2U);
  EXPECT_EQ(parse('[' + one + ']').entries.size(), 2U);
  EXPECT_EQ(parse(R"({"more":false,"objects":[)" + one + "]}").entries.size(), 2U);
}

TEST(ThreatList, ServiceTagsKeepTheTagOfEachPrefix) {
  const std::string text = R"({"changeNumber":363,"cloud":"Public","values":[
    {"name":"AzureCloud","id":"AzureCloud","properties":{"addressPrefixes":["203.0.113.0/24","2001:db8::/32"]}},
    {"name":"Storage.WestEurope","properties":{"addressPrefixes":["203.0.113.0/25",7]}},{"name":"Empty"}]})";
  ListOptions options;
  options.role = ListRole::kServiceTags;
  const ThreatList list = parse(text, options);
  EXPECT_EQ(list.format, ListFormat::kServiceTags);
  EXPECT_EQ(list.name, "Azure service tags Public, change 363");
  EXPECT_EQ(entries(list), (Texts{"203.0.113.0/24@1 AzureCloud", "2001:db8::/32@1 AzureCloud",
                                  "203.0.113.0/25@2 Storage.WestEurope"}));
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kOther), 1U);
  EXPECT_TRUE(list.warnings.empty());
  const ThreatList misnamed = parse(text);
  EXPECT_EQ(misnamed.role, ListRole::kServiceTags);
  EXPECT_TRUE(has_warning(misnamed, "not as a list of threats"));
}

TEST(ThreatList, WhatIsNoListSaysWhatWasExpectedAndFound) {
  EXPECT_NE(error_of("<html>\n<body>203.0.113.7</body>").find("feeds/list.dat:1: expected a Tor exit list"),
            std::string::npos);
  EXPECT_NE(error_of("<html>").find("found \"<html>\""), std::string::npos);
  EXPECT_NE(error_of("").find("an empty file"), std::string::npos);
  EXPECT_NE(error_of(" \n\n").find("an empty file"), std::string::npos);
  EXPECT_NE(error_of("\x1f\x8b\x08").find("gzip"), std::string::npos);
  EXPECT_NE(error_of("\xff\xfe"
                     "2")
                .find("UTF-16"),
            std::string::npos);
  EXPECT_NE(error_of(std::string_view("1.2.3.4\0", 8)).find("binary"), std::string::npos);
  EXPECT_NE(error_of("{\"a\":1,\"b\":2}").find("keys a, b"), std::string::npos);
  EXPECT_NE(error_of("{\n\"a\":\n}").find("broken JSON at line 3"), std::string::npos);
  EXPECT_NE(error_of("{\"a\":1e999}").find("JSON"), std::string::npos);
  EXPECT_NE(error_of("{\"a\":\"\xff\"}").find("broken JSON"), std::string::npos);
  EXPECT_NE(error_of("[]").find("a JSON array"), std::string::npos);
}

TEST(ThreatList, DeepNestingIsRefusedWithoutACrash) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_NE(error_of(deep).find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of("{\"a\":" + deep + "}").find("nested deeper"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) { objects += "{\"objects\":"; }
  EXPECT_NE(error_of(objects).find("nested deeper"), std::string::npos);
}

TEST(ThreatList, MoreEntriesThanTheLimitIsAnError) {
  ListOptions options;
  options.entries_limit = 2;
  const Result<ThreatList> list = parse_threat_list("list", "203.0.113.1\n203.0.113.2\n203.0.113.3\n", options);
  ASSERT_FALSE(list.has_value());
  EXPECT_EQ(list.error().kind, ErrorKind::kLimit);
}

TEST(ThreatList, CommentsAloneAreAnEmptyList) {
  const ThreatList list = parse("# nothing today\n");
  EXPECT_TRUE(list.entries.empty());
  EXPECT_TRUE(has_warning(list, "the list is empty"));
}

TEST(ThreatList, SamplesAreFewShortAndPrintable) {
  std::string text = "203.0.113.7\n";
  for (int i = 0; i < 100; ++i) { text += "\x1b[31m" + std::string(500, 'x') + '\n'; }
  const ThreatList list = parse(text);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 100U);
  ASSERT_EQ(list.samples.size(), 20U);
  EXPECT_LE(list.samples[0].found.size(), 80U);
  EXPECT_TRUE(list.samples[0].found.starts_with("\\x1b[31mxxx"));
}

TEST(ThreatList, CoverageCountsOverlapsOnce) {
  std::vector<IpPrefix> prefixes;
  for (const char* text : {"203.0.113.0/24", "203.0.113.7/32", "198.51.100.0/31", "2001:db8::1/128", "2001:db8::2/128",
                           "2001:db8:1::/48"}) {
    prefixes.push_back(parse_ip_prefix(text).value());
  }
  const ListCoverage coverage = coverage_of(prefixes);
  EXPECT_EQ(coverage.v4_prefixes, 3U);
  EXPECT_EQ(coverage.v6_prefixes, 3U);
  EXPECT_EQ(coverage.v4_addresses, 258U);
  EXPECT_EQ(coverage.v6_networks, 1U + 65536U);
}

struct Sample {
  const char* file;
  ListFormat format;
  std::size_t entries;
  std::uint64_t refused;
  const char* date;
};

TEST(ThreatList, PublishedSamplesGiveExactlyWhatTheyHold) {
  const char* shared = std::getenv("KEYVIGIL_SHARED");
  if (shared == nullptr) { GTEST_SKIP() << "KEYVIGIL_SHARED names no folder with the published samples"; }
  const Sample samples[] = {
      {"ipsum.head.txt", ListFormat::kIpsum, 33, 0, "2026-08-22T01:00:29.000Z"},
      {"ipsum.level6.txt", ListFormat::kPlain, 318, 0, ""},
      {"spamhaus_drop.legacy.txt", ListFormat::kPlain, 2, 0, "2016-08-16T08:33:46.000Z"},
      {"spamhaus_drop_v4.2026-07.ndjson", ListFormat::kSpamhausDropJson, 1670, 0, "2026-07-23T09:14:02.000Z"},
      {"tor-collector-exit-list.2018-11.head.txt", ListFormat::kTorExitAddresses, 60, 0, "2018-11-01T00:02:01.000Z"},
      {"tor-exit-addresses.2024-03-12.head.txt", ListFormat::kTorExitAddresses, 100, 0, "2024-03-12T14:26:33.000Z"},
      {"tor-multi-exitaddress.txt", ListFormat::kTorExitAddresses, 4, 0, "2018-10-31T21:05:15.000Z"},
      {"tor-exit-nodes.SecOps-Institute.lst", ListFormat::kPlain, 1746, 0, ""},
      {"firehol_level1.head.netset", ListFormat::kPlain, 12, 2, "2015-11-13T17:18:59.000Z"},
      {"feodo_ipblocklist.2024-04.csv", ListFormat::kFeodoCsv, 28, 0, "2024-04-04T07:03:03.000Z"},
      {"ServiceTags_Public.trimmed.json", ListFormat::kServiceTags, 87, 0, ""},
      {"misp-event.trimmed.json", ListFormat::kMispEvent, 1, 2, "2017-12-21"},
      {"misp-warninglist.microsoft-azure-appid.json", ListFormat::kMispWarninglist, 0, 4, ""},
      {"misp-warninglist.rfc1918.json", ListFormat::kMispWarninglist, 0, 3, ""},
      {"stix21/tc-3.7.3.1-indicator-ipv4-address.json", ListFormat::kStixBundle, 1, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.2-indicator-ipv4-address-cidr.json", ListFormat::kStixBundle, 1, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.3-indicator-two-ipv4-cidrs.json", ListFormat::kStixBundle, 2, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.4-indicator-ipv6-address.json", ListFormat::kStixBundle, 1, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.5-indicator-ipv6-cidr.json", ListFormat::kStixBundle, 1, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.6-multiple-indicators.json", ListFormat::kStixBundle, 3, 0, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.9-indicator-url-or-fqdn.json", ListFormat::kStixBundle, 0, 1, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.7.3.10-indicator-file-hash.json", ListFormat::kStixBundle, 0, 1, "2018-01-17T11:11:13.000Z"},
      {"stix21/tc-3.20.7.1-modification-of-indicator.json", ListFormat::kStixBundle, 1, 0, "2018-01-18T13:04:22.000Z"},
      {"stix21/tc-3.20.11.1-revocation-of-indicator.json", ListFormat::kStixBundle, 0, 1, "2018-01-19T13:04:22.000Z"},
      {"stix21/oasis-indicator-for-c2-ip-address.json", ListFormat::kStixBundle, 0, 1, "2014-05-08T09:00:00.000Z"},
  };
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.file);
    std::ifstream file(std::string(shared) + "/samples/ti/" + sample.file, std::ios::binary);
    ASSERT_TRUE(file.is_open());
    std::stringstream content;
    content << file.rdbuf();
    const ThreatList list = parse(content.str());
    EXPECT_EQ(list.format, sample.format);
    EXPECT_EQ(list.entries.size(), sample.entries);
    std::uint64_t refused_total = 0;
    for (const std::uint64_t count : list.refused) { refused_total += count; }
    EXPECT_EQ(refused_total, sample.refused);
    EXPECT_EQ(list.date, sample.date);
  }
}

}  // namespace
}  // namespace keyvigil
