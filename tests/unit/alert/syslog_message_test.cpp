#include "alert/syslog_message.h"

#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "alert/alert_document.h"
#include "alert/cef.h"
#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

// The grammar of RFC 5424 section 6, with the lengths that it allows.
const std::regex kGrammar(
    R"(<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) )"
    R"(([!-~]{1,128}) ([!-~]{1,32}) (\[[^ ="\]]{1,32}( [^ ="\]]{1,32}="([^"\\\]]|\\["\\\]])*")*\]) )"
    R"((CEF:0\|.*))");

TEST(SyslogMessage, FollowsTheGrammar) {
  const Alert alert = tor_alert();
  const std::string message = syslog_message(alert, {}, {}, "kv.example");
  std::smatch part;
  ASSERT_TRUE(std::regex_match(message, part, kGrammar)) << message;
  EXPECT_EQ(part[1], "108");  // 13 * 8 + 4
  EXPECT_EQ(part[2], "2026-09-28T10:00:00.000Z");
  EXPECT_EQ(part[3], "kv.example");
  EXPECT_EQ(part[4], "keyvigil");
  EXPECT_EQ(part[6], "TORAccess");
  EXPECT_NE(part[7].str().find("alertId=\"" + alert_name(alert) + "\""), std::string::npos);
  EXPECT_EQ(part[10], cef_line(alert, {}));
}

TEST(SyslogMessage, FollowsTheGrammarForEveryTypeAndStanding) {
  for (const CatalogueRow& row : catalogue()) {
    Alert alert = tor_alert();
    alert.type = row.type;
    EXPECT_TRUE(std::regex_match(syslog_message(alert, {}, {.simulated = true}), kGrammar)) << row.code;
  }
}

TEST(SyslogMessage, NamesTheNilValueWhereNoHostIsKnown) {
  EXPECT_NE(syslog_message(tor_alert(), {}).find("Z - keyvigil - TORAccess ["), std::string::npos);
}

TEST(SyslogMessage, CannotBeSteeredByTextFromOutside) {
  const Alert alert = with_texts(tor_alert(), "a\"] <34>1 x]\\ \n<34>1 - - - - - -");
  const std::string message = syslog_message(alert, {}, {}, "ho st\n\xFF");
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_NE(message.find(" ho-st-- keyvigil "), std::string::npos);
  EXPECT_NE(message.find(R"(vault="a\"\] <34>1 x\]\\ \\x0a<34>1)"), std::string::npos) << message;
}

}  // namespace
}  // namespace keyvigil
