// OutputOptions: one place that the service sends alerts to, as configured; and which alerts go there.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_standing.h"
#include "base/secret_reference.h"
#include "catalogue/alert_type.h"
#include "catalogue/catalogue.h"
#include "sink/open_sink.h"

namespace keyvigil {

enum class OutputKind : std::uint8_t {
  kFile,           // appended, one alert a line
  kWebhook,        // POST, signed as Standard Webhooks has it
  kSlack,          // incoming webhook
  kTeams,          // workflow webhook, Adaptive Card
  kSyslog,         // RFC 5424 over UDP, TCP or TLS, CEF inside
  kMail,           // SMTP
  kSplunk,         // HTTP event collector
  kElasticsearch,  // _bulk
};

struct OutputFilter {
  Severity minimum_severity = Severity::kInformational;
  std::set<AlertType> types;            // empty: all
  std::set<std::string> subscriptions;  // lower case; empty: all
  bool learning = false;                // alerts found while the estate was being learned
  bool backfilled = false;
  bool simulated = true;
  friend bool operator==(const OutputFilter&, const OutputFilter&) = default;
};

[[nodiscard]] bool takes(const OutputFilter& filter, const Alert& alert, const AlertStanding& standing);

struct OutputOptions {
  std::string name;  // unique; part of the store and of metrics
  OutputKind kind = OutputKind::kFile;
  std::string target;                        // path or URL; empty for Slack and Teams, whose URL is the secret
  AlertFormat format = AlertFormat::kJsonl;  // of files, webhooks, Splunk and Elasticsearch
  SecretReference secret;                    // key of the webhook, its URL, password, token
  std::string user;                          // mail, Elasticsearch
  std::string ca_file;                       // PEM; empty: the system's
  bool plain_text = false;                   // may go without TLS
  std::string index;                         // Elasticsearch, Splunk
  std::string from;                          // mail
  std::vector<std::string> to;               // mail
  std::int64_t timeout_seconds = 20;         // 1..120, of one attempt
  std::int64_t most_attempts = 1000;         // 1..10000; then a dead letter
  std::int64_t most_age_hours = 72;          // 1..8760, since the alert was stored; then a dead letter
  OutputFilter filter;
  friend bool operator==(const OutputOptions&, const OutputOptions&) = default;
};

}  // namespace keyvigil
