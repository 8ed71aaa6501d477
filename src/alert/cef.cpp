#include "alert/cef.h"

#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_document.h"
#include "alert/alert_words.h"
#include "alert/printable.h"
#include "alert/product.h"

namespace keyvigil {
namespace {

// Sizes in bytes of the CEF dictionary.
constexpr std::size_t kShortBytes = 63;
constexpr std::size_t kUsualBytes = 1023;
constexpr std::size_t kCustomBytes = 4000;

std::string header_field(std::string_view text) {
  std::string field;
  for (const char c : harmless(bounded_utf8(text, kUsualBytes))) {
    if (c == '|' || c == '\\') { field += '\\'; }
    field += c;
  }
  return field;
}

void append_escaped(std::string& out, std::string_view piece) {
  for (const char c : harmless(piece)) {
    if (c == '=' || c == '\\') { out += '\\'; }
    out += c;
  }
}

std::string extension_value(std::string_view text, std::size_t limit_bytes) {
  const std::string bounded = bounded_utf8(text, limit_bytes);
  std::string_view rest = bounded;
  std::string value;
  while (true) {
    const std::size_t end = rest.find_first_of("\r\n");
    append_escaped(value, rest.substr(0, end));
    if (end == std::string_view::npos) { return value; }
    value += rest[end] == '\n' ? "\\n" : "\\r";
    rest.remove_prefix(end + 1);
  }
}

class Extension {
 public:
  void add(std::string_view key, std::string_view value, std::size_t limit_bytes = kUsualBytes) {
    if (value.empty()) { return; }
    text_ += fmt::format("{}{}={}", text_.empty() ? "" : " ", key, extension_value(value, limit_bytes));
  }
  void add_number(std::string_view key, std::int64_t value) { add(key, fmt::format("{}", value)); }
  void add_custom(std::string_view key, std::string_view label, std::string_view value) {
    if (value.empty()) { return; }
    add(fmt::format("{}Label", key), label);
    add(key, value, kCustomBytes);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// `src` takes IPv4 only; IPv6 has a custom field.
void add_address(Extension& extension, const AccessSummary& summary) {
  const auto address = summary.addresses.empty() ? std::nullopt : parse_ip_address(summary.addresses.front());
  if (!address) { return; }
  if (address->is_v4()) {
    extension.add("src", to_string(*address));
    return;
  }
  extension.add("c6a2Label", "Source IPv6 Address");
  extension.add("c6a2", to_string(*address));
}

std::string extension_of(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const AccessSummary summary = access_summary(alert);
  Extension extension;
  extension.add_number("rt", alert.generated.milliseconds());
  extension.add_number("start", alert.first_event.milliseconds());
  extension.add_number("end", alert.last_suspicious.milliseconds());
  extension.add("externalId", alert.id);
  extension.add("cat", catalogue_row(alert.type).intent);
  extension.add("act", fmt::format("{}", fmt::join(summary.operations, ",")), kShortBytes);
  extension.add("outcome", summary.outcome, kShortBytes);
  add_address(extension, summary);
  extension.add("suid", summary.caller_id);
  extension.add("suser", summary.user_name);
  extension.add("dhost", summary.target_host.empty() ? summary.vault_name : summary.target_host);
  extension.add("request", summary.target);
  extension.add("requestClientApplication", summary.user_agent);
  extension.add("reason", summary.brief_reason);
  extension.add_custom("cs1", "vaultResourceId", alert.vault_id);
  extension.add_custom("cs2", "applicationId", alert.caller.app_id);
  extension.add_custom("cs3", "alertLink", alert_uri(alert, rendering));
  extension.add_custom("cs4", "caller", caller_in_words(alert));
  extension.add_custom("cs5", "whatWasRead", what_was_read(alert));
  extension.add_custom("cs6", "status", to_string(standing.status));
  extension.add("cn1Label", "suspiciousEvents");
  extension.add_number("cn1", static_cast<std::int64_t>(alert.suspicious_events));
  extension.add("cn2Label", "credentialReads");
  extension.add_number("cn2", static_cast<std::int64_t>(alert.credential_reads));
  extension.add("cn3Label", "revision");
  extension.add_number("cn3", static_cast<std::int64_t>(alert.revision));
  extension.add("msg", summary.reason.empty() ? description(alert) : summary.reason);
  return extension.take();
}

}  // namespace

int cef_severity(Severity severity) {
  constexpr std::array<int, 4> kSeverities = {1, 3, 5, 8};
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::string cef_line(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  return fmt::format("CEF:0|{}|{}|{}|{}|{}|{}|{}", header_field(kVendorName), header_field(kProductShortName),
                     header_field(product_version()), header_field(alert_code(alert, standing)),
                     header_field(alert_title(alert, standing)), cef_severity(severity_of(alert)),
                     extension_of(alert, rendering, standing));
}

}  // namespace keyvigil
