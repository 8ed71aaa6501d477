// RecordExcess: how far a window's count passes its member's own record, in a class.
//
// A smooth tail around the mean knows nothing of what makes harmless counts jump: replicas, restarts, retries without
// end. The class tells how often any of its members passes its record that far. Ratios of count and record are counted
// in steps of a quarter octave; before any was seen, kAssumedWindows windows are assumed, of which kAssumedShare reach
// the record and fewer pass it, by the square of the ratio. Half of the weight is lost in kHalfLifeWindows windows;
// what is learned counts after close_hour(). At most kAbove members are compared within an hour. 0.4 KiB. Threads: one
// owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace keyvigil {

class RecordExcess {
 public:
  static constexpr double kKnownWindows = 10;  // from which on a member has a record
  static constexpr double kAssumedWindows = 300;
  static constexpr double kAssumedShare = 0.004;
  static constexpr double kHalfLifeWindows = 200'000;
  static constexpr std::size_t kAbove = 256;

  // A window is over. `ratio`: count / record, above 0.
  void learn(double ratio);
  void close_hour();
  // P(a harmless window is as far above the record), in (0, 1].
  [[nodiscard]] double share_of(double ratio) const;
  // The same in the hour that is open, in which `active` members do anything: a failure of the platform restarts many
  // at once, and where at least two others are nearly as far above, too many to be chance, as many do so as are seen
  // to. Remembers the member, by its hash.
  [[nodiscard]] double share_now(std::uint64_t member, double ratio, std::size_t active);

  auto fields() { return std::tie(windows_, ratios_, pending_windows_, pending_, above_); }

 private:
  // A member that is above its record in the current hour.
  struct Above {
    std::uint64_t member = 0;
    double share = 1;
    auto fields() { return std::tie(member, share); }
  };
  static constexpr std::size_t kSteps = 32;  // the last one holds 256 records and more

  [[nodiscard]] static std::size_t step_of(double ratio);
  void remember(std::uint64_t member, double share);

  double windows_ = 0;
  std::array<double, kSteps> ratios_{};
  std::uint32_t pending_windows_ = 0;
  std::array<std::uint32_t, kSteps> pending_{};
  std::vector<Above> above_;
};

}  // namespace keyvigil
