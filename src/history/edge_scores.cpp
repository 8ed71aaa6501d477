#include "history/edge_scores.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "statistics/combination.h"

namespace keyvigil {

void EdgeScores::learn(double score) {
  pending_.push_back(score);
  std::push_heap(pending_.begin(), pending_.end(), std::greater<>());
  if (pending_.size() <= kEdges) { return; }
  std::pop_heap(pending_.begin(), pending_.end(), std::greater<>());
  pending_.pop_back();
  ++left_out_;
}

void EdgeScores::close_hour() {
  if (pending_.empty()) { return; }
  std::sort(pending_.begin(), pending_.end());
  for (const double score : pending_) {
    if (recent_.size() < kEdges) {
      recent_.push_back(score);
    } else {
      ascending_.erase(std::lower_bound(ascending_.begin(), ascending_.end(), recent_[next_]));
      recent_[next_] = score;
      next_ = next_ + 1 == kEdges ? 0 : next_ + 1;
    }
    ascending_.insert(std::upper_bound(ascending_.begin(), ascending_.end(), score), score);
  }
  pending_.clear();
}

double EdgeScores::surprise(double score) const {
  const double assumed_below = assumed_ * std::clamp((score - kAssumedFrom) / (kAssumedTo - kAssumedFrom), 0.0, 1.0);
  const auto learned = static_cast<double>(ascending_.size());
  const double below = conformal_probability(ascending_, score) * (learned + 1);
  return std::min(1.0, (below + assumed_below) / (learned + assumed_ + 1));
}

bool EdgeScores::settle() {
  const auto finite = [](double score) { return std::isfinite(score); };
  const bool sound = assumed_ >= 0 && assumed_ <= kEdges && recent_.size() <= kEdges && pending_.size() <= kEdges &&
                     (next_ == 0 || (next_ < kEdges && recent_.size() == kEdges)) &&
                     std::all_of(recent_.begin(), recent_.end(), finite) &&
                     std::all_of(pending_.begin(), pending_.end(), finite) &&
                     std::is_heap(pending_.begin(), pending_.end(), std::greater<>());
  if (!sound) { *this = EdgeScores(); }
  ascending_ = recent_;
  std::sort(ascending_.begin(), ascending_.end());
  return sound;
}

}  // namespace keyvigil
