// VolumeWindows: how much one caller or vault does in the current hour and UTC day, beside what is usual for it.
//
// Counts operations, credential reads with private-key uses, and distinct objects of these; distinct objects are exact
// to kObjects a day and stay there. A count is looked at only when it has passed every earlier one by a quarter, and
// then each time it has grown by another quarter, so nearly every event costs three integer compares. Windows are
// learned when they are over, with at least one count, without throttled requests. Threads: one owner.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "history/count_tail.h"
#include "history/facts.h"

namespace keyvigil {

// What one event adds.
struct VolumeSample {
  bool credential_read = false;  // or private-key use
  std::uint32_t object = 0;      // hash; 0: none
  bool throttled = false;
};

// What one member does in a window in which it does any; nothing is known where `windows` is 0.
struct UsualCount {
  double mean = 0;
  double largest = 0;  // decayed
  double windows = 0;  // decayed number of windows behind it
};

// By VolumeMeasure and window (hour, day).
inline constexpr std::size_t kTumblingWindowCount = 2;
using VolumeParents = std::array<std::array<CountParent, kTumblingWindowCount>, kVolumeMeasureCount>;

class VolumeWindows {
 public:
  static constexpr std::size_t kObjects = 256;
  static constexpr double kLeastCount = 4;  // smaller ones are never looked at

  // Appends what is worth looking at.
  void add(const VolumeSample& sample, bool of_vault, const VolumeParents& parents, std::vector<VolumeFact>& facts);
  // The window is over: learns it, after what it learns was handed to `learned(measure, window, count, usual so far)`.
  template <typename Learned>
  void close(VolumeWindow window, const VolumeParents& parents, const Learned& learned) {
    for (std::size_t measure = 0; measure < kVolumeMeasureCount; ++measure) {
      const auto at = static_cast<std::size_t>(window);
      const Counter& counter = counters_[measure][at];
      if (const double count = taught(counter); count > 0) { learned(measure, at, count, counter.usual); }
      close_counter(measure, window, parents);
    }
    forget_objects(window);
  }
  // REQUIRES: an hour or a day.
  [[nodiscard]] UsualCount usual(VolumeMeasure measure, VolumeWindow window, const VolumeParents& parents) const;
  // So far, in the window that is open.
  [[nodiscard]] double count(VolumeMeasure measure, VolumeWindow window) const {
    return counters_[static_cast<std::size_t>(measure)][static_cast<std::size_t>(window)].count;
  }
  [[nodiscard]] bool has_counts() const { return counters_[0][1].count > 0; }

  auto fields() { return std::tie(counters_, objects_); }

 private:
  struct Counter {
    CountTail usual;
    std::uint32_t count = 0;
    std::uint32_t untaught = 0;  // of these: throttled
    std::uint32_t next_check = 0;
    auto fields() { return std::tie(usual, count, untaught, next_check); }
  };
  struct Object {
    std::uint32_t hash = 0;
    bool this_hour = false;
    auto fields() { return std::tie(hash, this_hour); }
  };

  [[nodiscard]] static bool is_at_check(Counter& counter, const VolumeSample& sample);
  void look(std::size_t measure, std::size_t window, bool of_vault, const VolumeParents& parents,
            std::vector<VolumeFact>& facts);
  [[nodiscard]] static double taught(const Counter& counter) {
    return static_cast<double>(counter.count - counter.untaught);
  }
  void close_counter(std::size_t measure, VolumeWindow window, const VolumeParents& parents);
  void forget_objects(VolumeWindow window);

  std::array<std::array<Counter, kTumblingWindowCount>, kVolumeMeasureCount> counters_{};
  std::vector<Object> objects_;  // of the day, by hash
};

}  // namespace keyvigil
