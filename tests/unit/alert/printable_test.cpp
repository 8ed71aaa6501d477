#include "alert/printable.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "alert/alert_document.h"
#include "alert/cef.h"
#include "alert/csv.h"
#include "alert/mail_message.h"
#include "alert/slack_message.h"
#include "alert/syslog_message.h"
#include "alert/table.h"
#include "alert/teams_card.h"
#include "base/base64.h"
#include "reference/alert_samples.h"
#include "reference/hostile_text.h"

namespace keyvigil {
namespace {

TEST(Printable, EscapesWhatMovesTurnsOrHidesText) {
  EXPECT_EQ(harmless(std::string("a\0b\x1b[31m\x7f\r\n", 11)), "a\\x00b\\x1b[31m\\x7f\\x0d\\x0a");
  EXPECT_EQ(harmless("\xC2\x85\xC2\x9B"), "\\x85\\x9b");
  EXPECT_EQ(harmless("\xE2\x80\xAEx\xE2\x80\x8B\xE2\x80\xA8\xE2\x81\xA6\xEF\xBB\xBF"),
            "\\u202ex\\u200b\\u2028\\u2066\\ufeff");
  EXPECT_EQ(harmless("caf\xC3\xA9 \xE6\x97\xA5"), "caf\xC3\xA9 \xE6\x97\xA5") << "what is text stays";
  for (const std::string& point : harmful_points()) { EXPECT_NE(harmless(point), point); }
  EXPECT_TRUE(is_harmless(harmless(hostile_text())));
}

// Of every output that a person or a terminal sees.
TEST(Printable, NoOutputForPeopleHasSuchText) {
  const AlertStanding standing;
  const MailEnvelope envelope{"a@contoso.example", {"b@contoso.example"}, {}};
  for (const Alert& made : {tor_alert(), denied_alert(), behaviour_alert()}) {
    const Alert alert = with_texts(made, hostile_text());
    expect_harmless(table_block(alert, {}), "table");
    TableTotals totals;
    totals.add(alert);
    expect_harmless(totals.text({}), "totals of a table");
    expect_harmless(csv_row(alert, {}, standing), "CSV");
    expect_harmless(cef_line(alert, {}, standing), "CEF");
    expect_harmless(syslog_message(alert, {}, standing, hostile_text()), "syslog");
    expect_harmless_texts(slack_message(alert, {}, standing), "Slack");
    expect_harmless_texts(teams_card(alert, {}, standing), "Teams");
    const std::string mail = mail_message(alert, {}, standing, envelope);
    const std::size_t body = mail.find("\r\n\r\n");
    expect_harmless(mail.substr(0, body), "head of mail");
    std::string encoded = mail.substr(body);
    std::erase_if(encoded, [](char c) { return c == '\r' || c == '\n'; });
    const auto decoded = base64_decoded(encoded);
    ASSERT_TRUE(decoded);
    EXPECT_NE(decoded->find("\\u202e"), std::string::npos) << "it is shown";
    expect_harmless(*decoded, "mail");
    // Each encoded word of the subject.
    for (std::size_t at = mail.find("=?UTF-8?B?"); at < body; at = mail.find("=?UTF-8?B?", at + 1)) {
      const auto word = base64_decoded(mail.substr(at + 10, mail.find("?=", at) - at - 10));
      ASSERT_TRUE(word);
      expect_harmless(*word, "subject");
    }
  }
}

}  // namespace
}  // namespace keyvigil
