#include "history/visit_reads.h"

#include <algorithm>
#include <numeric>

#include "statistics/elementary.h"
#include "statistics/fading.h"

namespace keyvigil {

void VisitReads::learn(std::uint32_t reads) {
  ++pending_visits_;
  ++pending_[std::min<std::size_t>(reads, pending_.size() - 1)];
}

void VisitReads::close_hour() {
  if (pending_visits_ == 0) { return; }
  const double kept = half_life_decay(pending_visits_, kHalfLifeVisits);
  fade_and_add(visits_, pending_, kept);
  pending_visits_ = 0;
}

double VisitReads::with_at_least(std::uint32_t reads) const {
  const std::size_t from = std::min<std::size_t>(reads, visits_.size() - 1);
  return std::accumulate(visits_.begin() + static_cast<std::ptrdiff_t>(from), visits_.end(), 0.0);
}

}  // namespace keyvigil
