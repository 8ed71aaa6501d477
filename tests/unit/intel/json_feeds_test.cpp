#include "intel/json_feeds.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intel/threat_list.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

ThreatList parse(std::string_view content, ListRole role = ListRole::kSuspicious) {
  ListOptions options;
  options.role = role;
  Result<ThreatList> list = parse_threat_list("feeds/list.dat", content, options);
  EXPECT_TRUE(list.has_value()) << list.error().message;
  return list ? std::move(*list) : ThreatList{};
}

// "prefix label confidence" of each entry.
Texts entries(const ThreatList& list) {
  Texts out;
  for (const ListEntry& entry : list.entries) {
    out.push_back(to_string(entry.prefix) + " '" + list.labels[entry.label] + "' " + std::to_string(entry.confidence));
  }
  return out;
}

std::uint64_t refused(const ThreatList& list, ListRefusal cause) {
  return list.refused[static_cast<std::size_t>(cause)];
}

TEST(JsonFeeds, FeodoGivesTheMalwareOfEachAddress) {
  const ThreatList list =
      parse(R"([{"ip_address":"203.0.113.7","port":443,"status":"online","hostname":null,"as_number":64500,)"
            R"("country":"US","first_seen":"2026-01-01 00:00:00","last_online":"2026-09-01","malware":"QakBot"},)"
            R"({"ip_address":"198.51.100.9","port":80,"status":"offline","first_seen":"2026-09-03 10:00:00",)"
            R"("last_online":null,"malware":"Emotet"},{"ip_address":"nowhere","malware":"x"},{"malware":"x"},7])");
  EXPECT_EQ(list.format, ListFormat::kFeodoJson);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'QakBot' -1", "198.51.100.9/32 'Emotet' -1"}));
  EXPECT_EQ(list.date, "2026-09-03T10:00:00.000Z");
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 3U);
  EXPECT_EQ(list.warnings.size(), 1U);
}

TEST(JsonFeeds, AbuseIpdbGivesItsScoreAsConfidence) {
  const ThreatList list =
      parse(R"({"meta":{"generatedAt":"2026-09-20T10:00:00+00:00"},"data":[)"
            R"({"ipAddress":"203.0.113.7","abuseConfidenceScore":100,"countryCode":"US"},)"
            R"({"ipAddress":"2001:db8::9","abuseConfidenceScore":75},{"ipAddress":"203.0.113.8"}]})");
  EXPECT_EQ(list.format, ListFormat::kAbuseIpdb);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'abuse confidence 100' 100",
                                  "2001:db8::9/128 'abuse confidence 75' 75", "203.0.113.8/32 '' -1"}));
  EXPECT_EQ(list.date, "2026-09-20T10:00:00.000Z");
  EXPECT_EQ(entries(parse(R"({"data":{"ipAddress":"203.0.113.7","abuseConfidenceScore":30}})")),
            Texts{"203.0.113.7/32 'abuse confidence 30' 30"});
  EXPECT_TRUE(parse(R"({"meta":{"generatedAt":"2026-09-20T10:00:00+00:00"},"data":[]})").entries.empty());
}

TEST(JsonFeeds, LowConfidenceIsLeftOutWhereAsked) {
  ListOptions options;
  options.minimum_confidence = 80;
  const auto list =
      parse_threat_list("x",
                        R"({"data":[{"ipAddress":"203.0.113.7","abuseConfidenceScore":79},{"ipAddress":"203.0.113.8",)"
                        R"("abuseConfidenceScore":80}]})",
                        options);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(entries(*list), Texts{"203.0.113.8/32 'abuse confidence 80' 80"});
  EXPECT_EQ(refused(*list, ListRefusal::kLowConfidence), 1U);
}

TEST(JsonFeeds, ThreatfoxIsReadAsExportAndAsAnswerOfItsApi) {
  const std::string exported =
      R"({"1":[{"ioc_value":"203.0.113.7:443","ioc_type":"ip:port","threat_type":"botnet_cc",)"
      R"("malware":"win.cobalt_strike",)"
      R"("malware_printable":"Cobalt Strike","first_seen_utc":"2026-09-01 10:00:00","confidence_level":100}],)"
      R"("2":[{"ioc_value":"bad.example","ioc_type":"domain","malware_printable":"x","confidence_level":50}],"3":4})";
  const ThreatList list = parse(exported);
  EXPECT_EQ(list.format, ListFormat::kThreatFox);
  EXPECT_EQ(entries(list), Texts{"203.0.113.7/32 'Cobalt Strike' 100"});
  EXPECT_EQ(list.date, "2026-09-01T10:00:00.000Z");
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kOther), 1U);
  const ThreatList answer = parse(
      R"({"query_status":"ok","data":[{"id":"41","ioc":"[2001:db8::7]:8080","ioc_type":"ip:port","malware":"win.x",)"
      R"("first_seen":"2026-09-06 09:10:23 UTC","confidence_level":"75"}]})");
  EXPECT_EQ(entries(answer), Texts{"2001:db8::7/128 'win.x' 75"});
  EXPECT_EQ(answer.date, "2026-09-06T09:10:23.000Z");
}

TEST(JsonFeeds, OnionooGivesExitsAlone) {
  const std::string details =
      R"({"version":"8.0","relays_published":"2026-09-28 10:00:00","relays":[)"
      R"({"nickname":"exit","fingerprint":"A1","or_addresses":["203.0.113.7:9001","[2001:db8::1]:9001"],)"
      R"("exit_addresses":["203.0.113.8"],"running":true,"flags":["Exit","Fast"]},)"
      R"({"nickname":"middle","fingerprint":"B2","or_addresses":["198.51.100.1:443"],"flags":["Guard"]},)"
      R"({"nickname":"quiet","fingerprint":"C3","or_addresses":["198.51.100.2:443"],"exit_addresses":["203.0.113.9"],)"
      R"("flags":["Fast"]}],"bridges_published":"2026-09-28 09:00:00","bridges":[]})";
  const ThreatList list = parse(details, ListRole::kTor);
  EXPECT_EQ(list.format, ListFormat::kOnionoo);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'A1' -1", "2001:db8::1/128 'A1' -1", "203.0.113.8/32 'A1' -1",
                                  "203.0.113.9/32 'C3' -1"}));
  EXPECT_EQ(list.date, "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(refused(list, ListRefusal::kNotForDetection), 1U);
  EXPECT_TRUE(list.warnings.empty());
  EXPECT_EQ(parse(details).warnings.size(), 1U);
}

TEST(JsonFeeds, DshieldsFeedKeepsItsDescription) {
  const ThreatList list = parse(
      R"([{"ip":"203.0.113.7","description":"mirai"},{"ip":"198.51.100.007","description":"ssh scan"},{"ip":"x"}])");
  EXPECT_EQ(list.format, ListFormat::kDshieldFeed);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'mirai' -1", "198.51.100.7/32 'ssh scan' -1"}));
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(entries(parse(R"([{"ip":"203.0.113.7","attacks":12,"count":34}])")),
            Texts{"203.0.113.7/32 '12 attacks' -1"});
}

TEST(JsonFeeds, OtxPulsesGiveTheirMalwareAndWhatIsActive) {
  const std::string pulse =
      R"({"id":"5f","name":"Campaign of contoso","modified":"2026-09-28T10:00:00.123000","malware_families":[)"
      R"({"display_name":"Cobalt Strike"}],"indicators":[{"indicator":"203.0.113.7","type":"IPv4","is_active":1},)"
      R"({"indicator":"203.0.113.16/28","type":"CIDR","expiration":"2026-10-28T00:00:00"},)"
      R"({"indicator":"203.0.113.9","type":"IPv4","is_active":0},{"indicator":"bad.example","type":"domain"}]})";
  const ThreatList list = parse(pulse);
  EXPECT_EQ(list.format, ListFormat::kOtxPulse);
  EXPECT_EQ(list.name, "Campaign of contoso");
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'Cobalt Strike' -1", "203.0.113.16/28 'Cobalt Strike' -1"}));
  EXPECT_EQ(list.entries[1].valid_until, parse_iso_time("2026-10-28T00:00:00Z"));
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(entries(parse("{\"count\":1,\"next\":null,\"results\":[" + pulse + "]}")), entries(list));
  EXPECT_EQ(entries(parse(R"([{"name":"n","indicators":[{"indicator":"203.0.113.7","type":"IPv4"}]}])")),
            Texts{"203.0.113.7/32 'n' -1"});
}

TEST(JsonFeeds, WhatIsNoneOfThemIsRefusedWithASentence) {
  for (const char* document :
       {"[]", "[{}]", "[{\"ip\":\"203.0.113.7\"}]", "{\"data\":[]}", "{\"data\":[{}]}", "{\"relays\":[]}",
        "{\"results\":[{}]}", "{\"tables\":[{}]}", "{\"value\":[{}]}", "{}", "{\"1\":[{}]}"}) {
    const auto list = parse_threat_list("feeds/list.dat", document, {});
    ASSERT_FALSE(list.has_value()) << document;
    EXPECT_NE(list.error().message.find("load one of these forms"), std::string::npos);
  }
}

}  // namespace
}  // namespace keyvigil
