#include "history/volume_windows.h"

#include <algorithm>

namespace keyvigil {
namespace {

constexpr std::size_t kHour = static_cast<std::size_t>(VolumeWindow::kHour);
constexpr std::size_t kDay = static_cast<std::size_t>(VolumeWindow::kDay);
constexpr auto kOperations = static_cast<std::size_t>(VolumeMeasure::kOperations);
constexpr auto kReads = static_cast<std::size_t>(VolumeMeasure::kCredentialReads);
constexpr auto kDistinct = static_cast<std::size_t>(VolumeMeasure::kDistinctObjects);
constexpr double kMostCount = 4e9;

std::uint32_t first_check(const CountTail& usual) {
  const double margin =
      std::clamp(CountTail::kRecordMargin * usual.largest, VolumeWindows::kLeastCount - 1, kMostCount - 1);
  return static_cast<std::uint32_t>(margin) + 1;
}

}  // namespace

bool VolumeWindows::is_at_check(Counter& counter, const VolumeSample& sample) {
  if (counter.count == UINT32_MAX) { return false; }
  if (counter.count == 0) { counter.next_check = first_check(counter.usual); }
  ++counter.count;
  counter.untaught += sample.throttled ? 1U : 0U;
  return counter.count >= counter.next_check;
}

void VolumeWindows::add(const VolumeSample& sample, bool of_vault, const VolumeParents& parents,
                        std::vector<VolumeFact>& facts) {
  const auto count = [&](std::size_t measure, std::size_t window) {
    if (is_at_check(counters_[measure][window], sample)) { look(measure, window, of_vault, parents, facts); }
  };
  count(kOperations, kHour);
  count(kOperations, kDay);
  if (!sample.credential_read) { return; }
  count(kReads, kHour);
  count(kReads, kDay);
  if (sample.object == 0) { return; }
  const auto place = std::ranges::lower_bound(objects_, sample.object, {}, &Object::hash);
  if (place != objects_.end() && place->hash == sample.object) {
    if (place->this_hour) { return; }
    place->this_hour = true;
    count(kDistinct, kHour);
    return;
  }
  if (objects_.size() >= kObjects) { return; }
  objects_.insert(place, Object{sample.object, true});
  count(kDistinct, kHour);
  count(kDistinct, kDay);
}

void VolumeWindows::look(std::size_t measure, std::size_t window, bool of_vault, const VolumeParents& parents,
                         std::vector<VolumeFact>& facts) {
  Counter& counter = counters_[measure][window];
  counter.next_check = counter.count + std::max(1U, counter.count / 4);
  const CountParent& parent = parents[measure][window];
  facts.push_back(VolumeFact{.of_vault = of_vault,
                             .measure = static_cast<VolumeMeasure>(measure),
                             .window = static_cast<VolumeWindow>(window),
                             .count = static_cast<double>(counter.count),
                             .usual = counter.usual.mean(parent, 1) + 1,
                             .dispersion = counter.usual.dispersion(parent, 1),
                             .largest = counter.usual.largest,
                             .windows = counter.usual.windows});
}

UsualCount VolumeWindows::usual(VolumeMeasure measure, VolumeWindow window, const VolumeParents& parents) const {
  const auto row = static_cast<std::size_t>(measure);
  const auto column = static_cast<std::size_t>(window);
  const CountTail& tail = counters_[row][column].usual;
  return {tail.mean(parents[row][column], 1) + 1, tail.largest, tail.windows};
}

void VolumeWindows::close_counter(std::size_t measure, VolumeWindow window, const VolumeParents& parents) {
  const auto at = static_cast<std::size_t>(window);
  Counter& counter = counters_[measure][at];
  if (const double count = taught(counter); count > 0) { counter.usual.learn(count, parents[measure][at], 1); }
  counter.count = 0;
  counter.untaught = 0;
}

void VolumeWindows::forget_objects(VolumeWindow window) {
  if (window == VolumeWindow::kDay) { objects_.clear(); }
  for (Object& object : objects_) { object.this_hour = false; }
}

}  // namespace keyvigil
