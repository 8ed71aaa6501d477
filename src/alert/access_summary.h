// AccessSummary: who did what from where, in the few words that every SIEM has fields for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_document.h"

namespace keyvigil {

// Texts of an alert go into other systems no longer than this, in bytes, and always as UTF-8.
inline constexpr std::size_t kTextLimitBytes = 1024;

// Formats with room for one access show one event: what stands side by side there happened in one request. It is an
// event of whoever is named, from the address that is named, the one that raised the alert where it is such a one.
struct AccessSummary {
  std::string_view outcome;             // of the suspicious events: success where any succeeded, else failure, unknown
  std::vector<std::string> operations;  // suspicious ones, by name
  std::vector<std::string> addresses;   // what parses as one; that of the shown event first
  std::string vault_name;
  std::string vault_id;
  std::string caller_id;     // object id, else key; empty: nobody was named
  std::string user_name;     // empty for callers that are no users
  std::string app_id;        // of the caller or its client
  std::string user_agent;    // empty where the events have several
  std::string operation;     // of the shown event
  std::string target;        // request URI of the shown event
  std::string target_host;   // its host; empty where the target is no URI
  std::string reason;        // first sentence of the evidence
  std::string brief_reason;  // the same in Defender's style
};

[[nodiscard]] AccessSummary access_summary(const Alert& alert);

// Evidence that the SIEM formats have no fields for, with keys in snake_case: reasons with their numbers, lists, the
// rotation list (the first 100 objects, and how many there are), what else it could be. No key depends on the input,
// so that an index does not grow fields.
[[nodiscard]] Json evidence_json(const Alert& alert, const AlertStanding& standing);

// "<id>-<revision>": names one revision for ever, so that a second delivery can be told from a new one.
[[nodiscard]] std::string delivery_key(const Alert& alert);

}  // namespace keyvigil
