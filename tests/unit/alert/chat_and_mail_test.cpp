#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/mail_message.h"
#include "alert/printable.h"
#include "alert/slack_message.h"
#include "alert/teams_card.h"
#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

AlertRendering at_portal(std::string portal) {
  AlertRendering rendering;
  rendering.portal = std::move(portal);
  return rendering;
}

const std::string kHostile =
    "<!channel> & <https://evil.example|click> [click](https://evil.example) **x** {{DATE(1)}}\r\nBcc: "
    "all@contoso.example\r\n\r\n.\r\n\x1b[2J\xE2\x80\xAE\xFF";

// Every text that a reader would see, wherever it stands.
void collect_texts(const Json& json, std::vector<std::string>& out) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_structured()) { collect_texts(value, out); }
    if (value.is_string() && key == "text") { out.push_back(value.get<std::string>()); }
  }
}

std::vector<std::string> texts_of(const Json& json) {
  std::vector<std::string> texts;
  collect_texts(json, texts);
  return texts;
}

TEST(SlackMessage, CannotMentionAChannelOrDisguiseALink) {
  const auto texts = texts_of(slack_message(with_texts(tor_alert(), kHostile), {}));
  ASSERT_GT(texts.size(), 5U);
  bool seen = false;
  for (const std::string& text : texts) {
    EXPECT_EQ(text.find_first_of("<>\n\r\x1b"), std::string::npos) << text;
    seen = seen || text.find("&lt;!channel&gt; &amp;") != std::string::npos;
  }
  EXPECT_TRUE(seen);
}

TEST(SlackMessage, StaysWithinSlacksLimits) {
  for (const char* piece : {"a", "<", "\"", "\n", "\xF0\x9F\x94\x91"}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) { text += piece; }
    const Json message = slack_message(with_texts(behaviour_alert(), text), at_portal("https://kv.example/alerts"));
    std::size_t total = 0;
    for (const Json& block : message.at("blocks")) {
      total += to_json_line(block).size();
      if (block.at("type") == "header") {
        EXPECT_LE(count_columns(block.at("text").at("text").get<std::string>()), 700U);
      }
      if (!block.contains("fields")) { continue; }
      EXPECT_LE(block.at("fields").size(), 10U);
      for (const Json& field : block.at("fields")) { EXPECT_LE(field.at("text").get<std::string>().size(), 2000U); }
    }
    EXPECT_LE(total, 25'000U) << piece;
  }
}

TEST(SlackMessage, LinksOnlyWhatABrowserCanOpen) {
  EXPECT_EQ(slack_message(tor_alert(), {}).at("blocks").size(), 3U);
  const Json message = slack_message(tor_alert(), at_portal("https://kv.example/alerts"));
  EXPECT_TRUE(
      message.at("blocks")[3].at("elements")[0].at("url").get<std::string>().starts_with("https://kv.example/"));
}

TEST(TeamsCard, HasTextOnlyWhereItIsNoMarkup) {
  const Json card = teams_card(with_texts(tor_alert(), kHostile), {});
  const Json& content = card.at("attachments")[0].at("content");
  for (const Json& part : content.at("body")) {
    ASSERT_EQ(part.at("type"), "RichTextBlock");
    for (const Json& run : part.at("inlines")) {
      EXPECT_EQ(run.at("type"), "TextRun");
      const std::string text = run.at("text");
      EXPECT_EQ(text.find("{{"), std::string::npos) << text;
      EXPECT_EQ(text.find_first_of("\n\r\x1b"), std::string::npos) << text;
    }
  }
  EXPECT_FALSE(content.contains("actions"));
}

TEST(TeamsCard, StaysBelowTeamsLimit) {
  for (const char* piece : {"a", "\"", "\\", "\n", "\xE2\x80\xAE", "\xF0\x9F\x94\x91", "{"}) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) { text += piece; }
    for (const Alert& alert : {tor_alert(), behaviour_alert()}) {
      EXPECT_LT(to_json_line(teams_card(with_texts(alert, text), at_portal("https://kv.example"))).size(), 28'000U)
          << piece;
    }
  }
}

const MailEnvelope kEnvelope = {"keyvigil@contoso.example",
                                {"soc@contoso.example", "b@contoso.example"},
                                parse_iso_time("2026-10-01T12:34:56Z").value()};

std::string decoded(std::string_view encoded) {
  std::string plain(encoded);
  std::erase(plain, '\r');
  std::erase(plain, '\n');
  std::string out(plain.size(), '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  out.resize(static_cast<std::size_t>(std::max(0, size)));
  return out;
}

TEST(MailMessage, HasItsHeadersAndABodyForAPerson) {
  const std::string mail = mail_message(tor_alert(), {}, {}, kEnvelope);
  const std::string headers = mail.substr(0, mail.find("\r\n\r\n") + 2);
  EXPECT_TRUE(headers.starts_with("From: keyvigil@contoso.example\r\nTo: soc@contoso.example, b@contoso.example\r\n"));
  EXPECT_NE(headers.find("Date: Thu, 01 Oct 2026 12:34:56 +0000\r\n"), std::string::npos) << headers;
  EXPECT_NE(headers.find("Message-ID: <" + tor_alert().id + "-1@contoso.example>\r\n"), std::string::npos);
  EXPECT_EQ(headers.find("In-Reply-To"), std::string::npos);
  const std::string body = decoded(mail.substr(mail.find("\r\n\r\n") + 4));
  EXPECT_NE(body.find("Vault: kv-a\r\n"), std::string::npos) << body;
  EXPECT_NE(body.find("Caller: user alice@contoso.com\r\n"), std::string::npos);
}

TEST(MailMessage, RefersToTheFirstRevision) {
  Alert alert = tor_alert();
  alert.revision = 3;
  const std::string mail = mail_message(alert, {}, {}, kEnvelope);
  EXPECT_NE(mail.find("Message-ID: <" + alert.id + "-3@contoso.example>\r\n"), std::string::npos);
  EXPECT_NE(mail.find("In-Reply-To: <" + alert.id + "-1@contoso.example>\r\n"), std::string::npos);
}

TEST(MailMessage, CannotBeSteeredByTextFromOutside) {
  const std::string mail = mail_message(with_texts(tor_alert(), kHostile), {}, {}, kEnvelope);
  EXPECT_EQ(mail.find("Bcc"), std::string::npos);
  EXPECT_TRUE(
      std::all_of(mail.begin(), mail.end(), [](char c) { return c == '\r' || c == '\n' || (c >= ' ' && c <= '~'); }));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = mail.find("\r\n", begin)) != std::string::npos; begin = end + 2) {
    EXPECT_LE(end - begin, 120U);
    EXPECT_NE(mail.substr(begin, end - begin), ".");
  }
  EXPECT_EQ(begin, mail.size());
  EXPECT_EQ(std::count(mail.begin(), mail.end(), '\r'), std::count(mail.begin(), mail.end(), '\n'));
}

}  // namespace
}  // namespace keyvigil
