// StoredAlert: an alert as the store keeps it, with what people and rules made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_standing.h"
#include "base/event_time.h"
#include "catalogue/alert_type.h"
#include "catalogue/catalogue.h"

namespace keyvigil {

struct StoredAlert {
  Alert alert;  // the newest revision
  AlertStatus status = AlertStatus::kActive;
  std::string dismissed_by_rule;  // name of the suppression rule; empty: none
  bool simulated = false;         // made by the simulate route: no models, budgets, metrics
  bool backfilled = false;
  EventTime processed;  // wall clock at which the newest revision was stored

  [[nodiscard]] AlertStanding standing() const {
    return {status, simulated, backfilled, alert.revision > 1, processed};
  }
};

// A page is newest first: by generated, then id.
struct AlertFilter {
  std::optional<std::set<std::string>> subscriptions;  // lower case; nothing: all
  std::string resource_group;                          // lower case; empty: any
  std::vector<AlertType> types;                        // empty: any
  std::vector<Severity> severities;
  std::vector<AlertStatus> statuses;
  std::optional<EventTime> from;   // by generated
  std::optional<EventTime> until;  // exclusive
  std::string caller_key;
  std::string vault_id;
  std::string text;  // words that all must occur in caller, vault, address, description, objects
  std::optional<bool> simulated;
  std::size_t limit = 100;  // 1..1000
  std::string after;        // StoredAlertPage::next of the page before; empty: the first page
};

struct StoredAlertPage {
  std::vector<StoredAlert> alerts;
  std::string next;  // hexadecimal; empty: this is the last page
};

// One step of an alert's history.
struct AlertChange {
  EventTime at;    // wall clock
  std::string by;  // principal, rule, or "engine"
  std::uint64_t revision = 0;
  AlertStatus status = AlertStatus::kActive;
  std::string note;
};

// Alerts that were raised, revised or changed since, each once and as it is now, in the order of their last changes.
struct AlertNews {
  std::vector<StoredAlert> alerts;
  std::vector<std::uint64_t> cursors;  // of each: who asks with it gets what comes after it, all of it and it not again
  std::uint64_t cursor = 0;            // to ask again with, behind all
};

struct AuditLine {
  EventTime at;  // wall clock
  std::string who;
  std::string from_address;
  std::string action;  // "alert.dismiss", "rule.put", "ingest.refused", "token.refused", ...
  std::string target;
  std::string outcome;  // "done" or why not
};

}  // namespace keyvigil
