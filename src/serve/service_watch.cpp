#include "serve/service_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "event/decode.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kLookBackTicks = 10 * EventTime::kTicksPerMinute;
constexpr std::int64_t kListGraceMinutes = 10;
constexpr std::uint64_t kSilentInputs = 20;  // that are told one by one
constexpr std::uint64_t kFewestRefused = 10;
constexpr std::uint64_t kRefusedShare = 100;                            // one in so many is a loss
constexpr std::uint64_t kFailedAttempts = 3;                            // one or two are the weather
constexpr std::int64_t kFailingTicks = 2 * EventTime::kTicksPerMinute;  // a receiver may ask to wait for long

double hours(std::int64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(EventTime::kTicksPerHour);
}

std::uint64_t since(const std::map<std::string, std::uint64_t>& before, const std::string& key, std::uint64_t now) {
  const auto found = before.find(key);
  return found == before.end() ? now : now - std::min(now, found->second);
}

}  // namespace

// A failed answer is asked for again within minutes, and says so itself; this is for one that does not come at all.
std::optional<ServiceProblem> ServiceWatch::problem_of(const ListHealth& list, EventTime now) const {
  if (!list.failure.empty()) { return ServiceProblem{"list", list.name, list.failure}; }
  const std::int64_t good = std::max(list.confirmed.value_or(started_).ticks, started_.ticks);
  const std::int64_t age_minutes = (now.ticks - good) / EventTime::kTicksPerMinute;
  if (age_minutes <= list.interval_minutes + kListGraceMinutes) { return std::nullopt; }
  return ServiceProblem{"list", list.name,
                        fmt::format("expected a fresh list every {} minutes, the newest is {} minutes old",
                                    list.interval_minutes, age_minutes)};
}

ServiceWatch::Counts ServiceWatch::counts_of(const LiveFigures& live, const StoreFigures& store, EventTime now) {
  Counts counts;
  counts.at = now;
  counts.future = live.future_refused;
  counts.dead_letters = store.dead_letters;
  counts.too_old = live.too_old;
  for (const InputHealth& input : live.inputs) {
    const auto future = input.refused_by_cause.find(std::string(to_string(RefusalCause::kFuture)));
    counts.records[input.name] = input.records;
    counts.refused[input.name] = input.refused - (future == input.refused_by_cause.end() ? 0 : future->second);
  }
  return counts;
}

void ServiceWatch::add_silent_vaults(const LiveFigures& live, std::vector<ServiceProblem>& problems) const {
  for (const SilentVault& vault : live.silent_vaults) {
    if (vault.pause_ticks <= limits_.silent_minutes * EventTime::kTicksPerMinute) { continue; }
    problems.push_back(
        {"silent", vault.vault_id,
         fmt::format("this vault's newest record is {:.1f} hours older than those of other vaults, and it was never "
                     "quiet for longer than {:.1f} hours; check whether its diagnostic setting was deleted",
                     hours(vault.pause_ticks), hours(vault.longest_ticks))});
  }
  if (live.silent_vaults_total > live.silent_vaults.size()) {
    problems.push_back({"silent", "vaults",
                        fmt::format("{} more vaults are quiet for longer than they ever were",
                                    live.silent_vaults_total - live.silent_vaults.size())});
  }
}

std::vector<ServiceProblem> ServiceWatch::look(const LiveFigures& live, const StoreFigures& store,
                                               std::span<const OutputFigures> outputs, EventTime now) {
  std::vector<ServiceProblem> problems = live.problems;
  Counts counts = counts_of(live, store, now);
  while (before_.size() > 1 && before_[1].at.ticks <= now.ticks - kLookBackTicks) { before_.pop_front(); }
  const Counts& before = before_.empty() ? counts : before_.front();
  std::uint64_t silent = 0;
  for (const InputHealth& input : live.inputs) {
    if (!input.report.failure.empty()) { problems.push_back({"input", input.name, input.report.failure}); }
    if (input.removed) { continue; }
    const std::int64_t heard = std::max(input.last_received.value_or(started_).ticks, started_.ticks);
    if (now.ticks - heard > limits_.silent_minutes * EventTime::kTicksPerMinute && ++silent <= kSilentInputs) {
      problems.push_back(
          {"silent", input.name,
           fmt::format("nothing has come for {} minutes; check the diagnostic settings and whoever sends",
                       (now.ticks - heard) / EventTime::kTicksPerMinute)});
    }
    const std::uint64_t refused = since(before.refused, input.name, counts.refused[input.name]);
    const std::uint64_t records = since(before.records, input.name, input.records);
    if (refused >= kFewestRefused && refused * kRefusedShare >= records) {
      problems.push_back({"loss", input.name,
                          fmt::format("{} of {} records of the last ten minutes could not be read", refused, records)});
    }
  }
  if (silent > kSilentInputs) {
    problems.push_back(
        {"silent", "inputs", fmt::format("nothing has come of {} more inputs either", silent - kSilentInputs)});
  }
  add_silent_vaults(live, problems);
  for (const ListHealth& list : live.lists) {
    if (auto problem = problem_of(list, now)) { problems.push_back(*std::move(problem)); }
  }
  for (const ListInForce& list : live.lists_in_force) {
    if (list.doubtful) { problems.push_back({"list", list.name, list.losses}); }
  }
  if (counts.too_old > before.too_old) {
    problems.push_back(
        {"loss", "",
         fmt::format("{} records of the last ten minutes are older than what is known of decided events, "
                     "and were left out",
                     counts.too_old - before.too_old)});
  }
  if (live.behind_seconds > static_cast<double>(limits_.lag_seconds)) {
    problems.push_back({"lag", "", fmt::format("records wait {:.0f} s to be decided", live.behind_seconds)});
  }
  if (live.clock_held > 0) {
    problems.push_back({"clock", "",
                        fmt::format("{} pieces of input hold records that are up to {:.1f} hours ahead of this "
                                    "machine's clock, and are not taken until it is right: it seems to be slow; set it",
                                    live.clock_held, hours(live.clock_lead_ticks))});
  } else if (counts.future > before.future) {
    problems.push_back({"clock", "",
                        fmt::format("{} records of the last ten minutes were more than ten minutes ahead "
                                    "of this machine's clock and refused; check both clocks",
                                    counts.future - before.future)});
  }
  for (const OutputFigures& output : outputs) {
    const bool rests_long = output.failed_in_row > 0 && now.ticks - output.failing_since.ticks > kFailingTicks;
    if (output.failed_in_row < kFailedAttempts && !rests_long) { continue; }
    problems.push_back(
        {"output", output.name,
         fmt::format("{} attempts in a row failed, the last one: {}", output.failed_in_row, output.last_failure)});
  }
  if (counts.dead_letters > before.dead_letters) {
    problems.push_back({"output", "",
                        fmt::format("{} deliveries of the last ten minutes were given up; `keyvigil outputs dead` and "
                                    "/v1/outputs/dead list them and try them again",
                                    counts.dead_letters - before.dead_letters)});
  }
  before_.push_back(std::move(counts));
  return problems;
}

}  // namespace keyvigil
