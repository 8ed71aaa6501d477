#include "evaluation/evaluation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace keyvigil::evaluation {
namespace {

constexpr std::int64_t kTail = EventTime::kTicksPerDay;

bool refers_to(const RaisedAlert& alert, const CampaignLabel& label) {
  for (const auto& [time, id] : alert.records) {
    for (const LabelledRecord& record : label.records) {
      if (record.time == time && record.correlation_id == id) { return true; }
    }
  }
  return false;
}

bool coincides(const RaisedAlert& alert, const CampaignLabel& label) {
  if (alert.caller != label.caller) { return false; }
  const bool on_vault = std::find(label.vaults.begin(), label.vaults.end(), alert.vault) != label.vaults.end();
  return on_vault && std::any_of(label.records.begin(), label.records.end(), [&](const LabelledRecord& record) {
           return alert.fired >= record.time && alert.fired.ticks <= record.time.ticks + kTail;
         });
}

// The campaign of an alert: records before coincidence, attacks before twins.
const CampaignLabel* owner_of(const RaisedAlert& alert, const std::vector<CampaignLabel>& labels) {
  for (const bool benign : {false, true}) {
    for (const CampaignLabel& label : labels) {
      if (label.benign == benign && refers_to(alert, label)) { return &label; }
    }
  }
  for (const bool benign : {false, true}) {
    for (const CampaignLabel& label : labels) {
      if (label.benign == benign && coincides(alert, label)) { return &label; }
    }
  }
  return nullptr;
}

bool reads_credential(const LabelledRecord& record) {
  constexpr std::array<std::string_view, 5> kReads = {"SecretGet", "SecretBackup", "KeyBackup", "CertificateBackup",
                                                      "KeyRelease"};
  return record.status >= 200 && record.status < 300 &&
         std::find(kReads.begin(), kReads.end(), record.operation) != kReads.end();
}

void score_found(ScenarioScore& score, const CampaignLabel& label, EventTime fired) {
  double events = 0;
  double reads = 0;
  for (const LabelledRecord& record : label.records) {
    if (record.time <= fired) { events += 1; }
    if (record.time < fired && reads_credential(record)) { reads += 1; }
  }
  const std::int64_t ticks = std::max<std::int64_t>(0, fired.ticks - label.records.front().time.ticks);
  score.events.push_back(events);
  score.seconds.push_back(static_cast<double>(ticks) / static_cast<double>(EventTime::kTicksPerSecond));
  score.credential_reads.push_back(reads);
}

// One alert of one run.
void score_type(TypeScore& score, const CampaignLabel* owner) {
  if (owner == nullptr) {
    ++score.false_elsewhere;
  } else if (owner->benign) {
    ++score.false_in_twins;
  } else {
    ++score.fired;
    ++(owner->caller_class == "app" ? score.on_apps : score.on_users);
  }
}

void add_scores(TypeScore& sum, const TypeScore& of_run) {
  sum.fired += of_run.fired;
  sum.on_users += of_run.on_users;
  sum.on_apps += of_run.on_apps;
  sum.false_in_twins += of_run.false_in_twins;
  sum.false_elsewhere += of_run.false_elsewhere;
  sum.runs_on_users += of_run.on_users > 0 ? 1U : 0U;
  sum.runs_on_apps += of_run.on_apps > 0 ? 1U : 0U;
  sum.runs_in_twins += of_run.false_in_twins > 0 ? 1U : 0U;
}

// P(at most `count` events) at `mean`, summed from the largest term so that nothing underflows early.
double poisson_at_most(std::uint64_t count, double mean) {
  double sum = 0;
  for (std::uint64_t k = 0; k <= count; ++k) {
    const auto number = static_cast<double>(k);
    sum += std::exp(number * std::log(mean) - mean - std::lgamma(number + 1));
  }
  return sum;
}

// The mean at which `count` or fewer events have this probability; the probability falls as the mean grows.
double mean_at(std::uint64_t count, double probability) {
  double low = 1e-12;
  double high = static_cast<double>(count) + 10 * std::sqrt(static_cast<double>(count) + 1) + 10;
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    (poisson_at_most(count, middle) > probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

void add_run(Evaluation& evaluation, const std::vector<RaisedAlert>& alerts, const std::vector<CampaignLabel>& labels,
             double vault_days) {
  evaluation.vault_days += vault_days;
  ++evaluation.runs;
  std::map<std::string, TypeScore> of_run;
  struct Found {
    std::set<std::string> types;
    std::optional<EventTime> fired;
  };
  std::map<const CampaignLabel*, Found> found;
  for (const RaisedAlert& alert : alerts) {
    const CampaignLabel* owner = owner_of(alert, labels);
    score_type(of_run[alert.type], owner);
    if (owner == nullptr || owner->benign) { continue; }
    if (std::find(owner->expected.begin(), owner->expected.end(), alert.type) == owner->expected.end()) { continue; }
    Found& entry = found[owner];
    entry.types.insert(alert.type);
    entry.fired = entry.fired ? std::min(*entry.fired, alert.fired) : alert.fired;
  }
  for (const auto& [type, score] : of_run) { add_scores(evaluation.types[type], score); }
  for (const CampaignLabel& label : labels) {
    if (label.benign) { continue; }
    ScenarioScore& score = evaluation.scenarios[{label.name, label.strength, label.caller_class}];
    ++score.campaigns;
    const auto entry = found.find(&label);
    if (entry == found.end()) { continue; }
    ++score.found;
    for (const std::string& type : entry->second.types) { ++score.found_by[type]; }
    score_found(score, label, *entry->second.fired);
  }
}

double median(std::vector<double> values) {
  if (values.empty()) { return 0; }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::array<double, 2> poisson_interval(std::uint64_t count) {
  const double low = count == 0 ? 0.0 : mean_at(count - 1, 0.975);
  return {low, mean_at(count, 0.025)};
}

}  // namespace keyvigil::evaluation
