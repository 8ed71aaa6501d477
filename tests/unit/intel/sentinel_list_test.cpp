// Sentinel's indicators in each of the four ways in which its tables are exported.
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

TEST(SentinelList, CsvOfThePortalIsReadByItsColumns) {
  const ThreatList list = parse(
      "\"TimeGenerated [UTC]\",IndicatorId,ThreatType,ConfidenceScore,Active,\"ExpirationDateTime [UTC]\",NetworkIP,"
      "NetworkSourceIP,NetworkCidrBlock,Description\n"
      "2026-09-20T10:00:00Z,A,Botnet,85,true,2026-12-31T00:00:00Z,203.0.113.7,203.0.113.7,,\"two\nlines\"\n"
      "2026-09-20T10:00:00Z,B,C2,,true,,,,203.0.113.32/28,x\n"
      "2026-09-20T10:00:00Z,C,C2,50,false,,203.0.113.9,,,x\n"
      "2026-09-20T10:00:00Z,D,Phishing,50,true,,,,,x\n");
  EXPECT_EQ(list.format, ListFormat::kSentinel);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'Botnet' 85", "203.0.113.32/28 'C2' -1"}));
  EXPECT_EQ(list.entries[0].valid_until, parse_iso_time("2026-12-31T00:00:00Z"));
  EXPECT_EQ(list.date, "2026-09-20T10:00:00.000Z");
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
}

TEST(SentinelList, TheNewestStateOfAnIndicatorCounts) {
  const ThreatList list =
      parse(R"([{"TimeGenerated":"2026-09-20T10:00:00Z","IndicatorId":"A","ThreatType":"C2","Active":"True",)"
            R"("NetworkIP":"203.0.113.7"},)"
            R"({"TimeGenerated":"2026-09-21T10:00:00Z","IndicatorId":"A","ThreatType":"C2","Active":"False",)"
            R"("NetworkIP":"203.0.113.7"},)"
            R"({"TimeGenerated":"2026-09-22T10:00:00Z","IndicatorId":"B","ThreatType":"C2","Active":true,)"
            R"("NetworkIP":"203.0.113.8"},)"
            R"({"TimeGenerated":"2026-09-21T10:00:00Z","IndicatorId":"B","ThreatType":"C2","Active":false,)"
            R"("NetworkIP":"203.0.113.8"}])");
  EXPECT_EQ(entries(list), Texts{"203.0.113.8/32 'C2' -1"});
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 3U);
}

TEST(SentinelList, TheNewTableIsReadByObservableAndByPattern) {
  const std::string rows =
      R"({"TimeGenerated":"2026-09-20T10:00:00Z","Id":"A","ObservableKey":"ipv4-addr:value",)"
      R"("ObservableValue":"203.0.113.7",)"
      R"("Confidence":90,"ValidFrom":"2026-09-01T00:00:00Z","ValidUntil":"2026-10-01T00:00:00Z",)"
      R"("IsActive":true,"IsDeleted":false})"
      "\n"
      R"({"Id":"B","ObservableKey":"","ObservableValue":"","Pattern":"[ipv6-addr:value = '2001:db8::7']",)"
      R"("Tags":"loader"})"
      "\n"
      R"({"Id":"C","ObservableKey":"domain-name:value","ObservableValue":"bad.example"})"
      "\nno row\n"
      R"({"Id":"D","ObservableKey":"ipv4-addr:value","ObservableValue":"203.0.113.9","Revoked":true})";
  const ThreatList list = parse(rows);
  EXPECT_EQ(entries(list), (Texts{"203.0.113.7/32 'A' 90", "2001:db8::7/128 'loader' -1"}));
  EXPECT_EQ(list.entries[0].valid_from, parse_iso_time("2026-09-01T00:00:00Z"));
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kOther), 1U);
  EXPECT_EQ(refused(list, ListRefusal::kExpiredOrRevoked), 1U);
}

TEST(SentinelList, TheAnswerOfTheQueryApiIsATable) {
  const ThreatList list =
      parse(R"({"tables":[{"name":"PrimaryResult","columns":[{"name":"IndicatorId","type":"string"},)"
            R"({"name":"NetworkIP","type":"string"},)"
            R"({"name":"ThreatType","type":"string"},{"name":"ConfidenceScore","type":"real"}],)"
            R"("rows":[["A","203.0.113.7","C2",72.5],["B",null,"C2",1],["C"],7]}]})");
  EXPECT_EQ(entries(list), Texts{"203.0.113.7/32 'C2' 72"});
  EXPECT_EQ(refused(list, ListRefusal::kNotAnAddress), 3U);
}

TEST(SentinelList, TimesOfALocaleAreSaidAndLeftOut) {
  const ThreatList list =
      parse("TimeGenerated [UTC],IndicatorId,ThreatType,NetworkIP\n\"9/28/2026, 10:00:00.000 AM\",A,C2,203.0.113.7\n");
  EXPECT_EQ(entries(list), Texts{"203.0.113.7/32 'C2' -1"});
  ASSERT_EQ(list.warnings.size(), 1U);
  EXPECT_NE(list.warnings[0].find("ISO 8601"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
