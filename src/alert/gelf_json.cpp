#include "alert/gelf_json.h"

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "alert/access_summary.h"
#include "alert/alert_words.h"
#include "alert/printable.h"
#include "alert/product.h"
#include "alert/syslog_message.h"
#include "catalogue/attack_knowledge.h"

namespace keyvigil {
namespace {

void add_text(Json& message, const char* name, std::string_view text) {
  if (!text.empty()) { message[name] = text; }
}

std::string technique_ids(const CatalogueRow& row) {
  std::vector<std::string_view> ids;
  for (const AttackTechnique& technique : techniques_of(row)) { ids.push_back(technique.id); }
  return fmt::format("{}", fmt::join(ids, ","));
}

// What happened, then a line for each reason.
std::string full_message(const Alert& alert) {
  std::string text = description(alert);
  for (const Reason& reason : alert.reasons) {
    text += "\n" + bounded_utf8(reason_sentence(alert, reason), kTextLimitBytes);
  }
  return text;
}

void add_access(Json& message, const AccessSummary& summary) {
  add_text(message, "_outcome", summary.outcome);
  add_text(message, "_operations", fmt::format("{}", fmt::join(summary.operations, ",")));
  add_text(message, "_operation", summary.operation);
  add_text(message, "_target", summary.target);
  if (!summary.addresses.empty()) { add_text(message, "_source_ip", summary.addresses.front()); }
  add_text(message, "_caller_id", summary.caller_id);
  add_text(message, "_user_name", summary.user_name);
  add_text(message, "_application_id", summary.app_id);
  add_text(message, "_user_agent", summary.user_agent);
  add_text(message, "_vault_name", summary.vault_name);
  add_text(message, "_vault_id", summary.vault_id);
  add_text(message, "_reason", summary.reason);
}

}  // namespace

Json gelf_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing) {
  const CatalogueRow& row = catalogue_row(alert.type);
  const AccessSummary summary = access_summary(alert);
  const Severity severity = severity_of(alert);
  Json message;
  message["version"] = "1.1";
  message["host"] = kProductShortName;
  message["short_message"] = fmt::format("{}: {}", alert_title(alert, standing), summary.vault_name);
  message["full_message"] = full_message(alert);
  message["timestamp"] = static_cast<double>(alert.generated.milliseconds()) / 1000.0;
  message["level"] = syslog_severity(severity);
  message["_alert_id"] = alert.id;
  message["_alert_name"] = alert_name(alert);
  message["_alert_type"] = alert_code(alert, standing);
  message["_alert_link"] = alert_uri(alert, rendering);
  message["_revision"] = alert.revision;
  message["_status"] = to_string(standing.status);
  message["_severity"] = to_string(severity);
  message["_intent"] = row.intent;
  add_text(message, "_techniques", technique_ids(row));
  message["_first_event"] = to_iso_milliseconds(alert.first_event);
  message["_last_event"] = to_iso_milliseconds(alert.last_suspicious);
  message["_suspicious_events"] = alert.suspicious_events;
  message["_credential_reads"] = alert.credential_reads;
  add_text(message, "_subscription_id", alert.subscription_id);
  add_text(message, "_region", rendering.of(alert.subscription_id).location);
  add_access(message, summary);
  message["_product_version"] = product_version();
  return message;
}

}  // namespace keyvigil
