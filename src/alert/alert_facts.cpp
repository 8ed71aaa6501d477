#include "alert/alert_facts.h"

#include <cstddef>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_document.h"
#include "alert/alert_words.h"
#include "alert/printable.h"

namespace keyvigil {
namespace {

std::string shown(std::string_view text, std::size_t limit_bytes = kFactLimitBytes) {
  return harmless(bounded_utf8(text, limit_bytes));
}

std::string addresses_shown(const AccessSummary& summary) {
  if (summary.addresses.empty()) { return {}; }
  const std::size_t further = summary.addresses.size() - 1;
  return further == 0 ? summary.addresses.front() : fmt::format("{} and {} more", summary.addresses.front(), further);
}

std::string contributors_shown(const Alert& alert) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shown;
  for (const Contributor* contributor : contributors_by_share(alert)) {
    if (shown.size() == kShown) { break; }
    shown.push_back(fmt::format("{} {} ({} %)", in_words(contributor->who), contributor->events,
                                share_percent(alert, *contributor)));
  }
  return fmt::format("{}", fmt::join(shown, "; "));
}

}  // namespace

AlertFacts alert_facts(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const AccessSummary summary = access_summary(alert);
  AlertFacts facts;
  facts.title = fmt::format("{}: {} ({})", to_string(severity_of(alert)), alert_title(alert, standing),
                            shown(alert.vault_name, 64));
  facts.what = shown(description(alert), 2 * kFactLimitBytes);
  const auto add = [&](std::string_view label, std::string_view value) {
    if (!value.empty()) { facts.facts.push_back({label, shown(value)}); }
  };
  add("Vault", alert.vault_name);
  add("Caller", caller_in_words(alert));
  if (alert.subject == SubjectKind::kVault) { add("Done by", contributors_shown(alert)); }
  add("From", addresses_shown(summary));
  add("When",
      fmt::format("{} to {}", to_iso_milliseconds(alert.first_event), to_iso_milliseconds(alert.last_suspicious)));
  add("Operations", operations_in_brackets(alert.suspicious_operations));
  add("Read", what_was_read(alert));
  add("Why", summary.reason);
  add("What else it could be", nearest_explanation(alert));
  add("Confidence", to_string(confidence(alert)));
  add("Alert", fmt::format("{}, revision {}", alert_name(alert), alert.revision));
  const std::string link = alert_uri(alert, rendering);
  if (link.starts_with("https://") || link.starts_with("http://")) { facts.link = shown(link, 2 * kFactLimitBytes); }
  return facts;
}

}  // namespace keyvigil
