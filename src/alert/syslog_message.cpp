#include "alert/syslog_message.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "alert/alert_document.h"
#include "alert/cef.h"
#include "alert/printable.h"
#include "alert/product.h"

namespace keyvigil {
namespace {

constexpr int kLogAudit = 13;
constexpr std::size_t kHostBytes = 255;
constexpr std::size_t kMessageIdBytes = 32;
constexpr std::size_t kParameterBytes = 256;
// 32473 is the enterprise number that RFC 5612 keeps for examples: KeyVigil has none of its own.
constexpr std::string_view kStructuredDataId = "keyvigil@32473";

std::string printable_ascii(std::string_view text, std::size_t limit) {
  std::string name(text.substr(0, limit));
  for (char& c : name) {
    if (c <= ' ' || c > '~') { c = '-'; }
  }
  return name.empty() ? "-" : name;
}

// The longest code without its prefix has just the 32 characters that are allowed.
std::string message_id(const Alert& alert) {
  std::string_view code = catalogue_row(alert.type).code;
  code.remove_prefix(std::string_view("KV_").size());
  return printable_ascii(code, kMessageIdBytes);
}

std::string parameter(std::string_view name, std::string_view text) {
  std::string value;
  for (const char c : harmless(bounded_utf8(text, kParameterBytes))) {
    if (c == '"' || c == '\\' || c == ']') { value += '\\'; }
    value += c;
  }
  return fmt::format(" {}=\"{}\"", name, value);
}

}  // namespace

int syslog_severity(Severity severity) {
  constexpr std::array<int, 4> kSeverities = {6, 5, 4, 3};
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::string syslog_message(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing,
                           const std::string& host) {
  const Severity severity = severity_of(alert);
  const int priority = kLogAudit * 8 + syslog_severity(severity);
  const std::string data =
      parameter("alertId", alert_name(alert)) + parameter("alertType", alert_code(alert, standing)) +
      parameter("severity", to_string(severity)) + parameter("vault", alert.vault_name) +
      parameter("srcIp", to_string(alert.address)) + parameter("revision", fmt::format("{}", alert.revision));
  return fmt::format("<{}>1 {} {} {} - {} [{}{}] {}", priority, to_iso_milliseconds(alert.generated),
                     printable_ascii(host, kHostBytes), kProductShortName, message_id(alert), kStructuredDataId, data,
                     cef_line(alert, rendering, standing));
}

}  // namespace keyvigil
