// EdgeScores: how the first edges of a class of callers scored lately, to tell how surprising one more is.
//
// Before any was seen, kAssumed edges are: most first touches of an estate are nearer than chance (a score above 0), as
// in the logs of detection-method notes 3, E2. A new edge is ranked among the last kEdges that alerted nobody
// (detection-method notes, P3). Scores count after close_hour(), in ascending order, so that nothing depends on the
// order within an hour. 24 KiB when full. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace keyvigil {

class EdgeScores {
 public:
  // `assumed`: the weight of what is assumed of first edges before any was seen; 0 for none.
  explicit EdgeScores(double assumed = kAssumed) : assumed_(assumed) {}
  static constexpr std::size_t kEdges = 1500;
  static constexpr double kAssumed = 40;  // evenly between these scores
  static constexpr double kAssumedFrom = -1.5;
  static constexpr double kAssumedTo = 2.5;

  // A benign first edge. Of more than kEdges in one hour the lowest are left out and counted.
  void learn(double score);
  void close_hour();

  // P(a benign first edge scores as low), in (0, 1].
  [[nodiscard]] double surprise(double score) const;
  [[nodiscard]] std::size_t size() const { return ascending_.size(); }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  auto fields() { return std::tie(assumed_, recent_, next_, pending_, left_out_); }
  // After loading: computes what fields() does not hold. False: the state is damaged, and all is forgotten.
  [[nodiscard]] bool settle();

 private:
  double assumed_;
  std::vector<double> recent_;  // ring
  std::uint32_t next_ = 0;      // place of the oldest, once the ring is full
  std::vector<double> pending_;
  std::uint64_t left_out_ = 0;

  std::vector<double> ascending_;  // recent_, sorted
};

}  // namespace keyvigil
