#include "history/decayed_sum.h"

#include "statistics/elementary.h"

namespace keyvigil {
namespace {

constexpr double kHalfLivesToLandmark = 256;

}  // namespace

double DecayedSum::half_lives_since_landmark(EventTime time) const {
  return (static_cast<double>(time.ticks) - static_cast<double>(landmark_.ticks)) /
         static_cast<double>(half_life_ticks_);
}

void DecayedSum::add(EventTime at, double part) {
  const double ahead = half_lives_since_landmark(at);
  if (weighted_ == 0 || ahead > kHalfLivesToLandmark) {
    weighted_ *= half_life_decay(ahead, 1);
    landmark_ = at;
  }
  weighted_ += part * half_life_decay(-half_lives_since_landmark(at), 1);
}

double DecayedSum::at(EventTime time) const {
  return weighted_ == 0 ? 0 : weighted_ * half_life_decay(half_lives_since_landmark(time), 1);
}

}  // namespace keyvigil
