#include "engine/recent_releases.h"

#include <algorithm>

#include "base/hash.h"

namespace keyvigil {
namespace {

std::uint64_t correlation_hash(const AccessEvent& event) {
  return event.correlation_id().empty() ? 0 : hash64(event.correlation_id()) | 1;
}

}  // namespace

void RecentReleases::remember(const AccessEvent& event, std::int64_t milliseconds, std::uint64_t hash, bool ordered) {
  if (limit_ == 0) { return; }
  const Release release{milliseconds, hash, correlation_hash(event)};
  const bool in_order = ordered_.empty() || std::tie(ordered_.back().milliseconds, ordered_.back().hash) <=
                                                std::tie(release.milliseconds, release.hash);
  if (!ordered || !in_order) {
    strays_.insert(release);
    if (strays_.size() > limit_) {
      strays_.erase(strays_.begin());
      ++forgotten_early_;
    }
    return;
  }
  ordered_.push_back(release);
  while (ordered_.front().milliseconds < milliseconds - horizon_milliseconds_) { ordered_.pop_front(); }
  if (ordered_.size() > limit_) {
    ordered_.pop_front();
    ++forgotten_early_;
  }
}

bool RecentReleases::contains_duplicate_of(const AccessEvent& event, std::int64_t milliseconds,
                                           std::uint64_t hash) const {
  const std::uint64_t correlation = correlation_hash(event);
  const auto matches = [&](auto from, auto end) {
    for (; from != end && from->milliseconds == milliseconds && from->hash == hash; ++from) {
      if (correlation == 0 || from->correlation == 0 || from->correlation == correlation) { return true; }
    }
    return false;
  };
  const auto before = [](const Release& left, const Release& right) {
    return std::tie(left.milliseconds, left.hash) < std::tie(right.milliseconds, right.hash);
  };
  const Release first{milliseconds, hash, 0};
  return matches(std::lower_bound(ordered_.begin(), ordered_.end(), first, before), ordered_.end()) ||
         matches(strays_.lower_bound(first), strays_.end());
}

}  // namespace keyvigil
