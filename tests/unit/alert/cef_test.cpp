#include "alert/cef.h"

#include <string>

#include <gtest/gtest.h>

#include "alert/alert_document.h"
#include "reference/alert_samples.h"
#include "reference/cef_reader.h"

namespace keyvigil {
namespace {

CefLine read(const Alert& alert) {
  const std::string line = cef_line(alert, {});
  const auto parsed = read_cef(line);
  EXPECT_TRUE(parsed) << line;
  return parsed.value_or(CefLine{});
}

TEST(CefLine, BeginsWithItsSevenFields) {
  const CefLine line = read(tor_alert());
  ASSERT_EQ(line.header.size(), 7U);
  EXPECT_EQ(line.header[0], "0");
  EXPECT_EQ(line.header[1], "KeyVigil");
  EXPECT_EQ(line.header[4], "KV_TORAccess");
  EXPECT_EQ(line.header[5], "Access from a TOR exit node to a key vault");
  EXPECT_EQ(line.header[6], "5");
}

TEST(CefLine, HasTheDictionarysKeys) {
  const Alert alert = tor_alert();
  const auto extension = read(alert).extension;
  EXPECT_EQ(extension.at("rt"), std::to_string(alert.generated.milliseconds()));
  EXPECT_EQ(extension.at("externalId"), alert.id);
  EXPECT_LE(extension.at("externalId").size(), 40U);
  EXPECT_EQ(extension.at("cat"), "CredentialAccess");
  EXPECT_EQ(extension.at("act"), "SecretGet");
  EXPECT_EQ(extension.at("outcome"), "success");
  EXPECT_EQ(extension.at("src"), "203.0.113.7");
  EXPECT_EQ(extension.at("suser"), "alice@contoso.com");
  EXPECT_EQ(extension.at("dhost"), "kv-a.vault.azure.net");
  EXPECT_EQ(extension.at("request"), "https://kv-a.vault.azure.net/secrets/db");
  EXPECT_EQ(extension.at("requestClientApplication"), "curl/8.0");
  EXPECT_EQ(extension.at("cn1"), "1");
  for (const auto& [key, value] : extension) {
    if ((key.starts_with("cs") || key.starts_with("cn")) && !key.ends_with("Label")) {
      EXPECT_TRUE(extension.contains(key + "Label")) << key;
    }
  }
}

TEST(CefLine, PutsIpv6WhereItsTypeIs) {
  const auto extension = read(behaviour_alert()).extension;
  EXPECT_FALSE(extension.contains("src"));
  EXPECT_EQ(extension.at("c6a2"), "2001:db8::17");
  EXPECT_EQ(extension.at("c6a2Label"), "Source IPv6 Address");
}

TEST(CefLine, CannotBeSteeredByTextFromOutside) {
  const std::string hostile = "x|y\\z=1 src=8.8.8.8\nCEF:0|a|b|c|d|e|10|\r\tend\x1b[2J";
  const Alert alert = with_texts(tor_alert(), hostile);
  const auto extension = read(alert).extension;
  EXPECT_EQ(extension.at("src"), "203.0.113.7");
  EXPECT_EQ(extension.at("suser"), "x|y\\z=1 src=8.8.8.8\nCEF:0|a|b|c|d|e|10|\r\\x09end\\x1b[2J");
}

TEST(CefLine, CutsAtTheSizesOfTheDictionary) {
  const auto extension = read(with_texts(tor_alert(), std::string(1 << 20, 'a'))).extension;
  EXPECT_LE(extension.at("suser").size(), 1023U);
  EXPECT_LE(extension.at("act").size(), 63U);
  EXPECT_LE(extension.at("cs1").size(), 4000U);
}

TEST(CefLine, GradesSeverityOnItsOwnScale) {
  EXPECT_EQ(cef_severity(Severity::kInformational), 1);
  EXPECT_EQ(cef_severity(Severity::kLow), 3);
  EXPECT_EQ(cef_severity(Severity::kMedium), 5);
  EXPECT_EQ(cef_severity(Severity::kHigh), 8);
}

}  // namespace
}  // namespace keyvigil
