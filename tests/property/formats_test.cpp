// Laws of the outward shapes of alerts: whatever text comes from outside, each alert is one line, says the same after
// it has been read back, and cannot write into a field that is not its own.
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "alert/alert_document.h"
#include "alert/printable.h"
#include "reference/alert_samples.h"
#include "reference/cef_reader.h"
#include "sink/open_sink.h"

namespace keyvigil {
namespace {

// Bytes of any kind, and often those that formats take for their own.
std::string hostile_text() {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
      rc::gen::arbitrary<std::string>(), rc::gen::elementOf(std::vector<std::string>{"|",
                                                                                     "\\",
                                                                                     "=",
                                                                                     "\n",
                                                                                     "\r\n",
                                                                                     "\"",
                                                                                     "]",
                                                                                     "<!channel>",
                                                                                     "<34>1 ",
                                                                                     "CEF:0|",
                                                                                     " src=8.8.8.8",
                                                                                     "\xE2\x80\xA8",
                                                                                     "\xC2\x85",
                                                                                     "\xE2\x80\xAE",
                                                                                     "\x1b[2J",
                                                                                     "\xFF",
                                                                                     std::string(1, '\0'),
                                                                                     ",\"a\":",
                                                                                     "{{DATE(1)}}",
                                                                                     "\\n"})));
  std::string text;
  for (const std::string& piece : pieces) { text += piece; }
  return text;
}

std::string one_line(const Alert& alert, AlertFormat format) {
  SinkOptions options;
  options.format = format;
  const std::string line = format_alert(alert, options);
  RC_ASSERT(line.ends_with("\n"));
  RC_ASSERT(line.find_first_of("\r\n") == line.size() - 1);
  for (const char* end : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    RC_ASSERT(line.find(end) == std::string::npos);
  }
  return line.substr(0, line.size() - 1);
}

Alert some_alert(const std::string& text) {
  return with_texts(*rc::gen::element(0, 1, 2) == 0 ? tor_alert()
                    : *rc::gen::element(0, 1) == 0  ? denied_alert()
                                                    : behaviour_alert(),
                    text);
}

RC_GTEST_PROP(FormatLaws, JsonFormsStayOneLineAndParse, ()) {
  const std::string text = hostile_text();
  const Alert alert = some_alert(text);
  for (const AlertFormat format : alert_formats()) {
    if (is_json(format)) { RC_ASSERT(Json::accept(one_line(alert, format))); }
  }
  const Json ecs = Json::parse(one_line(alert, AlertFormat::kEcs));
  RC_ASSERT(ecs.at("keyvigil").at("vault").at("name") == bounded_utf8(text, 1024));
  const Json ocsf = Json::parse(one_line(alert, AlertFormat::kOcsf));
  RC_ASSERT(ocsf.at("evidences")[0].at("src_endpoint").at("ip") == to_string(alert.address));
  if (!text.empty()) {
    RC_ASSERT(ocsf.at("evidences")[0].at("http_request").at("user_agent") == bounded_utf8(text, 1024));
  }
}

RC_GTEST_PROP(FormatLaws, CefIsReadBackAsItWas, ()) {
  const std::string text = hostile_text();
  const Alert alert = some_alert(text);
  const auto read = read_cef(one_line(alert, AlertFormat::kCef));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->header.size() == 7U);
  const auto address = read->extension.find("src");
  RC_ASSERT((address == read->extension.end() || address->second == to_string(alert.address)));
  RC_ASSERT(read->extension.at("externalId") == alert.id);
  // Line ends are kept, everything else that does not print is shown.
  std::string shown;
  std::string piece;
  for (const char c : bounded_utf8(bounded_utf8(text, 1024), 1023)) {
    if (c != '\n' && c != '\r') {
      piece += c;
      continue;
    }
    shown += harmless(piece) + c;
    piece.clear();
  }
  shown += harmless(piece);
  const auto user = read->extension.find("suser");
  RC_ASSERT((user == read->extension.end() ? std::string() : user->second) == shown);
}

RC_GTEST_PROP(FormatLaws, SyslogCarriesTheCefLineAfterItsStructuredData, ()) {
  const Alert alert = some_alert(hostile_text());
  const std::string message = one_line(alert, AlertFormat::kSyslog);
  // The structured data ends at the first "]" that is not escaped.
  std::size_t end = message.find('[');
  while (message[end] != ']') { end += message[end] == '\\' ? 2U : 1U; }
  RC_ASSERT(message.substr(end + 2) == one_line(alert, AlertFormat::kCef));
}

}  // namespace
}  // namespace keyvigil
