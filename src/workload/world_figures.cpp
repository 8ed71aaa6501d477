#include "workload/world_figures.h"

#include <algorithm>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "workload/random.h"

namespace keyvigil::workload {
namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void FigureCounter::add(const Activity& activity, std::size_t record_bytes) {
  if (events_ == 0) { first_ = last_ = activity.time; }
  ++events_;
  bytes_ += record_bytes;
  last_ = std::max(last_, activity.time);
  const std::uint64_t vault = hash64(activity.vault.name);
  vaults_.insert(vault);
  const bool after_first_day = activity.time.ticks - first_.ticks >= EventTime::kTicksPerDay;
  if (after_first_day) { ++after_first_day_; }
  if (activity.http_status == 403) { ++denied_; }
  if (!activity.attack.kind.empty() && !activity.attack.benign) {
    ++attack_events_;
    campaigns_.insert(activity.attack.campaign);
  }
  if (activity.caller.kind == CallerKind::kAnonymous) {
    if (activity.http_status == 401) { ++challenges_; }
    return;
  }
  const std::uint64_t caller = hash64(activity.caller.object_id);
  ++events_of_caller_[caller];
  const bool user = activity.caller.kind == CallerKind::kUser;
  if (user) { ++by_users_; }
  (user ? users_ : applications_).insert(caller);
  const bool new_edge = edges_.insert(caller ^ mix64(vault)).second;
  if (new_edge && after_first_day) { ++first_edges_after_first_day_; }
}

WorldFigures FigureCounter::figures() const {
  WorldFigures figures;
  figures.events = events_;
  figures.bytes = bytes_;
  figures.days = static_cast<double>(last_.ticks - first_.ticks) / static_cast<double>(EventTime::kTicksPerDay);
  figures.vaults = vaults_.size();
  figures.callers = events_of_caller_.size();
  figures.applications = applications_.size();
  figures.users = users_.size();
  figures.edges = edges_.size();
  std::vector<std::uint64_t> counts;
  for (const auto& [caller, count] : events_of_caller_) { counts.push_back(count); }
  std::sort(counts.begin(), counts.end(), std::greater<>());
  std::uint64_t busiest = 0;
  const std::size_t top = std::max<std::size_t>(1, counts.size() / 100);
  for (std::size_t i = 0; i < std::min(top, counts.size()); ++i) { busiest += counts[i]; }
  figures.busiest_share = share(busiest, events_);
  figures.first_edge_share = share(first_edges_after_first_day_, after_first_day_);
  figures.challenge_share = share(challenges_, events_);
  figures.denied_share = share(denied_, events_);
  figures.human_share = share(by_users_, events_);
  figures.mean_record_bytes = share(bytes_, events_);
  figures.attack_events = attack_events_;
  figures.attack_campaigns = campaigns_.size();
  return figures;
}

std::string describe(const WorldFigures& figures) {
  std::string out;
  out += fmt::format("events            {}  ({} bytes, mean record {:.0f} bytes)\n", figures.events, figures.bytes,
                     figures.mean_record_bytes);
  out += fmt::format("days              {:.1f}\n", figures.days);
  out += fmt::format("vaults            {}\n", figures.vaults);
  out += fmt::format("callers           {}  ({} applications and services, {} users)\n", figures.callers,
                     figures.applications, figures.users);
  out += fmt::format("caller-vault pairs {}  (first seen after the first day: {:.2f} % of its events)\n", figures.edges,
                     figures.first_edge_share * 100);
  out += fmt::format("busiest 1 %       {:.1f} % of the events\n", figures.busiest_share * 100);
  out += fmt::format("challenges        {:.2f} %, denied {:.2f} %, by users {:.2f} %\n", figures.challenge_share * 100,
                     figures.denied_share * 100, figures.human_share * 100);
  out += fmt::format("planted attacks   {} events in {} campaigns\n", figures.attack_events, figures.attack_campaigns);
  return out;
}

}  // namespace keyvigil::workload
