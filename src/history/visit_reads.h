// VisitReads: how many credentials callers of a class read after a list in a vault that is new to them.
//
// Whoever looks into a vault for the first time has no habit there, and a caller's visits are too few to make one: the
// class tells. Numbers of reads are counted as they are, because a smooth tail fits them badly: visitors open none, one
// or a few, or load everything. Half of the weight is lost in kHalfLifeVisits. What is learned counts after
// close_hour(). 1.1 KiB. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>

#include "history/episodes.h"

namespace keyvigil {

class VisitReads {
 public:
  static constexpr double kHalfLifeVisits = 2'000;

  // `reads`: distinct ones in an episode; more than Episodes::kObjects count as that many.
  void learn(std::uint32_t reads);
  void close_hour();
  // Decayed numbers of visits: with so many reads or more, and all.
  [[nodiscard]] double with_at_least(std::uint32_t reads) const;
  [[nodiscard]] double all() const { return with_at_least(0); }

  auto fields() { return std::tie(visits_, pending_, pending_visits_); }

 private:
  std::array<double, Episodes::kObjects + 1> visits_{};  // by number of reads
  std::array<std::uint32_t, Episodes::kObjects + 1> pending_{};
  std::uint32_t pending_visits_ = 0;
};

}  // namespace keyvigil
