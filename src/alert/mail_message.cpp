#include "alert/mail_message.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_facts.h"
#include "alert/alert_words.h"
#include "alert/printable.h"
#include "base/base64.h"

namespace keyvigil {
namespace {

constexpr std::size_t kEncodedLineBytes = 57;  // 76 characters of base64
constexpr std::size_t kEncodedWordBytes = 42;  // 56 characters, so that a header line stays below 78

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// RFC 2047: encoded words, each of whole characters.
std::string encoded_header(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(kEncodedWordBytes, text.size());
    while (size > 1 && size < text.size() && continues_character(text[size])) { --size; }
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return out;
}

std::string encoded_body(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    out += base64(text.substr(0, kEncodedLineBytes)) + "\r\n";
    text.remove_prefix(std::min(kEncodedLineBytes, text.size()));
  }
  return out;
}

std::string date_of(EventTime time) {
  constexpr std::array<std::string_view, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime civil = to_civil(time);
  const auto weekday = static_cast<std::size_t>(((time.day() % 7) + 7) % 7);  // 1970 began on a Thursday
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[weekday], civil.day,
                     kMonths[static_cast<std::size_t>(civil.month - 1)], civil.year, civil.hour, civil.minute,
                     civil.second);
}

std::string body_of(const Alert& alert, const AlertFacts& facts) {
  std::string body = fmt::format("{}\r\n\r\n{}\r\n\r\n", facts.title, facts.what);
  for (const AlertFact& fact : facts.facts) { body += fmt::format("{}: {}\r\n", fact.label, fact.value); }
  body += "\r\nWhat to do\r\n";
  for (const std::string& step : remediation_steps(alert)) {
    body += fmt::format("- {}\r\n", harmless(bounded_utf8(step, 2 * kTextLimitBytes)));
  }
  if (!facts.link.empty()) { body += fmt::format("\r\n{}\r\n", facts.link); }
  return body;
}

}  // namespace

std::string mail_message(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing,
                         const MailEnvelope& envelope) {
  const AlertFacts facts = alert_facts(alert, rendering, standing);
  const std::string domain = envelope.from.substr(std::min(envelope.from.rfind('@') + 1, envelope.from.size()));
  const auto message_id = [&](std::uint64_t revision) { return fmt::format("<{}-{}@{}>", alert.id, revision, domain); };
  std::string message = fmt::format("From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: {}\r\n",
                                    envelope.from, fmt::join(envelope.to, ", "), encoded_header(facts.title),
                                    date_of(envelope.date), message_id(alert.revision));
  if (alert.revision > 1) { message += fmt::format("In-Reply-To: {0}\r\nReferences: {0}\r\n", message_id(1)); }
  message +=
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n";
  return message + encoded_body(body_of(alert, facts));
}

}  // namespace keyvigil
