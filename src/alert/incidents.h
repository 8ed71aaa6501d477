// Incidents: which alerts belong together. They only group: no alert changes, nothing is judged.
//
// Two alerts belong together where they share a caller within 24 hours, or a vault or a network (/24 of IPv4, /48 of
// IPv6; global addresses only) within 2 hours, counted from the end of one to the start of the other (detection-method
// notes 1.7); and so do those that are joined through others. An alert by itself is no incident. The result depends
// on the set of alerts only, not on their order. Bound: kAlerts; later ones are left out and counted.
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_document.h"

namespace keyvigil {

enum class IncidentLink : std::uint8_t { kCaller = 0, kVault = 1, kNetwork = 2 };

struct Incident {
  std::string id;                     // GUID, from the name of the alert that began it
  std::vector<std::string> alerts;    // names (alert_name()), by time
  std::set<std::string> alert_types;  // KV_...
  std::set<IncidentLink> links;       // what at least two of them share
  std::set<std::string> callers;      // keys; nobody's alerts have none
  std::set<std::string> vaults;       // resource ids
  std::set<std::string> networks;     // 203.0.113.0/24
  EventTime start;
  EventTime end;
  Severity severity = Severity::kInformational;  // the highest
  std::uint64_t credential_reads = 0;            // of all; one access may stand behind several alerts
};

class Incidents {
 public:
  static constexpr std::size_t kAlerts = 100'000;
  static constexpr std::int64_t kCallerTicks = EventTime::kTicksPerDay;
  static constexpr std::int64_t kPlaceTicks = 2 * EventTime::kTicksPerHour;

  // A later revision takes the place of an earlier one.
  void add(const Alert& alert);
  // By start and id.
  [[nodiscard]] std::vector<Incident> group() const;
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  // What an alert brings along.
  struct Member {
    EventTime start;
    EventTime end;
    AlertType type = AlertType::kSuspiciousIPAccess;
    Severity severity = Severity::kInformational;
    std::string caller;
    std::set<std::string> vaults;
    std::set<std::string> networks;
    std::uint64_t credential_reads = 0;
  };

  std::map<std::string, Member> members_;  // by name of the alert
  std::uint64_t left_out_ = 0;
};

// One line of JSON without its end.
[[nodiscard]] Json incident_json(const Incident& incident);

}  // namespace keyvigil
