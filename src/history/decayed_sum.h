// DecayedSum: a sum whose parts halve in weight with every half-life, in any order of arrival.
//
// Forward decay (Cormode, Shkapenyuk, Srivastava, Xu 2009): parts are weighted by how long after a landmark they came,
// so that adding commutes and late parts need no special case; the landmark moves before weights grow out of range.
#pragma once

#include <cstdint>
#include <tuple>

#include "base/event_time.h"

namespace keyvigil {

class DecayedSum {
 public:
  explicit DecayedSum(std::int64_t half_life_ticks = EventTime::kTicksPerDay) : half_life_ticks_(half_life_ticks) {}

  void add(EventTime at, double part);
  // What is left at that time; parts that came later count more than once over.
  [[nodiscard]] double at(EventTime time) const;

  auto fields() { return std::tie(half_life_ticks_, landmark_.ticks, weighted_); }

 private:
  [[nodiscard]] double half_lives_since_landmark(EventTime time) const;

  std::int64_t half_life_ticks_;
  EventTime landmark_;
  double weighted_ = 0;  // sum of part * 2^(half-lives between landmark and part)
};

}  // namespace keyvigil
