#include "history/surprise_ledger.h"

#include <algorithm>
#include <cmath>

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kLeast = 1e-300;

double log_surprise_of(double surprise) {
  return -natural_log(std::clamp(surprise, kLeast, 1.0));
}

bool is_more_surprising(const SurpriseLedger::Entry& left, const SurpriseLedger::Entry& right) {
  return std::tie(left.surprise, left.vault) < std::tie(right.surprise, right.vault);
}

}  // namespace

void SurpriseLedger::forget_before(std::int64_t hour) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.hour < hour; });
  std::erase_if(rest_, [&](const Hour& cell) { return cell.hour < hour; });
}

void SurpriseLedger::add_to_rest(const Entry& entry) {
  const auto place = std::lower_bound(rest_.begin(), rest_.end(), entry.hour,
                                      [](const Hour& cell, std::int64_t hour) { return cell.hour < hour; });
  const bool found = place != rest_.end() && place->hour == entry.hour;
  Hour& cell = found ? *place : *rest_.insert(place, Hour{.hour = entry.hour});
  ++cell.vaults;
  cell.log_surprise += log_surprise_of(entry.surprise);
}

void SurpriseLedger::add(std::uint64_t vault, EventTime at, double surprise) {
  Entry entry{vault, at.hour(), surprise};
  std::int64_t newest = entry.hour;
  for (const Entry& other : entries_) { newest = std::max(newest, other.hour); }
  for (const Hour& other : rest_) { newest = std::max(newest, other.hour); }
  if (entry.hour <= newest - kHours) { return; }  // too late to count in any day still asked for
  forget_before(newest - kHours + 1);

  const auto same =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& other) { return other.vault == vault; });
  if (same != entries_.end()) {
    entry.surprise = std::min(entry.surprise, same->surprise);
    entry.hour = std::max(entry.hour, same->hour);
    entries_.erase(same);
  }
  entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), entry, is_more_surprising), entry);
  if (entries_.size() > kEntries) {
    add_to_rest(entries_.back());
    entries_.pop_back();
  }
}

SurpriseLedger::Day SurpriseLedger::day(EventTime at) const {
  const std::int64_t last = at.hour();
  const auto in_day = [&](std::int64_t hour) { return hour > last - kHours && hour <= last; };
  Day day;
  for (const Entry& entry : entries_) {
    if (!in_day(entry.hour)) { continue; }
    ++day.vaults;
    day.log_surprise += log_surprise_of(entry.surprise);
    day.most_surprising.push_back(entry);
  }
  for (const Hour& cell : rest_) {
    if (!in_day(cell.hour)) { continue; }
    day.vaults += cell.vaults;
    day.log_surprise += cell.log_surprise;
  }
  return day;
}

bool SurpriseLedger::is_sound() const {
  const auto is_probability = [](const Entry& entry) { return entry.surprise > 0 && entry.surprise <= 1; };
  const auto is_cell = [](const Hour& cell) {
    return cell.vaults > 0 && std::isfinite(cell.log_surprise) && cell.log_surprise >= 0;
  };
  const auto by_hour = [](const Hour& left, const Hour& right) { return left.hour < right.hour; };
  return entries_.size() <= kEntries && rest_.size() <= kHours &&
         std::all_of(entries_.begin(), entries_.end(), is_probability) &&
         std::is_sorted(entries_.begin(), entries_.end(), is_more_surprising) &&
         std::all_of(rest_.begin(), rest_.end(), is_cell) && std::is_sorted(rest_.begin(), rest_.end(), by_hour);
}

}  // namespace keyvigil
