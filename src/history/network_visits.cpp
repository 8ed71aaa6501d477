#include "history/network_visits.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <utility>

#include "statistics/elementary.h"
#include "statistics/fading.h"

namespace keyvigil {
namespace {

constexpr double kAssumedArrivals = 10;  // before any was seen, evenly over the crowds

template <typename Counts>
double sum_of(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0);
}

}  // namespace

std::size_t NetworkVisits::crowd(std::uint64_t others) {
  const std::size_t doublings = std::bit_width(others);
  return std::min(kCrowds - 1, doublings);
}

std::optional<NetworkVisit> NetworkVisits::observe(const Caller& caller, const Request& request) {
  const bool moved_out = moves_out(caller, request);
  if (request.arrival) { begin(caller, request, moved_out); }
  const auto found = open_.find(caller.hash);
  if (found == open_.end()) { return std::nullopt; }
  Visit& visit = found->second;
  if (!request.at.is_within(EventTime::kTicksPerDay, visit.since_ticks)) {
    learn(visit);
    open_.erase(found);
    return std::nullopt;
  }
  if (visit.network != request.network) { return std::nullopt; }
  const bool lists = request.list && !visit.listed;
  const bool counts = request.object != 0 && visit.objects.size() < kObjects &&
                      std::ranges::find(visit.objects, request.object) == visit.objects.end();
  visit.listed = visit.listed || lists;
  if (counts) { visit.objects.push_back(request.object); }
  // The same again is nothing to look at.
  return request.arrival || lists || counts ? std::optional(facts_of(visit)) : std::nullopt;
}

// Whoever begins elsewhere did not move.
bool NetworkVisits::moves_out(const Caller& caller, const Request& request) {
  if (!request.from_elsewhere || caller.caller_class != CallerClass::kApp || outsiders_.size() >= kOutsiders) {
    return false;
  }
  if (!outsiders_.insert(caller.hash).second || caller.is_new) { return false; }
  moved_today_.emplace(caller.hash, false);
  return true;
}

void NetworkVisits::begin(const Caller& caller, const Request& request, bool moved_out) {
  Visit visit{.network = request.network,
              .since_ticks = request.at.ticks,
              .first_today_ticks = request.at.ticks,
              .others = request.arrival->others,
              .networks_today = request.arrival->networks_today,
              .caller_class = caller.caller_class,
              .newcomer = caller.is_new,
              .unheard = request.arrival->unheard,
              .moved_out = moved_out,
              .managed_identity = request.managed_identity,
              .objects = {}};
  if (const auto found = open_.find(caller.hash); found != open_.end()) {
    const Visit& before = found->second;
    if (EventTime{before.since_ticks}.day() == request.at.day()) { visit.first_today_ticks = before.first_today_ticks; }
    learn(before);
    found->second = std::move(visit);
    return;
  }
  make_room();
  open_.emplace(caller.hash, std::move(visit));
}

void NetworkVisits::make_room() {
  if (open_.size() < kOpen) { return; }
  open_.erase(std::ranges::min_element(
      open_, {}, [](const auto& item) { return std::pair(item.second.since_ticks, item.first); }));
  ++forgotten_;
}

NetworkVisit NetworkVisits::facts_of(const Visit& visit) const {
  const ClassState& known = classes_[static_cast<std::size_t>(visit.caller_class)];
  NetworkVisit facts;
  facts.since_ticks = visit.since_ticks;
  facts.first_today_ticks = visit.first_today_ticks;
  facts.networks_today = visit.networks_today;
  facts.reads = static_cast<double>(visit.objects.size());
  facts.listed = visit.listed;
  facts.visits = visits_like(visit);
  if (visit.newcomer && visit.unheard) {
    facts.newcomers_per_day =
        (FirstTimeRate::kPriorFirsts + known.newcomers) / (FirstTimeRate::kPriorDays + known.days);
  }
  // The caller itself is one of them.
  if (visit.moved_out && moved_today_.size() <= kMigration) {
    facts.outside_per_day = known.outside.per_day() * (visit.managed_identity ? kManagedIdentityShare : 1);
  }
  return facts;
}

LearnedVisits NetworkVisits::visits_like(const Visit& visit) const {
  const Numbers& visits = classes_[static_cast<std::size_t>(visit.caller_class)].visits[visit.newcomer ? 1 : 0];
  LearnedVisits like;
  for (std::size_t listed = 0; listed < visits.size(); ++listed) {
    const auto as_many = visits[listed].begin() + static_cast<std::ptrdiff_t>(visit.objects.size());
    like.all += sum_of(visits[listed]);
    if (listed == 1 || !visit.listed) { like.with_as_many += std::accumulate(as_many, visits[listed].end(), 0.0); }
  }
  return like;
}

double NetworkVisits::surprise(CallerClass caller_class, std::uint64_t others) const {
  const std::array<double, kCrowds>& crowds = classes_[static_cast<std::size_t>(caller_class)].crowds;
  const std::size_t upto = crowd(others) + 1;
  const double as_few = std::accumulate(crowds.begin(), crowds.begin() + static_cast<std::ptrdiff_t>(upto), 0.0);
  const double assumed = static_cast<double>(upto) / static_cast<double>(kCrowds);
  return (kAssumedArrivals * assumed + as_few) / (kAssumedArrivals + sum_of(crowds));
}

void NetworkVisits::withhold(std::uint64_t caller) {
  if (const auto found = open_.find(caller); found != open_.end()) { found->second.alerted = true; }
  if (const auto found = moved_today_.find(caller); found != moved_today_.end()) { found->second = true; }
}

// That callers arrive is learned whether or not somebody was alerted: else the first alerts would last.
void NetworkVisits::learn(const Visit& visit) {
  ClassState& known = classes_[static_cast<std::size_t>(visit.caller_class)];
  if (is_settled() && visit.newcomer && visit.unheard) { ++known.pending_newcomers; }
  if (is_settled() && !visit.newcomer) { ++known.pending_crowds[crowd(visit.others)]; }
  if (visit.alerted) { return; }
  ++known.pending_visits[visit.newcomer ? 1 : 0][visit.listed ? 1 : 0][visit.objects.size()];
}

void NetworkVisits::close_day(const Caller& caller) {
  ClassState& known = classes_[static_cast<std::size_t>(caller.caller_class)];
  if (is_settled()) { ++known.pending_days; }
  if (caller.is_new || caller.caller_class != CallerClass::kApp) { return; }
  const auto moved = moved_today_.find(caller.hash);
  if (moved == moved_today_.end()) {
    if (!outsiders_.contains(caller.hash)) { known.outside.learn(false); }
  } else if (!moved->second) {
    known.outside.learn(true);
  }
}

void NetworkVisits::close_hour(std::int64_t hour, bool day_is_over) {
  if (first_hour_ == INT64_MIN) { first_hour_ = hour; }
  hour_ = hour;
  if (day_is_over) {
    close_visits(hour);
    moved_today_.clear();
  }
  for (ClassState& known : classes_) { close_hour(known); }
}

// Of callers that were not seen again.
void NetworkVisits::close_visits(std::int64_t hour) {
  const EventTime now{hour * EventTime::kTicksPerHour};
  std::erase_if(open_, [&](const auto& item) {
    const bool over = !now.is_within(EventTime::kTicksPerDay, item.second.since_ticks);
    if (over) { learn(item.second); }
    return over;
  });
}

void NetworkVisits::close_hour(ClassState& known) {
  for (std::size_t is_new = 0; is_new < known.visits.size(); ++is_new) {
    PendingNumbers& pending = known.pending_visits[is_new];
    // With a list or without: both fade by all visits that ended.
    const double ended = sum_of(pending[0]) + sum_of(pending[1]);
    if (ended == 0) { continue; }
    const double kept = half_life_decay(ended, kHalfLifeVisits);
    for (std::size_t listed = 0; listed < pending.size(); ++listed) {
      fade_and_add(known.visits[is_new][listed], pending[listed], kept);
    }
  }
  fade_and_add(known.crowds, known.pending_crowds, half_life_decay(sum_of(known.pending_crowds), kHalfLifeVisits));
  const double kept = half_life_decay(static_cast<double>(known.pending_days), FirstTimeRate::kHalfLifeDays);
  known.newcomers = kept * known.newcomers + static_cast<double>(std::exchange(known.pending_newcomers, 0U));
  known.days = kept * known.days + static_cast<double>(std::exchange(known.pending_days, 0U));
  known.outside.close_hour();
}

void NetworkVisits::save(SnapshotWriter& writer) const {
  writer.write(open_);
  writer.write(std::set<std::uint64_t>(outsiders_.begin(), outsiders_.end()));
  writer.write(moved_today_);
  writer.write(classes_);
  writer.write(first_hour_);
  writer.write(hour_);
  writer.write(forgotten_);
}

bool NetworkVisits::are_hours_sound() const {
  constexpr std::int64_t kAnyHour = std::int64_t{1} << 40;
  if (first_hour_ == INT64_MIN || hour_ == INT64_MIN) { return first_hour_ == hour_; }
  return first_hour_ > -kAnyHour && first_hour_ <= hour_ && hour_ < kAnyHour;
}

bool NetworkVisits::load(SnapshotReader& reader) {
  std::set<std::uint64_t> outsiders;
  const bool whole = reader.read(open_) && reader.read(outsiders) && reader.read(moved_today_) &&
                     reader.read(classes_) && reader.read(first_hour_) && reader.read(hour_) && reader.read(forgotten_);
  const auto is_sound = [](const auto& item) {
    return static_cast<std::size_t>(item.second.caller_class) < kCallerClassCount &&
           item.second.objects.size() <= kObjects;
  };
  if (!whole || open_.size() > kOpen || outsiders.size() > kOutsiders || moved_today_.size() > kOutsiders ||
      !std::ranges::all_of(open_, is_sound) || !are_hours_sound()) {
    return false;
  }
  outsiders_.clear();
  outsiders_.insert(outsiders.begin(), outsiders.end());
  return true;
}

}  // namespace keyvigil
