// Evaluation: alerts of `detect` against the campaigns that `simulate` planted.
//
// An alert belongs to a campaign when it refers to one of its records (correlation id and time), else when caller,
// vault and time agree: the alert fires within a day after one of the campaign's records, not just between the first
// and the last, for a routine has rounds weeks apart. An attack is found by any of its expected alerts. An alert that
// fits both a twin and an attack counts for the attack.
// Pure; threads: free functions and values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil::evaluation {

struct LabelledRecord {
  EventTime time;
  std::string correlation_id;
  std::string operation;
  int status = 0;
};

struct CampaignLabel {
  std::uint64_t campaign = 0;
  bool benign = false;
  std::string name;
  std::string strength;
  std::string caller_class;  // "user", "app"
  std::string caller;        // object id
  std::vector<std::string> vaults;
  std::vector<std::string> expected;
  std::vector<LabelledRecord> records;  // by time
};

struct RaisedAlert {
  std::string type;  // "KV_UserAnomaly"
  std::string caller;
  std::string vault;
  EventTime fired;                                         // event time
  std::vector<std::pair<EventTime, std::string>> records;  // time and correlation id
};

struct ScenarioScore {
  std::uint64_t campaigns = 0;
  std::uint64_t found = 0;
  std::map<std::string, std::uint64_t> found_by;  // expected alert type -> campaigns
  // Of the found campaigns, up to and including the record at which the first expected alert fires.
  std::vector<double> events;
  std::vector<double> seconds;
  std::vector<double> credential_reads;  // before that record
};

struct TypeScore {
  std::uint64_t fired = 0;  // in attack campaigns
  std::uint64_t on_users = 0;
  std::uint64_t on_apps = 0;
  std::uint64_t false_in_twins = 0;
  std::uint64_t false_elsewhere = 0;
  // Runs in which it fired at least once: in an attack by a user, by an application, in a twin.
  std::uint64_t runs_on_users = 0;
  std::uint64_t runs_on_apps = 0;
  std::uint64_t runs_in_twins = 0;
};

struct Evaluation {
  std::map<std::tuple<std::string, std::string, std::string>, ScenarioScore> scenarios;  // name, strength, class
  std::map<std::string, TypeScore> types;
  double vault_days = 0;
  std::uint64_t runs = 0;
};

// One campaign or alert from its JSON line. Errors: kInput, with what is missing.
[[nodiscard]] Result<CampaignLabel> parse_label(std::string_view line);
[[nodiscard]] Result<RaisedAlert> parse_alert(std::string_view line);

// Adds one run: its alerts, its campaigns, and the vault-days that it covers.
void add_run(Evaluation& evaluation, const std::vector<RaisedAlert>& alerts, const std::vector<CampaignLabel>& labels,
             double vault_days);

// 0 when empty; the mean of the middle two when even.
[[nodiscard]] double median(std::vector<double> values);

// Exact 95 % interval of a Poisson mean after `count` events (Garwood 1936), by bisection on the Poisson sum.
// REQUIRES: count <= 100,000.
[[nodiscard]] std::array<double, 2> poisson_interval(std::uint64_t count);

[[nodiscard]] std::string evaluation_text(const Evaluation& evaluation, bool markdown);
[[nodiscard]] std::string evaluation_json(const Evaluation& evaluation);

}  // namespace keyvigil::evaluation
